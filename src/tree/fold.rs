//! Folding: a settled child becomes a part of its parent.

use std::sync::Arc;

use crate::arena::{NONE, Realm};
use crate::clock::NEVER;
use crate::names::{NameSet, Names};
use crate::node::progress::{Own, Shown, Sums};
use crate::node::slot::{ABORTABLE, HOST_ID, PARENT_ID, Slot, USER_TASK};
use crate::node::word::{NotFinished, Reading, STARTED};
use crate::sync::Ordering;
use crate::tree::kids::{Bounds, Folding, Legacy};
use crate::tree::record::{Facts, KeptAbort, More, Record, Subtree};
use crate::tree::root::Tree;

/// What a fold has brought about.
pub(crate) struct Folded {
    /// The word before the transition that went with it.
    pub(crate) before: Reading,
    /// The parent has ended before, and this was its last child: it has settled too.
    pub(crate) parent_settles: bool,
}

/// Folds a child whose own children have all folded. `publish` changes its word while the
/// family is locked, so that live and kept view switch at once; if it fails nothing happened.
#[inline]
pub(crate) fn fold(
    child: &'static Slot,
    parent: &'static Slot,
    tree: &'static Tree,
    realm: &'static Realm,
    bounds: Bounds,
    failed: bool,
    publish: impl FnOnce() -> Result<Reading, NotFinished>,
) -> Result<Folded, NotFinished> {
    let (folding, room) = prepare(child, realm, failed);
    if parent.is(HOST_ID) {
        remember_parent(child, parent, realm);
    }
    let kids = parent.kids(realm).expect("a parent has a block of kids");
    let mut family = kids.lock();
    let before = publish()?;
    if room > 0 {
        tree.kept.fetch_sub(room, Ordering::Relaxed);
    }
    family.fold(child, folding, &tree.kept, bounds, realm);
    Ok(Folded {
        before,
        parent_settles: family.closed && family.live == 0,
    })
}

/// The record of a child that settles, and the room that its own records had.
#[inline]
fn prepare(child: &'static Slot, realm: &'static Realm, failed: bool) -> (Folding, u64) {
    let reading = child.word.load();
    match child.plain_names(realm) {
        Some(names) => (plain(child, reading, names, failed), 0),
        None => full(child, realm, reading, failed),
    }
}

/// A child that had nothing but its names and figures, as most have.
#[inline]
fn plain(child: &'static Slot, reading: Reading, names: &'static NameSet, failed: bool) -> Folding {
    let own = Own::plain(child, names.units.clone());
    let shown = Shown::of_leaf(own, true);
    let record = Record::new(&facts(child, reading, failed), &shown, None);
    Folding {
        record,
        shown,
        error: None,
        not_kept: 0,
    }
}

#[inline]
fn facts(child: &'static Slot, reading: Reading, failed: bool) -> Facts {
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
        names: child.names_number(),
        shard: child.shard(),
    }
}

#[cold]
fn full(
    child: &'static Slot,
    realm: &'static Realm,
    reading: Reading,
    failed: bool,
) -> (Folding, u64) {
    let names = child.names(realm);
    let (legacy, room) = match child.kids(realm) {
        Some(kids) => {
            let family = kids.lock();
            (Some(family.bequeath()), family.size())
        }
        None => (None, 0),
    };
    let own = Own::read(child, realm, reading, names.units.clone());
    let no_children = Sums::default();
    let sums = legacy.as_ref().map_or(&no_children, |legacy| &legacy.sums);
    let shown = Shown::of(own, sums, true);
    let more = more_of(child, realm, &names, &shown, legacy);
    let error = more
        .as_ref()
        .and_then(|m| m.first_error.clone().or_else(|| m.error.clone()));
    let not_kept = more.as_ref().map_or(0, |m| m.counts.not_kept);
    let record = Record::new(&facts(child, reading, failed), &shown, more);
    (
        Folding {
            record,
            shown,
            error,
            not_kept,
        },
        room,
    )
}

/// What a record has to carry beyond the plain facts, if anything.
fn more_of(
    child: &'static Slot,
    realm: &'static Realm,
    names: &Names,
    shown: &Shown,
    legacy: Option<Legacy>,
) -> Option<More> {
    let extras = child.extras(realm);
    let units = (shown.units != names.units).then(|| shown.units.clone());
    if extras.is_none() && legacy.is_none() && units.is_none() && !child.is(USER_TASK) {
        return None;
    }
    let mut more = More {
        units,
        user_task: child.is(USER_TASK),
        ..More::default()
    };
    if child.names_number() == NONE
        && let Names::Owned(set) = names
    {
        more.names = Some(Arc::clone(set));
    }
    if let Some(extras) = extras {
        let parts = extras.lock();
        more.host_id = parts.host_id;
        more.entity = parts.entity.clone();
        more.error = parts.error.clone();
        more.abort = parts.abort.as_ref().map(|mark| KeptAbort {
            reason: Arc::clone(&mark.reason),
            at: child.wall().utc(mark.at),
            polls: child.polls.load(Ordering::Relaxed),
            last_poll: child.wall().utc(child.last_poll.load(Ordering::Relaxed)),
        });
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
    let id = parent
        .extras(realm)
        .and_then(|extras| extras.lock().host_id);
    if id.is_some() {
        child.extras_or_new(realm).lock().parent_id = id;
        child.add_attribute(PARENT_ID);
    }
}
