//! Ids that hosts bring, and the ids of those who hold a task.

use uuid::Uuid;

use super::{Engine, TaskRef};
use crate::arena::{Held, Realm};
use crate::error::{Error, ErrorCode, Result};
use crate::id::Place;
use crate::node::extras::Extras;
use crate::node::slot::{HOST_ID, PARENT_ID, Slot};
use crate::node::word::GONE;
use crate::sync::{Ordering, fence};

impl Engine {
    /// Refuses an id that lives, a virtual task's among them, and one of which a provider cannot
    /// tell. Asked before anything is changed.
    pub(super) fn check_id(&'static self, id: Uuid) -> Result<()> {
        if id.is_nil() {
            return Err(
                Error::invalid("the nil id names no task; leave the id out to get one").with_id(id),
            );
        }
        let own = self.realm.key.decode(id);
        let mut known = own.into_iter().chain(self.host_ids.get(id));
        if known.any(|place| self.lives(place)) || self.is_virtual(id)? {
            return Err(in_use(id));
        }
        Ok(())
    }

    /// Takes the id for a task that is yet to be born.
    pub(super) fn claim_id(&'static self, id: Uuid, slot: &'static Slot) -> Result<()> {
        let own = self.realm.key.decode(id);
        if own.is_some_and(|place| self.lives(place)) {
            return Err(in_use(id));
        }
        let place = slot.place(slot.word.load_relaxed());
        while let Err(other) = self.host_ids.insert(id, place) {
            // It may be over and not have come to giving its id back, or be yet to be born.
            if self.lives(other) || self.is_unborn(other) {
                return Err(in_use(id));
            }
            self.host_ids.remove(id, other);
        }
        Ok(())
    }

    /// Whether a registered task of this manager lives at the place. A root whose time has
    /// come does not, and is swept now if it was not before.
    fn lives(&'static self, place: Place) -> bool {
        let slot = self.realm.slots.get(place.slot);
        let Some(held) = Held::acquire(slot, place.generation) else {
            return false;
        };
        if !slot.belongs_to(self) || slot.word.load().has(GONE) {
            return false;
        }
        if self.is_expired(slot) {
            self.expire(&held);
            return false;
        }
        true
    }

    /// Whether the place is still being prepared for who has claimed it.
    fn is_unborn(&'static self, place: Place) -> bool {
        let reading = self.realm.slots.get(place.slot).word.load();
        reading.generation() == place.generation && !reading.has(GONE)
    }

    /// The host's id of a task that still has it, and where the table says that it lives.
    #[inline]
    pub(super) fn host_id(&'static self, slot: &'static Slot) -> Option<(Uuid, Place)> {
        let place = || slot.place(slot.word.load_relaxed());
        slot.is(HOST_ID).then(|| (slot.id(self.realm), place()))
    }

    #[inline]
    pub(super) fn forget_host_id(&self, id: Option<(Uuid, Place)>) {
        if let Some((id, place)) = id {
            self.host_ids.remove(id, place);
        }
    }
}

fn in_use(id: Uuid) -> Error {
    Error::new(
        ErrorCode::IdInUse,
        format!("the id {id} lives already; leave it out to get one of its own"),
    )
    .with_id(id)
}

impl TaskRef {
    /// The task's id: brought by the host, or made of where it lives.
    #[inline]
    pub(crate) fn id(&self) -> Uuid {
        self.slot.id(self.realm())
    }
}

impl Slot {
    /// The id of the tenant, for one who holds a reference.
    pub(crate) fn id(&'static self, realm: &'static Realm) -> Uuid {
        if self.is(HOST_ID)
            && let Some(id) = self.extras(realm).map(Extras::host_id)
        {
            return id;
        }
        realm.key.encode(self.place(self.word.load_relaxed()))
    }

    /// The id of its parent, regular or virtual, for one who holds a reference.
    pub(crate) fn parent_id(&'static self, realm: &'static Realm) -> Option<Uuid> {
        self.kept_parent_id(realm).or_else(|| {
            let place = self.parent_place()?;
            let parent = realm.slots.get(place.slot);
            if parent.is(HOST_ID)
                && let Some(held) = Held::acquire(parent, place.generation)
            {
                return Some(held.slot().id(realm));
            }
            // A parent that has gone meanwhile, and whose slot may be another's, has left its
            // id first, if it was not made of its place: with the fence of the next tenant's
            // birth, what was read there is no older than that.
            fence(Ordering::Acquire);
            let kept = self.kept_parent_id(realm);
            Some(kept.unwrap_or_else(|| realm.key.encode(place)))
        })
    }

    /// What lies in its extras of it.
    fn kept_parent_id(&'static self, realm: &'static Realm) -> Option<Uuid> {
        let extras = self.is(PARENT_ID).then(|| self.extras(realm))??;
        extras.lock().parent_id
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use crate::{Manager, Uuid};

    #[test]
    fn life_10_an_id_is_told_whoever_has_the_lock() {
        let manager = Manager::builder().build().unwrap();
        let module = manager.register_module("repair").unwrap();
        let id = Uuid::from_u128(7);
        let task = module.task("repair").id(id).start().unwrap();
        let extras = task.task.slot.extras(task.task.realm()).unwrap();
        // As a thread may that is not there any more.
        let lock = extras.lock();
        let (observer, (sender, told)) = (task.observe(), mpsc::channel());
        let asker = std::thread::spawn(move || {
            sender
                .send((observer.id(), format!("{observer:?}")))
                .unwrap();
        });
        let (theirs, shown) = told
            .recv_timeout(Duration::from_secs(60))
            .expect("it hangs");
        assert_eq!((theirs, shown), (id, format!("Observer({id})")));
        drop(lock);
        asker.join().unwrap();
    }
}
