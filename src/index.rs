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
    /// Nobody may choose ids that meet in one place.
    hasher: FixedState,
    shards: Box<[CachePadded<Lock<Shard>>]>,
}

type Shard = HashMap<Uuid, Place, FixedState>;

/// So many threads at once need not meet at one lock.
const SHARDS: usize = sized(16, 1);

impl Shards {
    fn new() -> Self {
        let hasher = FixedState::with_seed(RandomState::new().hash_one(SHARDS));
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

/// The latest roots that are gone: a ring, so that forgetting is free and only a look-up
/// that fails anyway pays for the search.
#[derive(Debug)]
pub(crate) struct Tombstones {
    ring: VecDeque<Tombstone>,
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
            bound,
        }
    }

    pub(crate) fn push(&mut self, id: Uuid, reason: GoneReason, state: State) {
        if self.bound == 0 {
            return;
        }
        if self.ring.len() == self.bound {
            self.ring.pop_front();
        }
        self.ring.push_back(Tombstone { id, reason, state });
    }

    pub(crate) fn find(&self, id: Uuid) -> Option<(GoneReason, State)> {
        let stone = self.ring.iter().rev().find(|stone| stone.id == id)?;
        Some((stone.reason, stone.state))
    }

    /// The id has come back.
    pub(crate) fn forget(&mut self, id: Uuid) {
        self.ring.retain(|stone| stone.id != id);
    }
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
