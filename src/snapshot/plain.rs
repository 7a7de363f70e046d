//! The status of a task that has neither kids nor extras, and whose tree nobody aborted: all
//! of it lies in the slot, so it is read as a list reads, without a reference.

use uuid::Uuid;

use super::figures::{same_moment, shown_birth};
use crate::arena::Realm;
use crate::clock::{Tick, Wall};
use crate::engine::Engine;
use crate::names::NameSet;
use crate::node::progress::{Own, Shown};
use crate::node::slot::{ABORTABLE, HOST_ID, INTERNAL, LABELLED, Slot, UNKNOWN, USER_TASK};
use crate::node::word::{ABORT, GONE, KIDS, PARTS, Reading, SETTLED, STARTED, SUSPEND, TERMINAL};
use crate::sync::Ordering;
use crate::view::{ChildCounts, Kind, Name, Status};

/// What such a task shows.
pub(crate) struct Plain {
    reading: Reading,
    names: &'static NameSet,
    attributes: u32,
    entity: Name,
    parent_id: Option<Uuid>,
    wall: Wall,
    born: Tick,
    start: Tick,
    sequence: u64,
    shard: u32,
    completed: u64,
    total: u64,
}

impl Plain {
    /// What the slot says of the tenant of this reading, if it is such a task and was while
    /// all of it was read.
    #[inline(always)]
    pub(crate) fn read(
        slot: &'static Slot,
        reading: Reading,
        engine: &'static Engine,
    ) -> Option<Self> {
        let realm = engine.realm;
        if reading.has(TERMINAL | SETTLED | GONE | KIDS | PARTS) || slot.has_blocks() {
            return None;
        }
        // Its ancestors and its tree are there for as long as it has not settled, which the
        // look at the end says of them too.
        let parent_id = match slot.parent_place() {
            Some(place) if realm.slots.find(place.slot)?.is(HOST_ID) => return None,
            place => place.map(|place| realm.key.encode(place)),
        };
        // Nobody but itself is above a root.
        let may_be_aborted = match parent_id {
            Some(_) => slot.find_tree(realm)?.may_be_aborted(),
            None => reading.has(ABORT),
        };
        if may_be_aborted {
            return None;
        }
        let attributes = slot.attributes();
        let entity = match attributes & LABELLED != 0 {
            true => label(slot, realm),
            false => Name::EMPTY,
        };
        let plain = Self {
            reading,
            names: slot.interned_names()?,
            attributes,
            entity,
            parent_id,
            wall: slot.wall(),
            born: slot.born(),
            start: slot.start.load(Ordering::Relaxed),
            sequence: slot.sequence(),
            shard: slot.shard(),
            completed: slot.counted.load(Ordering::Relaxed),
            total: slot.total.load(Ordering::Relaxed),
        };
        same_moment(reading, slot).then_some(plain)
    }
}

impl Plain {
    /// The status of the task, which has this id.
    #[inline(always)]
    pub(crate) fn into_status(self, id: Uuid) -> Status {
        let names = self.names;
        let created_at = shown_birth(self.wall.time(self.born));
        let start_time = match self.reading.has(STARTED) {
            // Most are started as they are made.
            true if self.start == self.born => Some(created_at),
            true => self.wall.time(self.start),
            false => None,
        };
        let own = Own {
            completed: self.completed,
            total: (self.total != UNKNOWN).then_some(self.total),
            units: names.units.clone(),
        };
        Status {
            id,
            type_: names.type_.clone(),
            kind: Kind::Node,
            module: names.module.clone(),
            scope: names.scope.clone(),
            state: self.reading.state(),
            is_abortable: self.attributes & ABORTABLE != 0,
            start_time,
            end_time: None,
            error: None,
            parent_id: self.parent_id,
            sequence_number: self.sequence,
            shard: self.shard,
            keyspace: names.keyspace.clone(),
            table: names.table.clone(),
            entity: self.entity,
            progress: Shown::of_leaf(own, false).into_progress(),
            children: Vec::new(),
            internal: self.attributes & INTERNAL != 0,
            user_task: self.attributes & USER_TASK != 0,
            settled: false,
            created_at,
            suspend_requested: self.reading.has(SUSPEND),
            abort: None,
            child_counts: ChildCounts::default(),
            first_error: None,
        }
    }
}

#[cold]
fn label(slot: &'static Slot, realm: &'static Realm) -> Name {
    slot.label(realm)
        .map_or(Name::EMPTY, |label| label.get().name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Above, status_alone, walk};
    use crate::{Manager, Task};

    /// The status, if it is had at a glance; it is that of the long way then.
    fn glance(task: &Task) -> Option<Status> {
        let observer = task.observe();
        let (held, engine) = observer.registered().unwrap();
        let plain = Plain::read(held.slot(), held.slot().word.load(), engine)?;
        let status = plain.into_status(task.id());
        let (mut long, _) = status_alone(held, engine, Above::Unknown);
        long.progress = walk::shown(held, engine.realm, |_| ()).into_progress();
        assert_eq!(status, long);
        Some(status)
    }

    #[test]
    fn a_status_at_a_glance_is_that_of_the_long_way() {
        let manager = Manager::builder().build().unwrap();
        let module = manager.register_module("repair").unwrap();
        let root = module.task("root").shard(3).abortable().create().unwrap();
        assert_eq!(glance(&root).unwrap().start_time, None);
        root.start().unwrap();
        root.observe().suspend().unwrap();
        assert!(glance(&root).unwrap().suspend_requested);
        let child = root.child("child").entity("e").total(9, "rows");
        let child = child.start().unwrap();
        child.advance(4);
        let status = glance(&child).unwrap();
        assert_eq!(status.parent_id, Some(root.id()));
        assert_eq!((&*status.entity, status.progress.completed), ("e", 4));
        assert!(glance(&root).is_none(), "a parent");
        root.abort("enough").unwrap();
        assert!(glance(&child).is_none(), "it may be aborted");
        let user = module.task("user").user_task().start().unwrap();
        assert!(glance(&user).unwrap().user_task);
        user.abort("enough").unwrap();
        assert!(glance(&user).is_none(), "aborted");
        let host = module.task("host").id(Uuid::new_v4()).start().unwrap();
        let below = host.child("below").start().unwrap();
        assert!(glance(&host).is_none() && glance(&below).is_none());
    }
}
