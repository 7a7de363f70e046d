//! The reach of an abort: it marks one task, and whoever is below finds the mark.
//!
//! An abort sets a flag in the word of the task that it names and then raises the epoch of
//! the tree. A check compares the epoch with the one that its handle saw last: one load of
//! a line that nobody writes. Only when it moved does the check climb the ancestors' words.
//! Nothing is copied downwards, so nothing can escape: a handle that is born later has seen
//! the epoch before the tree's first abort, and climbs at its first check if there was one;
//! in a tree that nobody aborted nobody climbs. Only tasks that are to be called, or that sleep
//! in a checkpoint, are on a list, which the aborter goes through after it has set the mark,
//! and which they enter, under the same lock, after looking for one.

use crate::arena::{Held, Numbered, Realm};
use crate::node::extras::{AbortMark, Extras};
use crate::node::slot::Slot;
use crate::node::word::{ABORT, KIDS, SETTLED, WAS_ABORTED};
use crate::sync::{AtomicU64, Ordering, sized};
use crate::tree::hooks::Hooks;
use crate::tree::root::Tree;

/// Whether an abort reaches the task: its own, or an ancestor's.
///
/// A task that has not settled pins its ancestors and its tree; whoever holds no more than a
/// reference may see it settle meanwhile, and then the answer is the one frozen at its end.
pub(crate) fn reaches(slot: &'static Slot, tree: &Tree, realm: &'static Realm) -> bool {
    let at_end = || {
        let now = slot.word.load();
        now.has(SETTLED).then(|| now.has(ABORT | WAS_ABORTED))
    };
    at_end().unwrap_or_else(|| {
        let found = tree.may_be_aborted() && find_mark(slot, tree, realm).is_some();
        // The loads before are acquires, so this look is not made before them.
        at_end().unwrap_or(found)
    })
}

/// The nearest task, from here to the root, that was told to abort, or that ended because of
/// an abort from above: its extras have the mark.
///
/// A climb of more than [`NEAR`] steps leaves what it has found at [milestones](is_milestone) on
/// its way, so that those that come after it need not go as far: whatever the depth of the tree,
/// it is gone through once for each abort, and each of its tasks then climbs a few steps.
pub(crate) fn find_mark(
    slot: &'static Slot,
    tree: &Tree,
    realm: &'static Realm,
) -> Option<&'static Slot> {
    // Read before the words: where no mark is found there was none at this epoch.
    let epoch = tree.epoch();
    let (mut at, mut steps) = (slot, 0);
    let found = loop {
        let word = at.word.load();
        if word.has(ABORT | WAS_ABORTED) {
            break Some(at);
        }
        if word.generation() == 0 {
            // Its memory went back: who comes here is too late, and would be led in a circle.
            break None;
        }
        if steps > NEAR
            && is_milestone(at)
            && let Some(known) = known_at(at, epoch, realm)
        {
            break known;
        }
        match at.parent(realm) {
            Some(parent) => at = parent,
            None => break None,
        }
        steps += 1;
    };
    #[cfg(all(test, not(loom)))]
    STEPS.with(|all| all.set(all.get() + steps));
    if steps > NEAR {
        leave(slot, Finding::of(found, epoch), realm);
    }
    found
}

/// So far a climb neither looks for what others have left nor leaves anything: most trees are no
/// deeper.
const NEAR: usize = sized(16, 1);

/// One of so many ancestors, by its number, keeps what a climb that comes by has found.
const SPACING: u32 = sized(16, 1) as u32;

/// Numbers are spread, as those of a chain may lie evenly apart.
#[inline]
fn is_milestone(slot: &Slot) -> bool {
    let spread = u64::from(slot.number().wrapping_mul(0x9e37_79b9));
    (spread * u64::from(SPACING)) >> u32::BITS == 0
}

/// What climbs have found at a parent and above it.
#[derive(Debug, Default)]
pub(crate) struct Findings(AtomicU64);

/// In one word: the number of a task with a mark, or the epoch at which there was none. No tree
/// has the epoch 0, nor one as high as the flag.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Finding(u64);

const MARKED: u64 = 1 << 63;

impl Finding {
    fn of(found: Option<&'static Slot>, epoch: u64) -> Self {
        Self(found.map_or(epoch, |marked| MARKED | u64::from(marked.number())))
    }
}

impl Findings {
    /// Nothing, for the next parent.
    pub(crate) fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// What is known at this epoch: a mark stays, that there is none is true until the next abort.
    /// Acquire: who is led to a mark sees its reason.
    fn at(&self, epoch: u64, realm: &'static Realm) -> Option<Option<&'static Slot>> {
        match self.0.load(Ordering::Acquire) {
            left if left & MARKED != 0 => Some(Some(realm.slots.get((left & !MARKED) as u32))),
            left if left == epoch => Some(None),
            _ => None,
        }
    }
}

/// What others have found who came by this ancestor, at this epoch.
fn known_at(
    milestone: &'static Slot,
    epoch: u64,
    realm: &'static Realm,
) -> Option<Option<&'static Slot>> {
    // The climber's own task may have settled meanwhile, and so may all above it.
    let section = realm.sections.enter();
    let kids = milestone.find_kids(realm, &section)?;
    kids.above.at(epoch, realm)
}

/// Goes the way of a climb again, and leaves what that has found.
///
/// An ancestor is written to under a reference, as it may be another task by the time: its
/// generation is read first, then that the task which pins it has not settled yet. One that is
/// unsettled still has the same ancestors.
#[cold]
fn leave(slot: &'static Slot, finding: Finding, realm: &'static Realm) {
    let (mut at, mut steps) = (slot, 0);
    while let Some(parent) = at.parent(realm) {
        at = parent;
        steps += 1;
        if steps <= NEAR {
            continue;
        }
        let ancestor = at.word.load();
        if slot.word.load().has(SETTLED) || ancestor.has(ABORT | WAS_ABORTED) {
            return;
        }
        if !is_milestone(at) {
            continue;
        }
        let Some(held) = Held::acquire_without(at, ancestor.generation(), SETTLED) else {
            return;
        };
        let Some(kids) = held.slot().kids(realm) else {
            continue;
        };
        if kids.above.0.load(Ordering::Relaxed) == finding.0 {
            return;
        }
        kids.above.0.store(finding.0, Ordering::Release);
    }
}

// How many steps the climbs of this thread have taken.
#[cfg(all(test, not(loom)))]
std::thread_local! {
    pub(crate) static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The reason of the abort that reaches the task.
pub(crate) fn mark_of(
    slot: &'static Slot,
    tree: &Tree,
    realm: &'static Realm,
) -> Option<AbortMark> {
    if slot.word.load().has(SETTLED) {
        return own_mark(slot, realm);
    }
    let mark = own_mark(find_mark(slot, tree, realm)?, realm);
    match slot.word.load().has(SETTLED) {
        true => own_mark(slot, realm),
        false => mark,
    }
}

/// The reason of the abort of this very task, or of the one that it ended with.
pub(crate) fn own_mark(slot: &'static Slot, realm: &'static Realm) -> Option<AbortMark> {
    // Whoever was led here may be too late.
    slot.look_at_extras(realm, |extras| extras.lock().abort.clone())?
}

/// What a handle knows about aborts in its tree: the epoch that it saw last.
#[derive(Debug)]
pub(crate) struct Seen(AtomicU64);

/// No epoch, neither a tree's nor that of memory that went back: the first check looks.
const NOTHING: u64 = u64::MAX;

impl Seen {
    /// What a new handle of a task knows: that nobody was aborted before the tree's first
    /// abort.
    #[inline]
    pub(crate) fn nothing_yet(slot: &'static Slot, tree: &Tree) -> Self {
        let first = tree.first_epoch();
        // The block of a task that has settled may be another tree's by now. Looked for after
        // the epoch was read: whoever has not settled by then has read its own tree's.
        let seen = match slot.word.load().has(SETTLED) {
            true => NOTHING,
            false => first,
        };
        Self(AtomicU64::new(seen))
    }

    #[inline]
    pub(crate) fn at(epoch: u64) -> Self {
        Self(AtomicU64::new(epoch))
    }

    /// What another handle knew here gives way to what a new one knows.
    #[inline]
    pub(crate) fn set(&self, new: &Self) {
        self.0.store(new.epoch(), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Two loads: a line that nobody writes, and the handle's own.
    #[inline]
    pub(crate) fn is_current(&self, tree: &Tree) -> bool {
        tree.epoch() == self.0.load(Ordering::Relaxed)
    }

    /// The check after the epoch has moved.
    #[cold]
    pub(crate) fn look(&self, slot: &'static Slot, tree: &Tree, realm: &'static Realm) -> bool {
        // After a fork the ancestors are a dead copy, in which no abort arrives any more.
        if realm.is_forked() {
            return false;
        }
        loop {
            let epoch = tree.epoch();
            if reaches(slot, tree, realm) {
                return true;
            }
            // The words were read after this epoch was; if it still stands, no abort has
            // returned in between, and none has to be seen.
            if tree.epoch() == epoch {
                self.0.store(epoch, Ordering::Relaxed);
                return false;
            }
        }
    }
}

/// Marks the task and raises the epoch; `false`, and nothing has happened, if it has settled.
/// `because` is the reason, unless it has one, as the first one wins.
pub(crate) fn mark(
    slot: &'static Slot,
    tree: &Tree,
    realm: &'static Realm,
    because: impl FnOnce() -> AbortMark,
) -> bool {
    {
        // Who finds the mark finds its reason under this lock, and there is none without a mark.
        let mut parts = slot.extras_or_new(realm).lock();
        if !slot.word.request_abort() {
            return false;
        }
        parts.abort.get_or_insert_with(because);
    }
    tree.raise_epoch();
    true
}

/// Calls everybody in the tree whom the abort of a task reaches, or another one.
pub(crate) fn call_hooks(aborted: &'static Slot, tree: &Tree, realm: &'static Realm) {
    // Whoever is on the list has not settled, so its ancestors are there to climb; and the
    // root, which the caller holds, is everybody's.
    let everybody = aborted.is_root();
    let Some(hooks) = Hooks::find(aborted, realm) else {
        return;
    };
    if aborted.word.load().has(KIDS) {
        return hooks.call(|slot| everybody || find_mark(slot, tree, realm).is_some());
    }
    // Nobody is below it, and who is born there from now on finds the mark: those of many tasks are
    // not gone through for each of them.
    let own = |extras: &Extras| extras.lock().aborts.clone();
    hooks.call_each(aborted.extras(realm).map(own).unwrap_or_default());
}

#[cfg(test)]
mod tests;
