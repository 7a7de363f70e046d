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

use crate::arena::Realm;
use crate::node::extras::AbortMark;
use crate::node::slot::Slot;
use crate::node::word::{ABORT, SETTLED, WAS_ABORTED};
use crate::sync::{AtomicU64, Ordering};
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
        let found = tree.may_be_aborted() && find_mark(slot, realm).is_some();
        // The loads before are acquires, so this look is not made before them.
        at_end().unwrap_or(found)
    })
}

/// The nearest task, from here to the root, that was told to abort.
pub(crate) fn find_mark(slot: &'static Slot, realm: &'static Realm) -> Option<&'static Slot> {
    let mut at = slot;
    loop {
        if at.word.load().has(ABORT) {
            return Some(at);
        }
        at = at.parent(realm)?;
    }
}

/// The reason of the abort that reaches the task.
pub(crate) fn mark_of(slot: &'static Slot, realm: &'static Realm) -> Option<AbortMark> {
    let own = || {
        slot.extras(realm)
            .and_then(|extras| extras.lock().abort.clone())
    };
    if slot.word.load().has(SETTLED) {
        return own();
    }
    let marked = find_mark(slot, realm)?;
    let mark = marked
        .extras(realm)
        .and_then(|extras| extras.lock().abort.clone());
    match slot.word.load().has(SETTLED) {
        true => own(),
        false => mark,
    }
}

/// What a handle knows about aborts in its tree: the epoch that it saw last.
#[derive(Debug)]
pub(crate) struct Seen(AtomicU64);

/// No tree's epoch: the first check looks.
const NOTHING: u64 = 0;

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
    tree.hooks
        .call(|slot| everybody || find_mark(slot, realm).is_some());
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use crate::Manager;

    #[test]
    fn abort_5_who_looks_more_often_than_is_counted_shows_the_most() {
        let manager = Manager::builder().build().unwrap();
        let module = manager.register_module("repair").unwrap();
        let task = module.task("repair").start().unwrap();
        task.abort("enough").unwrap();
        let polls = &task.task.slot.polls;
        polls.store(u32::MAX - 1, Ordering::Relaxed);
        for _ in 0..3 {
            assert!(task.abort_requested());
            let shown = task.status().unwrap().abort.unwrap();
            assert_eq!(shown.polls, u32::MAX);
        }
    }

    #[test]
    fn a_tree_that_nobody_aborted_never_climbs_whatever_had_its_block() {
        let manager = Manager::builder().build().unwrap();
        let module = manager.register_module("repair").unwrap();
        for _ in 0..100 {
            let root = module.task("repair").start().unwrap();
            let tree = root.task.tree;
            let child = root.child("part").start().unwrap();
            assert!(!tree.may_be_aborted() && child.seen.is_current(tree));
            root.abort("enough").unwrap();
            assert!(tree.may_be_aborted() && child.abort_requested());
            assert!(root.child("part").create().unwrap().abort_requested());
        }
    }
}
