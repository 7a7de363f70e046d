//! The children of a task: the live ones, what is kept of the others, and their sums.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::arena::{Held, NONE, Pooled, Realm};
use crate::node::progress::{Figures, Sums};
use crate::node::slot::Slot;
use crate::sync::{AtomicU64, Ordering, ShortGuard, ShortLock};
use crate::tree::record::{Record, Subtree, prune};
use crate::view::ChildCounts;

/// The block that only parents have; on lines of its own, as workers of other parents write
/// theirs.
#[repr(align(128))]
#[derive(Debug)]
pub(crate) struct Kids {
    number: u32,
    family: ShortLock<Family>,
}

impl Kids {
    #[inline]
    pub(crate) fn lock(&self) -> ShortGuard<'_, Family> {
        self.family.lock()
    }

    pub(crate) fn clear(&self) {
        let family = std::mem::take(&mut *self.lock());
        drop(family);
    }
}

impl Pooled for Kids {
    fn new(number: u32) -> Self {
        Self {
            number,
            family: ShortLock::default(),
        }
    }
    fn number(&self) -> u32 {
        self.number
    }
}

/// How many records may be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) per_parent: usize,
    pub(crate) per_root: usize,
}

/// Guarded by the block's lock, which makers and finishers of children take, and readers
/// for at most [`AT_ONCE`] of them. No two families are locked at once.
#[derive(Debug)]
pub(crate) struct Family {
    /// The parent has ended, or is about to: no more children.
    pub(crate) closed: bool,
    pub(crate) live: u64,
    first: u32,
    last: u32,
    next_order: u64,
    sums: Sums,
    succeeded: VecDeque<Record>,
    /// How many have left the front of `succeeded`.
    turned: u64,
    failed: Vec<Record>,
    counts: ChildCounts,
    first_error: Option<Arc<str>>,
    readers: Vec<Reader>,
    next_reader: u64,
}

impl Default for Family {
    fn default() -> Self {
        Self {
            closed: false,
            live: 0,
            first: NONE,
            last: NONE,
            next_order: 0,
            sums: Sums::default(),
            succeeded: VecDeque::new(),
            turned: 0,
            failed: Vec::new(),
            counts: ChildCounts::default(),
            first_error: None,
            readers: Vec::new(),
            next_reader: 0,
        }
    }
}

/// How many children are visited while the lock is held.
pub(crate) const AT_ONCE: usize = 1024;

/// Somebody who goes through the live children in pieces. Who folds meanwhile tells it:
/// what it has not come to yet is added to `missed`, so that nothing counts twice or never.
#[derive(Debug)]
struct Reader {
    number: u64,
    next: u32,
    missed: Sums,
}

/// What a task takes along when it folds.
pub(crate) struct Legacy {
    /// Its children's failures.
    pub(crate) failed: Vec<Record>,
    pub(crate) sums: Sums,
    pub(crate) counts: ChildCounts,
    pub(crate) first_error: Option<Arc<str>>,
}

impl Family {
    /// Links a child that nobody else knows yet.
    #[inline]
    pub(crate) fn link(&mut self, child: &'static Slot, realm: &'static Realm) {
        child.set_order(self.next_order);
        self.next_order += 1;
        self.live += 1;
        child.previous.store(self.last, Ordering::Relaxed);
        let number = child.number();
        match self.last {
            NONE => self.first = number,
            last => realm.slots.get(last).next.store(number, Ordering::Relaxed),
        }
        self.last = number;
        for reader in &mut self.readers {
            if reader.next == NONE {
                reader.next = number;
            }
        }
    }

    #[inline(always)]
    fn unlink(&mut self, child: &'static Slot, figures: Figures<'_>, realm: &'static Realm) {
        let next = child.next.load(Ordering::Relaxed);
        let previous = child.previous.load(Ordering::Relaxed);
        match previous {
            NONE => self.first = next,
            previous => realm
                .slots
                .get(previous)
                .next
                .store(next, Ordering::Relaxed),
        }
        match next {
            NONE => self.last = previous,
            next => realm
                .slots
                .get(next)
                .previous
                .store(previous, Ordering::Relaxed),
        }
        self.live -= 1;
        for reader in &mut self.readers {
            let ahead = match reader.next {
                NONE => false,
                at => realm.slots.get(at).order() <= child.order(),
            };
            if ahead {
                reader.missed.add(figures, true);
            }
            if reader.next == child.number() {
                reader.next = next;
            }
        }
    }

    /// A child has settled: its live view becomes the kept one, under one lock.
    pub(crate) fn fold(
        &mut self,
        child: &'static Slot,
        folding: Folding<'_>,
        tree_kept: &AtomicU64,
        bounds: Bounds,
        realm: &'static Realm,
    ) {
        let Folding {
            record,
            figures,
            error,
            not_kept,
        } = folding;
        self.unlink(child, figures, realm);
        self.sums.add(figures, true);
        match record.has_failed() {
            true => self.counts.failed += 1,
            false => self.counts.succeeded += 1,
        }
        self.counts.not_kept += not_kept;
        if self.first_error.is_none() {
            self.first_error = error;
        }
        match record.leads_to_failure() {
            true => self.keep_failed(record, tree_kept, bounds),
            false => self.keep_succeeded(|| record, tree_kept, bounds),
        }
    }

    /// The same for a child that succeeded and has nothing else to tell.
    #[inline(always)]
    pub(crate) fn fold_plainly(
        &mut self,
        child: &'static Slot,
        figures: Figures<'_>,
        record: impl FnOnce() -> Record,
        tree_kept: &AtomicU64,
        bounds: Bounds,
        realm: &'static Realm,
    ) {
        self.unlink(child, figures, realm);
        self.sums.add(figures, true);
        self.counts.succeeded += 1;
        self.keep_succeeded(record, tree_kept, bounds);
    }

    /// The record is made where it stays.
    #[inline(always)]
    fn keep_succeeded(
        &mut self,
        record: impl FnOnce() -> Record,
        tree_kept: &AtomicU64,
        bounds: Bounds,
    ) {
        // The ring turns: those that finished last are kept.
        if self.succeeded.len() >= bounds.per_parent
            && let Some(oldest) = self.succeeded.front_mut()
        {
            oldest.forget_more();
            *oldest = record();
            self.succeeded.rotate_left(1);
            self.turned += 1;
            self.counts.not_kept += 1;
            return;
        }
        self.keep_one_more(record(), tree_kept, bounds);
    }

    #[cold]
    fn keep_one_more(&mut self, record: Record, tree_kept: &AtomicU64, bounds: Bounds) {
        let fits = bounds.per_parent > 0 && reserve(tree_kept, 1, bounds);
        if !fits {
            self.counts.not_kept += 1;
            if !self.drop_oldest() {
                return;
            }
        }
        self.succeeded.push_back(record);
    }

    fn drop_oldest(&mut self) -> bool {
        let dropped = self.succeeded.pop_front().is_some();
        self.turned += u64::from(dropped);
        dropped
    }

    fn keep_failed(&mut self, record: Record, tree_kept: &AtomicU64, bounds: Bounds) {
        let size = record.size();
        if self.failed.len() >= bounds.per_parent {
            self.counts.not_kept += size;
            return;
        }
        self.failed.push(record);
        let mut missing = size - reserve_some(tree_kept, size, bounds);
        // Failures are worth more than successes, shallow ones more than deep ones, and
        // those that failed first more than the last.
        while missing > 0 && self.drop_oldest() {
            self.counts.not_kept += 1;
            missing -= 1;
        }
        if missing > 0 {
            // A good number at once, so that a tree whose failures go on and on is not
            // gone through for each of them; the room of the others is given back.
            let more = missing.max(bounds.per_root as u64 / 64);
            let dropped = prune(&mut self.failed, more);
            self.counts.not_kept += dropped;
            tree_kept.fetch_sub(dropped - missing, Ordering::Relaxed);
        }
    }

    /// What the parent itself takes along when it folds. What was kept of those that
    /// succeeded is dropped with the block; the caller gives the room back to the tree.
    pub(crate) fn bequeath(&self) -> Legacy {
        Legacy {
            failed: self.failed.clone(),
            sums: self.sums.clone(),
            counts: self.counts,
            first_error: self.first_error.clone(),
        }
    }

    /// How many records it keeps, all levels counted.
    pub(crate) fn size(&self) -> u64 {
        self.succeeded.len() as u64 + Subtree::size(&self.failed)
    }

    /// Copies the next kept records, as many as may be under one lock; where to go on, or
    /// `None` when there are no more.
    pub(crate) fn copy_kept(&self, from: Position, into: &mut Vec<Record>) -> Option<Position> {
        match from {
            Position::Succeeded(at) => {
                let skip = at.saturating_sub(self.turned) as usize;
                into.extend(self.succeeded.iter().skip(skip).take(AT_ONCE).cloned());
                let next = self.turned + (skip + AT_ONCE) as u64;
                Some(match next < self.turned + self.succeeded.len() as u64 {
                    true => Position::Succeeded(next),
                    false => Position::Failed(0),
                })
            }
            Position::Failed(at) => {
                into.extend(self.failed.iter().skip(at).take(AT_ONCE).cloned());
                let next = at + AT_ONCE;
                (next < self.failed.len()).then_some(Position::Failed(next))
            }
        }
    }

    pub(crate) fn counts(&self) -> ChildCounts {
        ChildCounts {
            live: self.live,
            ..self.counts
        }
    }

    pub(crate) fn first_error(&self) -> Option<Arc<str>> {
        self.first_error.clone()
    }

    /// Starts going through the live children. What has folded so far, and the reader's number.
    pub(crate) fn start_reading(&mut self) -> (Sums, u64) {
        self.next_reader += 1;
        self.readers.push(Reader {
            number: self.next_reader,
            next: self.first,
            missed: Sums::default(),
        });
        (self.sums.clone(), self.next_reader)
    }

    /// Visits the next live children, as many as may be visited under one lock; `false`
    /// when there are no more.
    pub(crate) fn read_on(
        &mut self,
        reader: u64,
        realm: &'static Realm,
        mut visit: impl FnMut(&'static Slot),
    ) -> bool {
        let Some(reader) = self.readers.iter_mut().find(|r| r.number == reader) else {
            return false;
        };
        for _ in 0..AT_ONCE {
            if reader.next == NONE {
                return false;
            }
            let child = realm.slots.get(reader.next);
            visit(child);
            reader.next = child.next.load(Ordering::Relaxed);
        }
        true
    }

    /// Ends a reading; what has folded before the reader came to it.
    pub(crate) fn stop_reading(&mut self, reader: u64) -> Sums {
        match self.readers.iter().position(|r| r.number == reader) {
            Some(at) => self.readers.swap_remove(at).missed,
            None => Sums::default(),
        }
    }
}

/// How far a copy of the kept records has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Position {
    Succeeded(u64),
    Failed(usize),
}

/// A child on its way into its parent.
pub(crate) struct Folding<'a> {
    pub(crate) record: Record,
    pub(crate) figures: Figures<'a>,
    /// The first error below it, which has folded before, or its own.
    pub(crate) error: Option<Arc<str>>,
    /// Descendants that its own record counts but does not keep.
    pub(crate) not_kept: u64,
}

/// Takes room for records out of the tree's share; the full amount or nothing.
#[inline]
fn reserve(kept: &AtomicU64, count: u64, bounds: Bounds) -> bool {
    if kept.fetch_add(count, Ordering::Relaxed) + count <= bounds.per_root as u64 {
        return true;
    }
    kept.fetch_sub(count, Ordering::Relaxed);
    false
}

/// The same, as much as there is.
fn reserve_some(kept: &AtomicU64, count: u64, bounds: Bounds) -> u64 {
    let before = kept.fetch_add(count, Ordering::Relaxed);
    let granted = (bounds.per_root as u64).saturating_sub(before).min(count);
    kept.fetch_sub(count - granted, Ordering::Relaxed);
    granted
}

/// A child of a task, as a walk finds it.
#[derive(Debug)]
pub(crate) enum Child {
    Live(Held),
    Kept(Record),
}

impl Child {
    pub(crate) fn order(&self) -> u64 {
        match self {
            Self::Live(held) => held.slot().order(),
            Self::Kept(record) => record.order,
        }
    }
}
