//! Counted references to slots.

use std::fmt;

use crate::engine::Engine;
use crate::error::{Error, ErrorCode, Result};
use crate::node::slot::Slot;
use crate::node::word::MANY_REFS;

/// A counted reference to a slot: as long as one is held the slot keeps its tenant.
pub(crate) struct Held(&'static Slot);

impl Held {
    /// A further reference, by somebody who holds one or the lock of the parent's family
    /// in which the task is linked.
    pub(crate) fn retain(slot: &'static Slot) -> Self {
        slot.word.retain();
        Self(slot)
    }

    /// A reference to the tenant of this generation, if it still lives.
    pub(crate) fn acquire(slot: &'static Slot, generation: u32) -> Option<Self> {
        Self::acquire_without(slot, generation, 0)
    }

    /// The same, unless one of these flags is set.
    #[inline]
    pub(crate) fn acquire_without(
        slot: &'static Slot,
        generation: u32,
        flags: u64,
    ) -> Option<Self> {
        let acquired = slot.word.acquire(generation, flags);
        acquired.map(|_| Self(slot))
    }

    /// The same for a handle that is kept, if there is [room](Self::check_room) for it.
    #[inline]
    pub(crate) fn acquire_with_room(
        slot: &'static Slot,
        generation: u32,
        flags: u64,
    ) -> Option<Self> {
        let before = slot.word.acquire(generation, flags)?;
        let held = Self(slot);
        match before.refs() < MANY_REFS {
            true => Some(held),
            false => held.let_go(),
        }
    }

    /// Nothing, out of the way of those that are kept.
    #[cold]
    pub(crate) fn let_go<T>(self) -> Option<T> {
        None
    }

    /// Refuses a further handle of a task that has a million. Those that cannot be refused, and the
    /// references of a thread that looks at the task, have more room; and where that ends, they
    /// keep the slot for the life of the process.
    #[inline]
    pub(crate) fn check_room(slot: &'static Slot) -> Result<()> {
        match slot.word.load().refs() > MANY_REFS {
            true => Err(too_many(slot)),
            false => Ok(()),
        }
    }

    #[inline]
    pub(crate) fn slot(&self) -> &'static Slot {
        self.0
    }

    /// Whose task it is.
    #[inline]
    pub(crate) fn engine(&self) -> &'static Engine {
        self.0.engine()
    }

    /// The reference goes over to somebody who counts it.
    #[inline]
    pub(crate) fn into_counted(self) -> &'static Slot {
        let slot = self.0;
        std::mem::forget(self);
        slot
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Self::retain(self.0)
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        if !self.0.word.release_unless_last(1) {
            give_back(self.0);
        }
    }
}

#[cold]
fn too_many(slot: &'static Slot) -> Error {
    let id = slot.id(slot.engine().realm);
    Error::new(
        ErrorCode::Exhausted,
        format!(
            "task {id} has {MANY_REFS} handles and callbacks, the most there may be; drop some"
        ),
    )
    .with_id(id)
}

/// The last reference, perhaps. In a forked child the slots are a dead copy, and the locks of
/// those that are free may be held for ever.
#[cold]
fn give_back(slot: &'static Slot) {
    let realm = slot.engine().realm;
    if !realm.is_forked() {
        realm.release(slot, 1);
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.id(self.engine().realm))
    }
}
