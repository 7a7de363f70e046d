//! Until when finished roots are kept: deadlines of places, and nothing of trees.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::bulk::Bulk;
use crate::clock::Tick;
use crate::id::Place;

/// So many rising runs at a time have a queue of their own: those of the TTLs that a manager has,
/// and of those that it had before.
const RUNS: usize = 4;

/// A queue by deadline. Roots settle in order of time and a manager has few TTLs, so the
/// deadlines come as a few rising runs: one queue for each, and a heap for those that fit none,
/// as while a TTL falls all the time.
#[derive(Debug, Default)]
pub(crate) struct Retention {
    /// None of them is empty.
    runs: Vec<VecDeque<(Tick, Place)>>,
    others: BinaryHeap<Reverse<(Tick, Place)>>,
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
        let has_room = self.runs.len() < RUNS;
        match self.runs.iter_mut().find(fits) {
            Some(run) => run.push_back((deadline, place)),
            None if has_room => {
                self.runs.push(VecDeque::from([(deadline, place)]));
            }
            None => self.others.push(Reverse((deadline, place))),
        }
        is_next
    }

    pub(crate) fn next(&self) -> Option<Tick> {
        let runs = self.runs.iter().filter_map(VecDeque::front);
        let runs = runs.map(|entry| entry.0);
        let others = self.others.peek().map(|Reverse(entry)| entry.0);
        runs.chain(others).min()
    }

    /// Takes up to `count` of those whose time has come.
    pub(crate) fn pop_expired(&mut self, now: Tick, count: usize, into: &mut Vec<Place>) {
        let before = into.len();
        for run in &mut self.runs {
            while into.len() < count && run.front().is_some_and(|entry| entry.0 <= now) {
                into.extend(run.pop_front().map(|entry| entry.1));
            }
        }
        self.runs.retain(|run| !run.is_empty());
        for run in &mut self.runs {
            // The room that is left of a busier time.
            if run.capacity() / 4 > run.len().max(64) {
                run.shrink_to(run.len() * 2);
            }
        }
        let is_over = |others: &BinaryHeap<Reverse<(Tick, Place)>>| {
            others.peek().is_some_and(|Reverse(entry)| entry.0 <= now)
        };
        while into.len() < count && is_over(&self.others) {
            into.extend(self.others.pop().map(|Reverse(entry)| entry.1));
        }
        if self.others.is_empty() {
            self.others = BinaryHeap::new();
        }
        self.len -= into.len() - before;
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
            self.others.retain(|Reverse(entry)| still_kept(entry.1));
            self.others.shrink_to_fit();
            let runs = self.runs.iter().map(VecDeque::len).sum::<usize>();
            self.len = runs + self.others.len();
            self.stale = 0;
        }
    }

    pub(crate) fn all(&self) -> Bulk<Place> {
        let runs = self.runs.iter().flatten().map(|entry| entry.1);
        let others = self.others.iter().map(|Reverse(entry)| entry.1);
        let mut all = Bulk::with_room(self.len);
        runs.chain(others).for_each(|place| all.push_with(|| place));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

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
    #[test]
    fn ttl_1_a_ttl_that_falls_makes_no_more_runs_than_a_few() {
        let mut retention = Retention::default();
        for slot in 0..20_000 {
            assert!(retention.push(Tick::from(20_000 - slot), place(slot)));
        }
        assert_eq!(retention.runs.len(), RUNS);
        assert_eq!(retention.next(), Some(1));
        assert_eq!(pop(&mut retention, 10_000).len(), 10_000);
        // One TTL again, below what is left: as soon as a run is over it takes the place.
        retention.push(15_000, place(0));
        assert_eq!(pop(&mut retention, 20_000).len(), 10_001);
        assert_eq!(retention.others.capacity(), 0, "the room goes with them");
    }

    #[test]
    fn ttl_2_entries_that_fit_no_run_do_not_pile_up_either() {
        let mut retention = Retention::default();
        for slot in 0..1000 {
            retention.push(Tick::from(1000 - slot), place(slot));
            retention.forget_one(|_| false);
            let left = retention.all().len();
            assert!(left <= 65, "{left} entries for no root");
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(Tick),
        Pop(Tick, usize),
        /// One of those that are kept is read.
        Read(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..40_u64).prop_map(Step::Push),
            1 => (0..40_u64, 1..20_usize).prop_map(|(now, count)| Step::Pop(now, count)),
            3 => any::<usize>().prop_map(Step::Read),
        ];
        prop::collection::vec(step, 0..400)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn ttl_1_whatever_ttls_there_were_each_expires_at_its_deadline(steps in steps()) {
            let mut retention = Retention::default();
            // The deadline of each that was pushed, by its slot, and those that are kept.
            let mut deadlines: Vec<Tick> = Vec::new();
            let mut kept = BTreeSet::new();
            for step in steps {
                match step {
                    Step::Push(deadline) => {
                        let slot = deadlines.len() as u32;
                        let is_next = retention.next().is_none_or(|next| deadline < next);
                        prop_assert_eq!(retention.push(deadline, place(slot)), is_next);
                        deadlines.push(deadline);
                        kept.insert(slot);
                    }
                    Step::Pop(now, count) => {
                        let is_over = |slot: &u32| deadlines[*slot as usize] <= now;
                        let mut popped = Vec::new();
                        retention.pop_expired(now, count, &mut popped);
                        let in_full = popped.len() < count;
                        prop_assert!(popped.len() <= count);
                        for place in popped {
                            prop_assert!(is_over(&place.slot));
                            kept.remove(&place.slot);
                        }
                        prop_assert!(!in_full || !kept.iter().any(is_over));
                    }
                    Step::Read(at) if !kept.is_empty() => {
                        let slot = *kept.iter().nth(at % kept.len()).expect("there are so many");
                        kept.remove(&slot);
                        retention.forget_one(|place| kept.contains(&place.slot));
                    }
                    Step::Read(_) => {}
                }
                let all: Vec<u32> = retention.all().iter().map(|place| place.slot).collect();
                let earliest = all.iter().map(|slot| deadlines[*slot as usize]).min();
                prop_assert_eq!(retention.next(), earliest);
                prop_assert_eq!(all.iter().filter(|slot| kept.contains(*slot)).count(), kept.len());
                prop_assert_eq!(all.len(), retention.len);
                prop_assert!(all.len() <= 2 * kept.len() + 65, "{} for {}", all.len(), kept.len());
            }
        }
    }
}
