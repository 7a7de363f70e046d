//! Ids that hosts bring, and a bounded memory of roots that are gone.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use uuid::Uuid;

use crate::error::GoneReason;
use crate::id::Place;
use crate::sync::{CachePadded, Guard, Lock, Made, sized};
use crate::view::State;

/// Where the tasks live whose ids were brought by the host. No guard of a shard leaves
/// these functions, and none calls out.
#[derive(Debug)]
pub(crate) struct HostIds(Made<Shards>);

/// Made with the first id: most hosts bring none.
#[derive(Debug)]
struct Shards {
    hasher: FixedState,
    shards: Box<[CachePadded<Lock<Shard>>]>,
}

type Shard = HashMap<Uuid, Place, FixedState>;

/// So many threads at once need not meet at one lock.
const SHARDS: usize = sized(16, 1);

impl Shards {
    fn new() -> Self {
        let hasher = hasher();
        let shard = || CachePadded::new(Lock::new(HashMap::with_hasher(hasher.clone())));
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher,
        }
    }

    fn of(&self, id: Uuid) -> Guard<'_, Shard> {
        // By bits that a table looks at last.
        let number = (self.hasher.hash_one(id) >> 40) as usize % SHARDS;
        self.shards[number].lock()
    }
}

impl Default for HostIds {
    fn default() -> Self {
        Self(Made::not_yet())
    }
}

impl HostIds {
    /// Where the task lives that has the id, if one has.
    #[must_use = "an id that lives is refused"]
    pub(crate) fn insert(&self, id: Uuid, place: Place) -> Result<(), Place> {
        match self.0.get_or_make(Shards::new).of(id).entry(id) {
            Entry::Occupied(other) => Err(*other.get()),
            Entry::Vacant(vacant) => {
                vacant.insert(place);
                Ok(())
            }
        }
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<Place> {
        self.0.get()?.of(id).get(&id).copied()
    }

    /// Whether a host has ever brought one.
    pub(crate) fn are_used(&self) -> bool {
        self.0.get().is_some()
    }

    /// Unless another task has it by now.
    pub(crate) fn remove(&self, id: Uuid, place: Place) {
        if let Some(shards) = self.0.get()
            && let Entry::Occupied(at) = shards.of(id).entry(id)
            && *at.get() == place
        {
            at.remove();
        }
    }
}

/// The latest roots that are gone: a ring in the order in which they went, and where in it each
/// is, so that nobody pays for how many are remembered.
#[derive(Debug)]
pub(crate) struct Tombstones {
    /// `None` where the id has come back.
    ring: VecDeque<Option<Tombstone>>,
    /// The number of the first in the ring.
    first: u64,
    /// By their numbers in the ring.
    numbers: HashMap<Uuid, u64, FixedState>,
    bound: usize,
}

#[derive(Clone, Copy, Debug)]
struct Tombstone {
    id: Uuid,
    reason: GoneReason,
    state: State,
}

impl Tombstones {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            ring: VecDeque::new(),
            first: 0,
            numbers: HashMap::with_hasher(hasher()),
            bound,
        }
    }

    pub(crate) fn push(&mut self, id: Uuid, reason: GoneReason, state: State) {
        if self.bound == 0 {
            return;
        }
        let number = self.first + self.ring.len() as u64;
        match self.numbers.insert(id, number) {
            Some(before) => self.clear(before),
            None if self.numbers.len() > self.bound => self.forget_oldest(),
            None => {}
        }
        self.ring.push_back(Some(Tombstone { id, reason, state }));
        if self.ring.len() > self.bound.saturating_mul(2) {
            self.close_up();
        }
    }

    pub(crate) fn find(&self, id: Uuid) -> Option<(GoneReason, State)> {
        let number = self.numbers.get(&id)?;
        let stone = self.ring[(number - self.first) as usize]?;
        Some((stone.reason, stone.state))
    }

    /// The id has come back.
    pub(crate) fn forget(&mut self, id: Uuid) {
        if let Some(number) = self.numbers.remove(&id) {
            self.clear(number);
        }
    }

    fn clear(&mut self, number: u64) {
        self.ring[(number - self.first) as usize] = None;
    }

    fn forget_oldest(&mut self) {
        while let Some(stone) = self.ring.pop_front() {
            self.first += 1;
            if let Some(stone) = stone {
                self.numbers.remove(&stone.id);
                return;
            }
        }
    }

    /// Once half of the ring has come back: a step for each in the long run.
    #[cold]
    fn close_up(&mut self) {
        self.ring.retain(Option::is_some);
        let numbers = self.first..;
        for (stone, number) in self.ring.iter().flatten().zip(numbers) {
            self.numbers.insert(stone.id, number);
        }
    }
}

/// Nobody may choose ids that meet in one place.
fn hasher() -> FixedState {
    FixedState::with_seed(RandomState::new().hash_one(SHARDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_5_the_memory_of_what_is_gone_is_bounded() {
        let mut stones = Tombstones::new(2);
        let ids: Vec<Uuid> = (0..3).map(|_| Uuid::new_v4()).collect();
        for id in &ids {
            stones.push(*id, GoneReason::Expired, State::Done);
        }
        assert_eq!(stones.find(ids[0]), None);
        assert_eq!(
            stones.find(ids[2]),
            Some((GoneReason::Expired, State::Done))
        );
        stones.forget(ids[2]);
        assert_eq!(stones.find(ids[2]), None);
    }

    #[test]
    fn ttl_5_a_bound_that_nothing_comes_to_is_one() {
        let mut stones = Tombstones::new(usize::MAX);
        stones.push(Uuid::from_u128(1), GoneReason::Read, State::Done);
        assert!(stones.find(Uuid::from_u128(1)).is_some());
    }

    proptest::proptest! {
        /// Against a plain list, which is searched.
        #[test]
        fn ttl_5_the_latest_are_remembered_whatever_comes_back(
            bound in 0..6_usize,
            steps in proptest::collection::vec((proptest::bool::ANY, 0..9_u128), 0..80),
        ) {
            let (mut stones, mut plain) = (Tombstones::new(bound), Vec::new());
            for (goes, id) in steps {
                let id = Uuid::from_u128(id);
                plain.retain(|other| *other != id);
                if goes {
                    stones.push(id, GoneReason::Read, State::Done);
                    plain.push(id);
                    plain.drain(..plain.len().saturating_sub(bound));
                } else {
                    stones.forget(id);
                }
                for id in (0..9).map(Uuid::from_u128) {
                    let expected = plain.contains(&id).then_some((GoneReason::Read, State::Done));
                    proptest::prop_assert_eq!(stones.find(id), expected);
                }
                proptest::prop_assert!(stones.ring.len() <= 2 * bound);
            }
        }
    }

    #[test]
    fn id_1_an_id_that_lives_is_refused() {
        let ids = HostIds::default();
        let id = Uuid::new_v4();
        let [first, second] = [1, 2].map(|generation| Place {
            slot: 1,
            generation,
        });
        assert_eq!(ids.insert(id, first), Ok(()));
        assert_eq!(ids.insert(id, second), Err(first));
        ids.remove(id, first);
        assert_eq!(ids.insert(id, second), Ok(()));
        ids.remove(id, first);
        assert_eq!(ids.get(id), Some(second), "it is another's by now");
    }
}
