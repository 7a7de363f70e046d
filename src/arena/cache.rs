//! The free slots that a thread keeps at hand, so that a task's life takes no shared lock.

use std::cell::Cell;

use super::Realm;
use super::pool::size;
use crate::error::Result;
use crate::node::slot::Slot;

struct Cache {
    /// After a fork the thread's slots are another realm's, which is dead here.
    realm: Cell<Option<&'static Realm>>,
    len: Cell<usize>,
    /// One more than it keeps: the one that is too many.
    slots: [Cell<Option<&'static Slot>>; size::CACHE + 1],
}

crate::sync::per_thread! {
    static CACHE: Cache = const { Cache::new() };
}

impl Cache {
    const fn new() -> Self {
        Self {
            realm: Cell::new(None),
            len: Cell::new(0),
            slots: [const { Cell::new(None) }; size::CACHE + 1],
        }
    }

    #[inline]
    fn is_of(&self, realm: &'static Realm) -> bool {
        self.realm
            .get()
            .is_some_and(|mine| std::ptr::eq(mine, realm))
    }

    #[inline]
    fn pop(&self, realm: &'static Realm) -> Option<&'static Slot> {
        let last = self.len.get().checked_sub(1)?;
        let place = self.slots.get(last).filter(|_| self.is_of(realm))?;
        self.len.set(last);
        place.get()
    }

    /// `false` if the cache is full, or another realm's.
    #[inline]
    fn push(&self, realm: &'static Realm, slot: &'static Slot) -> bool {
        let len = self.len.get();
        if len >= size::CACHE || !self.is_of(realm) {
            return false;
        }
        self.slots[len].set(Some(slot));
        self.len.set(len + 1);
        true
    }

    /// Takes a batch out of the pool, and the first of it.
    fn refill(&self, realm: &'static Realm) -> Result<&'static Slot> {
        self.belong_to(realm);
        let mut batch = [None; size::BATCH];
        let mut places = batch.iter_mut().rev();
        realm.slots.take(size::BATCH, |slot| {
            *places.next().expect("no more than were asked for") = Some(slot);
        })?;
        realm.link(batch.iter().flatten().copied())?;
        // The lowest go first, and so come last here; there may be fewer than a batch.
        let free = batch.iter().flatten().zip(&self.slots);
        let len = free.map(|(slot, place)| place.set(Some(*slot))).count();
        self.len.set(len);
        Ok(self.pop(realm).expect("a pool gives one or an error"))
    }

    /// Makes room for a slot by giving the oldest back.
    fn spill(&self, realm: &'static Realm, slot: &'static Slot) {
        self.belong_to(realm);
        let len = self.len.get();
        self.slots[len].set(Some(slot));
        let spilt = (len + 1).min(size::BATCH);
        let oldest = &self.slots[..spilt];
        realm.slots.give_all(oldest.iter().filter_map(Cell::get));
        for at in spilt..=len {
            self.slots[at - spilt].set(self.slots[at].get());
        }
        self.len.set(len + 1 - spilt);
    }

    fn belong_to(&self, realm: &'static Realm) {
        if !self.is_of(realm) {
            self.hand_back();
            self.realm.set(Some(realm));
        }
    }

    fn hand_back(&self) {
        let slots = &self.slots[..self.len.replace(0)];
        if let Some(realm) = self.realm.get()
            && !slots.is_empty()
            && !realm.is_forked()
        {
            realm.slots.give_all(slots.iter().filter_map(Cell::get));
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.hand_back();
    }
}

/// A slot that nobody else knows. The caller is its only writer until it is born. `grown` is called
/// if there are more slots now, and again if it has told nobody.
#[inline]
pub(super) fn take(realm: &'static Realm, grown: impl FnOnce() -> bool) -> Result<&'static Slot> {
    match CACHE.try_with(|cache| cache.pop(realm)) {
        Ok(Some(slot)) => Ok(slot),
        _ => refill(realm, grown),
    }
}

#[cold]
fn refill(realm: &'static Realm, grown: impl FnOnce() -> bool) -> Result<&'static Slot> {
    let taken = CACHE.try_with(|cache| cache.refill(realm));
    // A thread that is ending has no cache any more.
    let slot = taken.unwrap_or_else(|_| {
        let slot = realm.slots.take_one()?;
        realm.link(std::iter::once(slot))?;
        Ok(slot)
    })?;
    if realm.slots.has_grown() && !grown() {
        realm.slots.set_has_grown();
    }
    Ok(slot)
}

/// Gives a slot back that nobody knows any more.
#[inline]
pub(super) fn give(realm: &'static Realm, slot: &'static Slot) {
    if !CACHE
        .try_with(|cache| cache.push(realm, slot))
        .unwrap_or(false)
    {
        spill(realm, slot);
    }
}

#[cold]
fn spill(realm: &'static Realm, slot: &'static Slot) {
    if realm.is_forked() {
        return;
    }
    if CACHE.try_with(|cache| cache.spill(realm, slot)).is_err() {
        realm.slots.give(slot);
    }
}
