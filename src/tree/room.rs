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

    /// Gives away what is free beside so many records, at most so much.
    pub(super) fn split_off(&mut self, kept: u32, most: u32) -> Self {
        let records = self.records.saturating_sub(kept).min(most);
        let granted = self.granted.min(records);
        self.records -= records;
        self.granted -= granted;
        Self { records, granted }
    }

    pub(super) fn take_granted(&mut self) -> bool {
        let some = self.granted > 0;
        self.granted -= u32::from(some);
        some
    }
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn fold_4_room_that_goes_to_another_family_is_not_kept_as_well() {
        for (kept, most) in [(0, 10), (80, 50), (95, 50), (100, 50), (80, 5)] {
            let mut room = Room {
                records: 100,
                granted: 10,
            };
            let mut given = room.split_off(kept, most);
            assert!(given.records <= most && room.records >= kept.min(100));
            given.add(room);
            assert_eq!((given.records, given.granted), (100, 10), "{kept} {most}");
        }
    }
}
