//! What a slot says of its tenant, read as one and then shown.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::arena::Realm;
use crate::clock::{Tick, Wall};
use crate::id::Place;
use crate::names::NameSet;
use crate::node::extras::Extras;
use crate::node::slot::{HOST_ID, INTERNAL, Slot};
use crate::node::word::{ASLEEP, FAILED, GONE, Reading, SETTLED, STARTED, TERMINAL};
use crate::sync::{Ordering, fence};
use crate::view::{Kind, Name, Stats};

/// What of a word shows in a view: if none of it has changed between two looks, what was
/// read in between is of one moment.
const SHOWN: u64 = STARTED | ASLEEP | TERMINAL | FAILED | SETTLED | GONE;

#[inline]
pub(super) fn same_moment(before: Reading, slot: &'static Slot) -> bool {
    // The reader's half of the seqlock: the loads before are done before the next.
    fence(Ordering::Acquire);
    let after = slot.word.load_relaxed();
    after.generation() == before.generation() && before.agrees(after, SHOWN)
}

/// The figures of a task; of one moment, and of the tenant of that reading, if the word says
/// so afterwards.
pub(super) struct Figures {
    pub(super) reading: Reading,
    place: Place,
    pub(super) attributes: u32,
    wall: Wall,
    pub(super) born: Tick,
    start: Tick,
    end: Tick,
    pub(super) sequence: u64,
    pub(super) shard: u32,
    pub(super) entity: Name,
    host_id: Option<Uuid>,
}

impl Figures {
    #[inline(always)]
    pub(super) fn read(slot: &'static Slot, reading: Reading, realm: &'static Realm) -> Self {
        let attributes = slot.attributes();
        let (mut entity, mut host_id) = (Name::EMPTY, None);
        if let Some(beside) = slot.look_at_extras(realm, Self::beside) {
            let (long, id) = beside;
            entity = long;
            host_id = (attributes & HOST_ID != 0).then_some(id);
        }
        if let Some(label) = slot.label(realm) {
            entity = label.get().name();
        }
        Self {
            reading,
            place: slot.place(reading),
            attributes,
            wall: slot.wall(),
            born: slot.born(),
            start: slot.start.load(Ordering::Relaxed),
            end: slot.end.load(Ordering::Relaxed),
            sequence: slot.sequence(),
            shard: slot.shard(),
            entity,
            host_id,
        }
    }

    fn beside(extras: &Extras) -> (Name, Uuid) {
        (extras.lock().entity.clone(), extras.host_id())
    }

    /// The figures as they are shown, with what else they are shown with.
    #[inline(always)]
    pub(super) fn into_stats(self, names: &NameSet, realm: &'static Realm) -> Stats {
        let times = self.times();
        Stats {
            id: self.id(realm),
            type_: names.type_.clone(),
            kind: Kind::Node,
            scope: names.scope.clone(),
            state: self.reading.state(),
            sequence_number: self.sequence,
            keyspace: names.keyspace.clone(),
            table: names.table.clone(),
            entity: self.entity,
            shard: self.shard,
            start_time: times.start,
            end_time: times.end,
            created_at: times.created,
            internal: self.attributes & INTERNAL != 0,
        }
    }

    #[inline(always)]
    pub(super) fn id(&self, realm: &'static Realm) -> Uuid {
        self.host_id.unwrap_or_else(|| realm.key.encode(self.place))
    }

    #[inline(always)]
    pub(super) fn times(&self) -> Times {
        let created = shown_birth(self.wall.time(self.born));
        let start = match self.reading.has(STARTED) {
            // Most are started as they are made.
            true if self.start == self.born => Some(created),
            true => self.wall.time(self.start),
            false => None,
        };
        let end = match self.reading.has(TERMINAL) {
            true => self.wall.time(self.end),
            false => None,
        };
        Times {
            created,
            start,
            end,
        }
    }
}

/// When it was made, started and ended.
pub(super) struct Times {
    pub(super) created: SystemTime,
    pub(super) start: Option<SystemTime>,
    pub(super) end: Option<SystemTime>,
}

/// Every task was born, though who looks too late may read otherwise.
pub(super) fn shown_birth(born: Option<SystemTime>) -> SystemTime {
    born.unwrap_or(UNIX_EPOCH)
}
