//! Folding: a settled child becomes a part of its parent.

use std::sync::Arc;

use crate::arena::Realm;
use crate::clock::NEVER;
use crate::names::{NameSet, Names};
use crate::node::progress::{Amounts, Last, Own, Shown, Sums};
use crate::node::slot::{ABORTABLE, HOST_ID, PARENT_ID, Slot, USER_TASK};
use crate::node::word::{NotFinished, Reading, STARTED};
use crate::sync::{Ordering, ShortGuard};
use crate::tree::family::{Family, Folding, Legacy};
use crate::tree::kids::Kids;
use crate::tree::record::{Facts, KeptAbort, More, Record, Subtree};
use crate::tree::room::{Bounds, Share};
use crate::tree::root::Tree;

/// What a fold has brought about.
pub(crate) struct Folded {
    /// The word before the transition that went with it.
    pub(crate) before: Reading,
    pub(crate) parent: Parent,
}

/// The transition that goes with a fold.
pub(crate) struct Published {
    /// The word before it.
    pub(crate) before: Reading,
    /// Whether the child's slot is the caller's from here on, as nobody else has a reference.
    pub(crate) freed: bool,
}

/// What a fold means to the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    GoesOn,
    /// It was the last child of its family, and the parent has ended before, or is about to.
    /// If nobody else keeps it, it has settled too.
    HasEnded {
        settles: bool,
    },
}

/// A child whose own children have all folded, and where it goes.
#[derive(Clone, Copy)]
pub(crate) struct Fold {
    pub(crate) child: &'static Slot,
    pub(crate) parent: &'static Slot,
    pub(crate) tree: &'static Tree,
    pub(crate) realm: &'static Realm,
    pub(crate) bounds: Bounds,
    pub(crate) failed: bool,
}

impl Fold {
    /// Folds the child. `publish` changes its word while the family is locked, so that live
    /// and kept view switch at once; if it fails nothing happened. It is told whether the parent
    /// may settle with it.
    pub(crate) fn run(
        self,
        publish: impl FnOnce(bool) -> Result<Published, NotFinished>,
    ) -> Result<Folded, NotFinished> {
        if self.parent.is(HOST_ID) {
            remember_parent(self.child, self.parent, self.realm);
        }
        if let Some(names) = self.plain_names() {
            let kids = self.parent.kids(self.realm);
            return self.run_plainly(kids, names, |_, is_last| Ok(publish(is_last)?.before));
        }
        let names = self.child.names(self.realm);
        let (legacy, room) = match self.child.kids(self.realm) {
            Some(kids) => {
                let (legacy, room) = kids.bequeath();
                (Some(legacy), room)
            }
            None => (None, 0),
        };
        let reading = self.child.word.load();
        let own = Own::read(self.child, self.realm, reading, names.units.clone());
        let no_children = Sums::default();
        let sums = legacy.as_ref().map_or(&no_children, |legacy| &legacy.sums);
        let shown = Shown::of(own, sums, !self.failed);
        let shard = (!self.has_shard_of_parent()).then(|| self.child.shard());
        let mut more = more_of(self.child, self.realm, &names, &shown, legacy, shard);
        let error = more.as_mut().and_then(More::keep_texts);
        let more = more.map(Arc::new);
        let mut folding = Folding {
            error,
            not_kept: more.as_ref().map_or(0, |m| m.counts.not_kept),
            amounts: shown.amounts(),
            record: Record::new(
                &self.facts(reading, names.interned()),
                shown.amounts(),
                more,
            ),
        };
        let kids = self.parent.kids(self.realm);
        let kids = kids.expect("a child that nobody else ends has its parent");
        let mut family = kids.family_of(self.child.order());
        let is_last = is_last(&family);
        let Published { before, freed } = publish(is_last)?;
        if freed && let Some(kids) = self.child.kids(self.realm) {
            // Nobody looks at the child any more. What it kept is its record's alone, and so is
            // cut where it lies if it is too much.
            kids.leave_failures();
        }
        // Not before: from here on it is not aborted any more.
        if let Some(abort) = abort_of(self.child, self.realm) {
            folding.record.set_abort(abort);
        }
        if room > 0 {
            self.tree.kept.fetch_sub(room, Ordering::Relaxed);
        }
        let Self { child, realm, .. } = self;
        family.fold(child, folding, kids, self.share(), realm);
        Ok(Self::folded(kids, family, is_last, before))
    }

    /// The child's names, if there is nothing else to keep but its amounts.
    #[inline(always)]
    pub(crate) fn plain_names(self) -> Option<&'static NameSet> {
        let names = self.child.plain_names()?;
        self.has_shard_of_parent().then_some(names)
    }

    #[inline(always)]
    fn has_shard_of_parent(self) -> bool {
        self.child.shard() == self.parent.shard()
    }

    /// The same for a child that has [`plain_names`](Self::plain_names), as most have, by the kids of
    /// its parent. Where another handle may have ended the child, these are looked for in a
    /// section, as its parent's slot may be somebody else's, with a block that knows nothing of it,
    /// or with none. `publish` sees it by the word.
    #[inline(always)]
    pub(crate) fn run_plainly(
        self,
        kids: Option<&Kids>,
        names: &'static NameSet,
        publish: impl FnOnce(Last, bool) -> Result<Reading, NotFinished>,
    ) -> Result<Folded, NotFinished> {
        let Self { child, realm, .. } = self;
        let kids = kids.ok_or(NotFinished::Already)?;
        let mut family = kids.family_of(child.order());
        let last = Last::read(child);
        let is_last = is_last(&family);
        let before = publish(last, is_last)?;
        let amounts = Amounts::of_ended(last, &names.units);
        let record = || Record::new(&self.facts(before, Some(names)), amounts, None);
        let label = child.label(realm);
        let share = (kids, self.share());
        family.fold_plainly(child, amounts, record, label, share, realm);
        Ok(Self::folded(kids, family, is_last, before))
    }

    #[inline(always)]
    fn share(self) -> Share<'static> {
        Share {
            kept: &self.tree.kept,
            pruned: &self.tree.pruned,
            bounds: self.bounds,
        }
    }

    #[inline(always)]
    fn folded(
        kids: &Kids,
        family: ShortGuard<'_, Family>,
        was_last: bool,
        before: Reading,
    ) -> Folded {
        // Only the last may touch the block afterwards, which it keeps from being given back.
        drop(family);
        let parent = match was_last {
            false => Parent::GoesOn,
            true => Parent::HasEnded {
                settles: kids.let_go(),
            },
        };
        Folded { before, parent }
    }

    /// With the names by whose units its amounts were told, as another thread may give it others.
    #[inline(always)]
    fn facts(self, reading: Reading, names: Option<&'static NameSet>) -> Facts {
        let Self { child, failed, .. } = self;
        let wall = child.wall();
        Facts {
            place: child.place(reading),
            order: child.order(),
            failed,
            abortable: child.is(ABORTABLE),
            start: match reading.has(STARTED) {
                true => wall.utc(child.start.load(Ordering::Relaxed)),
                false => NEVER,
            },
            end: wall.utc(child.end.load(Ordering::Relaxed)),
            names: names.map_or(0, |set| set.number),
        }
    }
}

/// Whether the child that is about to fold out of its family is the last, and there are no more.
#[inline(always)]
fn is_last(family: &Family) -> bool {
    family.closed && family.live() == 1
}

/// The abort that reached a child before it settled, for its record.
fn abort_of(child: &'static Slot, realm: &'static Realm) -> Option<KeptAbort> {
    let parts = child.extras(realm)?.lock();
    let wall = child.wall();
    parts.abort.as_ref().map(|mark| KeptAbort {
        text: mark.text.clone().kept(),
        at: wall.utc(mark.at),
        polls: parts.looks.polls,
        last_poll: wall.utc(parts.looks.last_poll),
    })
}

/// What a record has to carry beyond the plain facts, if anything.
fn more_of(
    child: &'static Slot,
    realm: &'static Realm,
    names: &Names,
    shown: &Shown,
    legacy: Option<Legacy>,
    shard: Option<u32>,
) -> Option<More> {
    let extras = child.extras(realm);
    let units = (shown.units != names.units).then(|| shown.units.clone());
    let label = child.label(realm);
    let is_plain = label.is_none()
        && extras.is_none()
        && legacy.is_none()
        && units.is_none()
        && shard.is_none();
    if is_plain && !child.is(USER_TASK) {
        return None;
    }
    let mut more = More {
        shard,
        units,
        user_task: child.is(USER_TASK),
        ..More::default()
    };
    if let Names::Owned(set) = names {
        more.names = Some(Arc::clone(set));
    }
    if let Some(extras) = extras {
        more.host_id = child.is(HOST_ID).then(|| extras.host_id());
        let parts = extras.lock();
        more.entity = parts.entity.clone();
        more.error = parts.error.clone();
    }
    if let Some(label) = label {
        more.entity = label.get().name();
    }
    if let Some(mut legacy) = legacy {
        // They failed in another order than that in which they are shown.
        legacy.failed.sort_unstable_by_key(|record| record.order);
        more.below = Subtree::size(&legacy.failed);
        more.children = Subtree(legacy.failed);
        more.counts = legacy.counts;
        more.first_error = legacy.first_error;
    }
    Some(more)
}

/// A parent's id that lies in its extras goes with them; who still looks at the child
/// afterwards finds a copy.
fn remember_parent(child: &'static Slot, parent: &'static Slot, realm: &'static Realm) {
    if parent.is(HOST_ID)
        && let Some(extras) = parent.extras(realm)
    {
        child.extras_or_new(realm).lock().parent_id = Some(extras.host_id());
        child.add_attribute(PARENT_ID);
    }
}
