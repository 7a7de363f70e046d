//! What all tasks of one tree share.

use crate::arena::{Numbered, Pooled, Reclaimed};
use crate::clock::{NEVER, Tick};
use crate::node::text::Budget;
use crate::sync::{AllAtomic, AtomicU32, AtomicU64, CachePadded, Ordering};

/// The block of a tree, which its root holds for as long as it lives.
#[derive(Debug)]
pub(crate) struct Tree {
    /// On a line of its own: every check of every worker reads it, and only an abort writes it.
    epochs: CachePadded<Epochs>,
    number: AtomicU32,
    /// When the settled root is forgotten.
    deadline: AtomicU64,
    /// What the settled root takes with all that it keeps, for as long as it is counted.
    bytes: AtomicU64,
    /// Records of folded tasks that the whole tree keeps.
    pub(crate) kept: AtomicU64,
    /// How many failures it has kept and dropped again.
    pub(crate) pruned: AtomicU64,
    /// The texts of those.
    pub(crate) texts: Budget,
}

#[derive(Debug)]
struct Epochs {
    /// Grows with every abort in the tree, and goes on growing through all trees that use
    /// this block, so that a figure seen in one tree is never seen in another. One abort a
    /// nanosecond would take 584 years to come round.
    now: AtomicU64,
    /// The epoch at the root's birth, when there was nothing to see.
    first: AtomicU64,
}

impl Pooled for Tree {
    fn new(number: u32) -> Self {
        Self {
            epochs: CachePadded::new(Epochs {
                now: AtomicU64::new(1),
                first: AtomicU64::new(1),
            }),
            number: AtomicU32::new(number),
            deadline: AtomicU64::new(NEVER),
            bytes: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            pruned: AtomicU64::new(0),
            texts: Budget::default(),
        }
    }
}

impl Numbered for Tree {
    fn number(&self) -> u32 {
        self.number.load(Ordering::Relaxed)
    }

    fn renew(&self, number: u32, epoch: u64) {
        self.number.store(number, Ordering::Relaxed);
        // Beyond all that anybody has seen in it.
        self.epochs.now.store(epoch + 1, Ordering::Relaxed);
    }
}

impl Reclaimed for Tree {
    fn may_go(&self) -> bool {
        self.texts.is_unused()
    }

    fn mark(&self) -> u64 {
        self.epoch()
    }
}

// SAFETY: its fields are atomics, and the budget's inside is.
#[allow(unsafe_code)]
unsafe impl AllAtomic for Tree {
    #[cfg(all(test, any(loom, shuttle)))]
    fn blank(&self) {
        self.epochs.now.store(0, Ordering::Relaxed);
        self.epochs.first.store(0, Ordering::Relaxed);
        self.number.store(0, Ordering::Relaxed);
        self.deadline.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.kept.store(0, Ordering::Relaxed);
        self.pruned.store(0, Ordering::Relaxed);
    }
}

impl Tree {
    pub(crate) fn prepare(&self) {
        self.deadline.store(NEVER, Ordering::Relaxed);
        self.kept.store(0, Ordering::Relaxed);
        self.pruned.store(0, Ordering::Relaxed);
        // No task of this tree has been aborted yet. An aborter in the tree before may be late
        // to raise the epoch; then somebody looks in vain.
        let now = self.epochs.now.load(Ordering::Relaxed);
        self.epochs.first.store(now, Ordering::Release);
    }

    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        self.epochs.now.load(Ordering::Acquire)
    }

    /// The epoch before any abort in the tree. Acquire, with the store at the root's birth:
    /// whoever reads that of another tree sees that the task it came for has settled.
    #[inline]
    pub(crate) fn first_epoch(&self) -> u64 {
        self.epochs.first.load(Ordering::Acquire)
    }

    /// Whether any task of the tree may have been aborted.
    #[inline]
    pub(crate) fn may_be_aborted(&self) -> bool {
        self.epoch() != self.first_epoch()
    }

    /// Release: whoever sees the new epoch sees the mark on the task that was aborted.
    pub(crate) fn raise_epoch(&self) {
        self.epochs.now.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn deadline(&self) -> Tick {
        self.deadline.load(Ordering::Acquire)
    }

    /// The root has settled, and is counted from now on.
    pub(crate) fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Release);
    }

    /// It is counted no more: what it took, for one of all who ask.
    pub(crate) fn take_bytes(&self) -> u64 {
        // Most were never counted.
        match self.bytes.load(Ordering::Acquire) {
            0 => 0,
            _ => self.bytes.swap(0, Ordering::AcqRel),
        }
    }

    pub(crate) fn set_deadline(&self, deadline: Tick) {
        self.deadline.store(deadline, Ordering::Release);
    }
}
