//! Until when finished roots are kept: deadlines of places, and nothing of trees.

use std::collections::VecDeque;

use crate::clock::Tick;
use crate::id::Place;

/// A queue by deadline. Roots settle in order of time and a manager has few TTLs, so the
/// deadlines come as a few rising runs: one queue for each, and no heap.
#[derive(Debug, Default)]
pub(crate) struct Retention {
    runs: Vec<VecDeque<(Tick, Place)>>,
    /// Entries whose root was taken or drained before its time.
    stale: usize,
    len: usize,
}

impl Retention {
    /// `true` if this is now the next to expire.
    pub(crate) fn push(&mut self, deadline: Tick, place: Place) -> bool {
        let is_next = self.next().is_none_or(|next| deadline < next);
        self.len += 1;
        let fits = |run: &&mut VecDeque<(Tick, Place)>| run.back().is_none_or(|b| b.0 <= deadline);
        match self.runs.iter_mut().find(fits) {
            Some(run) => run.push_back((deadline, place)),
            None => self.runs.push(VecDeque::from([(deadline, place)])),
        }
        is_next
    }

    pub(crate) fn next(&self) -> Option<Tick> {
        self.runs
            .iter()
            .filter_map(|run| run.front())
            .map(|entry| entry.0)
            .min()
    }

    /// Takes up to `count` of those whose time has come.
    pub(crate) fn pop_expired(&mut self, now: Tick, count: usize, into: &mut Vec<Place>) {
        for run in &mut self.runs {
            while into.len() < count && run.front().is_some_and(|entry| entry.0 <= now) {
                into.extend(run.pop_front().map(|entry| entry.1));
                self.len -= 1;
            }
        }
        self.runs.retain(|run| !run.is_empty());
    }

    /// An entry has lost its root. When most have, they are swept, so that a long TTL does
    /// not keep entries of roots that were read long ago.
    pub(crate) fn forget_one(&mut self, still_kept: impl Fn(Place) -> bool) {
        self.stale += 1;
        if self.stale > 64 && self.stale * 2 > self.len {
            for run in &mut self.runs {
                run.retain(|entry| still_kept(entry.1));
                run.shrink_to_fit();
            }
            self.runs.retain(|run| !run.is_empty());
            self.len = self.runs.iter().map(VecDeque::len).sum();
            self.stale = 0;
        }
    }

    pub(crate) fn all(&self) -> Vec<Place> {
        self.runs.iter().flatten().map(|entry| entry.1).collect()
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

    fn pop(retention: &mut Retention, now: Tick) -> Vec<u32> {
        let mut places = Vec::new();
        retention.pop_expired(now, usize::MAX, &mut places);
        let mut slots: Vec<u32> = places.into_iter().map(|place| place.slot).collect();
        slots.sort_unstable();
        slots
    }

    #[test]
    fn ttl_1_each_expires_at_its_own_deadline_whatever_came_after() {
        let mut retention = Retention::default();
        assert!(retention.push(100, place(1)));
        assert!(!retention.push(200, place(2)));
        assert!(retention.push(50, place(3)));
        assert!(!retention.push(150, place(4)));
        assert_eq!(retention.next(), Some(50));
        assert_eq!(pop(&mut retention, 99), [3]);
        assert_eq!(pop(&mut retention, 150), [1, 4]);
        assert_eq!(pop(&mut retention, 1000), [2]);
        assert_eq!(retention.next(), None);
    }

    #[test]
    fn ttl_2_entries_of_roots_that_were_read_do_not_pile_up() {
        let mut retention = Retention::default();
        for slot in 0..1000 {
            retention.push(1000, place(slot));
            if slot >= 10 {
                retention.forget_one(|place| place.slot < 10);
            }
        }
        assert!(
            retention.all().len() < 200,
            "{} entries for 10 roots",
            retention.all().len()
        );
    }
    #[test]
    fn ttl_2_entries_that_have_expired_do_not_make_room_for_those_of_roots_that_were_read() {
        let mut retention = Retention::default();
        for slot in 0..1000 {
            retention.push(1, place(slot));
        }
        assert_eq!(pop(&mut retention, 1).len(), 1000);
        for slot in 0..200 {
            retention.push(1000, place(slot));
            retention.forget_one(|_| false);
        }
        let left = retention.all().len();
        assert!(left <= 65, "{left} entries for no root");
    }

    #[test]
    fn ttl_2_entries_are_swept_when_most_have_lost_their_root_and_not_each_time() {
        let mut retention = Retention::default();
        for slot in 0..1000 {
            retention.push(1000, place(slot));
        }
        let mut sweeps = Vec::new();
        for taken in 1..=1000 {
            let asked = std::cell::Cell::new(false);
            retention.forget_one(|place| {
                asked.set(true);
                place.slot >= taken
            });
            if asked.get() {
                sweeps.push(taken);
            }
        }
        assert_eq!(sweeps, [501, 751, 876, 941]);
        assert_eq!(retention.all().len(), 59);
    }
}
