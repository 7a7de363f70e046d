//! Which settled roots go first when they take too much: the oldest of the least valued. Knows no
//! tree.

use std::collections::VecDeque;

use crate::id::Place;

/// What a settled root is worth, by who started it and how it has ended; the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worth {
    Success,
    UsersSuccess,
    Failure,
    UsersFailure,
}

const WORTHS: usize = Worth::UsersFailure as usize + 1;

impl Worth {
    pub(crate) fn of(is_users: bool, has_failed: bool) -> Self {
        match (is_users, has_failed) {
            (false, false) => Self::Success,
            (true, false) => Self::UsersSuccess,
            (false, true) => Self::Failure,
            (true, true) => Self::UsersFailure,
        }
    }
}

/// Those that are kept, in the order in which they go.
#[derive(Debug, Default)]
pub(crate) struct Evictions {
    /// Of each [`Worth`] in the order in which they settled; none before the first.
    queues: Vec<VecDeque<(Place, u64)>>,
    len: usize,
    /// Entries whose root has gone otherwise.
    stale: usize,
    /// The bytes of those that were taken off here and are still counted elsewhere.
    leaving: u64,
}

impl Evictions {
    pub(crate) fn push(&mut self, worth: Worth, place: Place, bytes: u64) {
        if self.queues.is_empty() {
            self.queues.resize_with(WORTHS, VecDeque::new);
        }
        self.queues[worth as usize].push_back((place, bytes));
        self.len += 1;
    }

    /// Takes the next off if all that are kept take more than `most`. Once its root has gone, or
    /// is found to have, the bytes are given to [`has_left`](Self::has_left): till then they count
    /// as gone, so that of several threads none takes more than has to go.
    pub(crate) fn pop_beyond(&mut self, most: u64, kept: u64) -> Option<(Place, u64)> {
        if kept.saturating_sub(self.leaving) <= most {
            return None;
        }
        let next = self.queues.iter_mut().find_map(VecDeque::pop_front)?;
        self.len -= 1;
        self.leaving += next.1;
        Some(next)
    }

    pub(crate) fn has_left(&mut self, bytes: u64) {
        self.leaving -= bytes;
    }

    /// A root has gone otherwise. When most have, their entries are swept.
    pub(crate) fn forget_one(&mut self, still_kept: impl Fn(Place) -> bool) {
        self.stale += 1;
        if self.stale > 64 && self.stale * 2 > self.len {
            for queue in &mut self.queues {
                queue.retain(|entry| still_kept(entry.0));
                queue.shrink_to_fit();
            }
            self.len = self.queues.iter().map(VecDeque::len).sum();
            self.stale = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(slot: u32) -> Place {
        Place {
            slot,
            generation: 1,
        }
    }

    #[test]
    fn ttl_7_those_that_are_on_their_way_out_count_as_gone() {
        let mut evictions = Evictions::default();
        for slot in 0..4 {
            evictions.push(Worth::Success, place(slot), 10);
        }
        assert_eq!(evictions.pop_beyond(30, 40), Some((place(0), 10)));
        assert_eq!(evictions.pop_beyond(30, 40), None);
        evictions.has_left(10);
        assert_eq!(evictions.pop_beyond(30, 40), Some((place(1), 10)));
    }

    #[test]
    fn ttl_7_entries_of_roots_that_have_gone_do_not_pile_up() {
        let mut evictions = Evictions::default();
        let mut sweeps = Vec::new();
        for slot in 0..10_000 {
            let worth = Worth::of(slot % 2 == 0, slot % 3 == 0);
            evictions.push(worth, place(slot), 1);
            if slot >= 10 {
                let asked = std::cell::Cell::new(false);
                evictions.forget_one(|place| {
                    asked.set(true);
                    place.slot < 10
                });
                sweeps.extend(asked.get().then_some(slot));
            }
            let left: usize = evictions.queues.iter().map(VecDeque::len).sum();
            assert!(left <= 10 + 65, "{left} entries for 10 roots");
            assert_eq!(left, evictions.len);
        }
        assert!(sweeps.len() < 10_000 / 60, "{} sweeps", sweeps.len());
    }
}
