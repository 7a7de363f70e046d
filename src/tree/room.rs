//! How much a parent and its tree may keep of children that have folded.

use crate::sync::{AtomicU64, Ordering};

/// How many records may be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) per_parent: usize,
    pub(crate) per_root: usize,
}

/// How many records of children that succeeded a family may keep.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    pub(super) records: u32,
    /// How many that it does not keep yet the tree's share has been reduced by already.
    pub(super) granted: u32,
}

impl Room {
    pub(crate) fn add(&mut self, other: Self) {
        self.records += other.records;
        self.granted += other.granted;
    }

    pub(super) fn take_granted(&mut self) -> bool {
        let some = self.granted > 0;
        self.granted -= u32::from(some);
        some
    }
}

/// Takes room for records out of the tree's share; the full amount or nothing.
#[inline]
pub(super) fn reserve(kept: &AtomicU64, count: u64, bounds: Bounds) -> bool {
    if kept.fetch_add(count, Ordering::Relaxed) + count <= bounds.per_root as u64 {
        return true;
    }
    kept.fetch_sub(count, Ordering::Relaxed);
    false
}

/// The same, as much as there is.
pub(super) fn reserve_some(kept: &AtomicU64, count: u64, bounds: Bounds) -> u64 {
    let before = kept.fetch_add(count, Ordering::Relaxed);
    let granted = (bounds.per_root as u64).saturating_sub(before).min(count);
    kept.fetch_sub(count - granted, Ordering::Relaxed);
    granted
}
