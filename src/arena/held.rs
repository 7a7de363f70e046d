//! Counted references to slots.

use std::fmt;

use super::Realm;
use crate::node::slot::Slot;

/// A counted reference to a slot: as long as one is held the slot keeps its tenant.
pub(crate) struct Held {
    slot: &'static Slot,
    realm: &'static Realm,
}

impl Held {
    /// A further reference, by somebody who holds one or the lock of the parent's family
    /// in which the task is linked.
    pub(crate) fn retain(slot: &'static Slot, realm: &'static Realm) -> Self {
        // A million handles of one task are a leak, not a use; like `Arc`, rather end than
        // let a count wrap and the slot be reused under somebody's hands.
        assert!(slot.word.retain(), "a task has more than a million handles");
        Self { slot, realm }
    }

    /// A reference to the tenant of this generation, if it still lives.
    pub(crate) fn acquire(
        slot: &'static Slot,
        realm: &'static Realm,
        generation: u32,
    ) -> Option<Self> {
        Self::acquire_without(slot, realm, generation, 0)
    }

    /// The same, unless one of these flags is set.
    #[inline]
    pub(crate) fn acquire_without(
        slot: &'static Slot,
        realm: &'static Realm,
        generation: u32,
        flags: u64,
    ) -> Option<Self> {
        let acquired = slot.word.acquire(generation, flags);
        acquired.map(|_| Self { slot, realm })
    }

    #[inline]
    pub(crate) fn slot(&self) -> &'static Slot {
        self.slot
    }

    /// The reference goes over to somebody who counts it.
    #[inline]
    pub(crate) fn into_counted(self) -> &'static Slot {
        let slot = self.slot;
        std::mem::forget(self);
        slot
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Self::retain(self.slot, self.realm)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // In a forked child the slots are a dead copy.
        if !self.realm.is_forked() {
            self.realm.release(self.slot, 1);
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.slot.place(self.slot.word.load_relaxed());
        write!(f, "{}", self.realm.key.encode(place))
    }
}
