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

    pub(super) fn give_back(self, count: u64) {
        self.kept.fetch_sub(count, Ordering::Relaxed);
    }
}
