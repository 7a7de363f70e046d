//! How much a parent and its tree may keep of children that have folded.

use crate::sync::{AtomicU64, Ordering};

/// How many records may be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) per_parent: usize,
    pub(crate) per_root: usize,
}

/// How many records a tree keeps, and may keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share<'a> {
    pub(crate) kept: &'a AtomicU64,
    /// How many failures it has kept and dropped again.
    pub(crate) pruned: &'a AtomicU64,
    pub(crate) bounds: Bounds,
}

impl Share<'_> {
    /// Takes room for so many records; the full amount or nothing.
    #[inline]
    pub(super) fn reserve(self, count: u64) -> bool {
        let most = self.bounds.per_root as u64;
        let fits = self.kept.fetch_add(count, Ordering::Relaxed) + count <= most;
        if !fits {
            self.give_back(count);
        }
        fits
    }

    /// The same, as much as there is.
    pub(super) fn reserve_some(self, count: u64) -> u64 {
        let before = self.kept.fetch_add(count, Ordering::Relaxed);
        let left = (self.bounds.per_root as u64).saturating_sub(before);
        let granted = left.min(count);
        self.give_back(count - granted);
        granted
    }

    /// How many failures go at once where there are too many: a 64th of what may be kept. To drop
    /// the deepest all above them are gone through, so a tree that goes on and on has to drop more
    /// of them at once, up to a quarter: all in all it is gone through a few times for each
    /// fourfold of what it has dropped.
    pub(super) fn step(self) -> u64 {
        let most = self.bounds.per_root as u64;
        let quarters = self.pruned.load(Ordering::Relaxed) / (most / 4).max(1);
        most / 64 * quarters.clamp(1, 16)
    }

    pub(super) fn count_pruned(self, count: u64) {
        self.pruned.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn give_back(self, count: u64) {
        self.kept.fetch_sub(count, Ordering::Relaxed);
    }
}
