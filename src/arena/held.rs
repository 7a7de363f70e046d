//! Counted references to slots.

use std::fmt;

use crate::engine::Engine;
use crate::node::slot::Slot;

/// A counted reference to a slot: as long as one is held the slot keeps its tenant.
pub(crate) struct Held(&'static Slot);

impl Held {
    /// A further reference, by somebody who holds one or the lock of the parent's family
    /// in which the task is linked.
    pub(crate) fn retain(slot: &'static Slot) -> Self {
        // A million handles of one task are a leak, not a use; like `Arc`, rather end than
        // let a count wrap and the slot be reused under somebody's hands.
        assert!(slot.word.retain(), "a task has more than a million handles");
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
        let place = self.0.place(self.0.word.load_relaxed());
        write!(f, "{}", self.engine().realm.key.encode(place))
    }
}
