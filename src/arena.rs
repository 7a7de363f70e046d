//! Where tasks live: slots in chunks that are never given back, so that a reference to
//! one stays valid for ever, and a stale one is noticed by its generation.
//!
//! Everything in a slot is atomic, so that whoever comes too late reads the figures of
//! another tenant, notices, and drops them; the core needs no `unsafe` for it.

use std::cell::RefCell;
use std::fmt;
use std::sync::OnceLock;

use crate::error::{Error, ErrorCode, Result};
use crate::id::{IdKey, Place};
use crate::names::{NameSet, Names};
use crate::node::extras::Extras;
use crate::node::progress::Cell;
use crate::node::slot::Slot;
use crate::sync::{self, AtomicU32, Lock, Ordering};
use crate::tree::kids::Kids;
use crate::tree::root::Tree;

/// No slot, no block.
pub(crate) const NONE: u32 = u32::MAX;

#[cfg(not(loom))]
mod size {
    pub(super) const CHUNK: usize = 512;
    pub(super) const PAGE: usize = 512;
    /// 67 million of each kind.
    pub(super) const PAGES: usize = 256;
    /// Free slots that a thread keeps, and how many it moves at once.
    pub(super) const CACHE: usize = 128;
    pub(super) const BATCH: usize = 64;
}

#[cfg(loom)]
mod size {
    pub(super) const CHUNK: usize = 2;
    pub(super) const PAGE: usize = 16;
    pub(super) const PAGES: usize = 1;
    /// The models share every free slot at once, to see them reused.
    pub(super) const CACHE: usize = 0;
    pub(super) const BATCH: usize = 1;
}

/// What a pool holds: made once, reused, never dropped.
pub(crate) trait Pooled: Sync + 'static {
    fn new(number: u32) -> Self;
    fn number(&self) -> u32;
}

type Chunk<T> = Box<[T]>;
type Page<T> = Box<[OnceLock<Chunk<T>>]>;

/// A growing table of `T` that hands out free ones and takes them back.
pub(crate) struct Pool<T: 'static> {
    pages: Box<[OnceLock<Page<T>>]>,
    made: AtomicU32,
    free: Lock<Vec<&'static T>>,
}

impl<T: Pooled> Pool<T> {
    fn new() -> Self {
        Self {
            pages: (0..size::PAGES).map(|_| OnceLock::new()).collect(),
            made: AtomicU32::new(0),
            free: Lock::new(Vec::new()),
        }
    }

    /// The one with this number, which was handed out before.
    #[inline]
    pub(crate) fn get(&'static self, number: u32) -> &'static T {
        self.find(number).expect("numbers come from this pool")
    }

    #[inline]
    pub(crate) fn find(&'static self, number: u32) -> Option<&'static T> {
        let number = number as usize;
        let page = self.pages.get(number / (size::CHUNK * size::PAGE))?.get()?;
        let chunk = page[number / size::CHUNK % size::PAGE].get()?;
        Some(&chunk[number % size::CHUNK])
    }

    /// Takes up to `count` free ones.
    fn take(&'static self, count: usize, into: &mut Vec<&'static T>) -> Result<()> {
        let mut free = self.free.lock();
        if free.is_empty() {
            self.grow(&mut free)?;
        }
        let rest = free.len().saturating_sub(count);
        into.extend(free.drain(rest..).rev());
        Ok(())
    }

    pub(crate) fn take_one(&'static self) -> Result<&'static T> {
        let mut free = self.free.lock();
        if free.is_empty() {
            self.grow(&mut free)?;
        }
        Ok(free.pop().expect("a pool that grew has free ones"))
    }

    pub(crate) fn give(&self, item: &'static T) {
        self.free.lock().push(item);
    }

    fn give_all(&self, items: impl Iterator<Item = &'static T>) {
        self.free.lock().extend(items);
    }

    fn grow(&'static self, free: &mut Vec<&'static T>) -> Result<()> {
        let made = self.made.load(Ordering::Relaxed) as usize;
        let Some(page) = self.pages.get(made / (size::CHUNK * size::PAGE)) else {
            return Err(Error::new(
                ErrorCode::Exhausted,
                format!("{made} tasks live at once; there is no room for another"),
            ));
        };
        let page = page.get_or_init(|| (0..size::PAGE).map(|_| OnceLock::new()).collect());
        let chunk = page[made / size::CHUNK % size::PAGE].get_or_init(|| {
            let numbers = made..made + size::CHUNK;
            numbers.map(|number| T::new(number as u32)).collect()
        });
        free.extend(chunk.iter().rev());
        self.made
            .store((made + size::CHUNK) as u32, Ordering::Release);
        Ok(())
    }

    /// Every one that was ever made, free or not.
    pub(crate) fn all(&'static self) -> impl Iterator<Item = &'static T> {
        let made = self.made.load(Ordering::Acquire) as usize;
        (0..made).step_by(size::CHUNK).flat_map(|first| {
            let page = self.pages[first / (size::CHUNK * size::PAGE)].get();
            let chunk = page.and_then(|page| page[first / size::CHUNK % size::PAGE].get());
            chunk.map(|chunk| chunk.iter()).into_iter().flatten()
        })
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool of {}", self.made.load(Ordering::Relaxed))
    }
}

/// A name set and its number; made once, never given back.
#[derive(Debug)]
pub(crate) struct NameCell {
    number: u32,
    set: OnceLock<NameSet>,
}

impl Pooled for NameCell {
    fn new(number: u32) -> Self {
        Self {
            number,
            set: OnceLock::new(),
        }
    }
    fn number(&self) -> u32 {
        self.number
    }
}

/// Everything that the managers of a process share. A forked child starts a new one, as
/// any lock of the old may be held for ever.
#[derive(Debug)]
pub(crate) struct Realm {
    /// How many forks this realm lies behind the first process.
    pub(crate) depth: u32,
    pub(crate) key: IdKey,
    pub(crate) slots: Pool<Slot>,
    pub(crate) kids: Pool<Kids>,
    pub(crate) extras: Pool<Extras>,
    pub(crate) trees: Pool<Tree>,
    pub(crate) cells: Pool<Cell>,
    names: Pool<NameCell>,
    /// The shells of all managers, for whoever looks for what a process still holds.
    engines: Lock<Vec<&'static crate::engine::Engine>>,
}

impl Realm {
    fn new(depth: u32) -> Self {
        Self {
            depth,
            key: IdKey::random(),
            slots: Pool::new(),
            kids: Pool::new(),
            extras: Pool::new(),
            trees: Pool::new(),
            cells: Pool::new(),
            names: Pool::new(),
            engines: Lock::new(Vec::new()),
        }
    }

    pub(crate) fn remember(&self, engine: &'static crate::engine::Engine) {
        self.engines.lock().push(engine);
    }

    /// The realm of this process.
    #[cfg(not(loom))]
    pub(crate) fn current() -> Result<&'static Realm> {
        /// A process that is so many forks away from the first is told so.
        const FORKS: usize = 16;
        static REALMS: [OnceLock<Realm>; FORKS] = [const { OnceLock::new() }; FORKS];

        sync::watch_forks();
        let depth = sync::fork_depth();
        match REALMS.get(depth as usize) {
            Some(realm) => Ok(realm.get_or_init(|| Realm::new(depth))),
            None => Err(Error::new(
                ErrorCode::Exhausted,
                format!("this process is {depth} forks from the first; the limit is {FORKS}"),
            )),
        }
    }

    /// A realm for each execution of a model.
    #[cfg(loom)]
    pub(crate) fn current() -> Result<&'static Realm> {
        loom::lazy_static! {
            static ref REALM: Realm = Realm::new(0);
        }
        sync::watch_forks();
        Ok(&REALM)
    }

    pub(crate) fn check_fork(&self) -> Result<()> {
        if self.is_forked() {
            Err(Error::forked())
        } else {
            Ok(())
        }
    }

    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        self.depth != sync::fork_depth()
    }

    /// A slot that nobody else knows. The caller is its only writer until it is born.
    #[inline]
    pub(crate) fn take_slot(&'static self) -> Result<&'static Slot> {
        let cached = CACHE.try_with(|cache| {
            let mut cache = cache.borrow_mut();
            cache.belongs_to(self);
            if cache.slots.is_empty() {
                self.slots.take(size::BATCH, &mut cache.slots)?;
            }
            Ok(cache
                .slots
                .pop()
                .expect("a cache that was filled has slots"))
        });
        // A thread that is ending has no cache any more.
        cached.unwrap_or_else(|_| self.slots.take_one())
    }

    /// Gives a slot back whose last reference the caller has dropped, and what hung on it.
    #[inline]
    pub(crate) fn free_slot(&'static self, slot: &'static Slot) {
        slot.give_up_blocks(self);
        if slot.word.load_relaxed().generation() == crate::node::word::MAX_GENERATION {
            // The next id would be one that was given out before: this slot has served.
            return;
        }
        let cached = CACHE.try_with(|cache| {
            let mut cache = cache.borrow_mut();
            cache.belongs_to(self);
            cache.slots.push(slot);
            if cache.slots.len() > size::CACHE {
                let oldest = cache.slots.drain(..size::BATCH);
                self.slots.give_all(oldest);
            }
        });
        if cached.is_err() {
            self.slots.give(slot);
        }
    }

    /// The slot that an id of this realm names, if it names one.
    pub(crate) fn place_of(&'static self, id: uuid::Uuid) -> Option<(&'static Slot, Place)> {
        let place = self.key.decode(id)?;
        Some((self.slots.find(place.slot)?, place))
    }

    pub(crate) fn names(&'static self, number: u32) -> &'static NameSet {
        self.names
            .get(number)
            .set
            .get()
            .expect("a number is given with its set")
    }

    /// Gives a set its number. Names live as long as the process.
    pub(crate) fn number_names(&'static self, set: NameSet) -> &'static NameSet {
        match self.names.take_one() {
            Ok(cell) => cell.set.get_or_init(|| NameSet {
                number: cell.number(),
                ..set
            }),
            Err(_) => unreachable!("modules bound the sets they keep"),
        }
    }

    /// The set that this thread used last, if it is the one: a run of siblings finds
    /// its names without a lock.
    #[inline]
    pub(crate) fn intern(
        &'static self,
        group: &'static crate::names::Group,
        given: &crate::names::Given<'_>,
    ) -> Result<Names> {
        let last = CACHE
            .try_with(|cache| cache.borrow().last_names)
            .unwrap_or(None);
        if let Some(set) = last
            && set.is(group, given)
        {
            return Ok(Names::Interned(set));
        }
        let names = crate::names::intern(group, given, |set| self.number_names(set))?;
        if let Names::Interned(set) = &names {
            let _ = CACHE.try_with(|cache| cache.borrow_mut().last_names = Some(set));
        }
        Ok(names)
    }
}

/// What a thread keeps at hand.
struct Cache {
    realm: Option<&'static Realm>,
    slots: Vec<&'static Slot>,
    last_names: Option<&'static NameSet>,
}

impl Cache {
    /// After a fork the thread's slots are another realm's, which is dead here.
    #[inline]
    fn belongs_to(&mut self, realm: &'static Realm) {
        if !self.realm.is_some_and(|mine| std::ptr::eq(mine, realm)) {
            self.hand_back();
            self.realm = Some(realm);
        }
    }

    fn hand_back(&mut self) {
        if let Some(realm) = self.realm
            && !realm.is_forked()
        {
            realm.slots.give_all(self.slots.drain(..));
        }
        self.slots.clear();
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.hand_back();
    }
}

#[cfg(not(loom))]
thread_local! {
    static CACHE: RefCell<Cache> = const {
        RefCell::new(Cache { realm: None, slots: Vec::new(), last_names: None })
    };
}

#[cfg(loom)]
loom::thread_local! {
    static CACHE: RefCell<Cache> =
        RefCell::new(Cache { realm: None, slots: Vec::new(), last_names: None });
}

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
        slot.word.acquire(generation).map(|_| Self { slot, realm })
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

impl Realm {
    /// Gives counted references back, and the slot with the last one.
    #[inline]
    pub(crate) fn release(&'static self, slot: &'static Slot, refs: u32) {
        if slot.word.release(refs) {
            self.free_slot(slot);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::names::{Given, Group};
    use crate::node::slot::{Birth, UNKNOWN};
    use crate::node::word::MAX_GENERATION;

    fn realm() -> &'static Realm {
        Box::leak(Box::new(Realm::new(0)))
    }

    fn names(realm: &'static Realm) -> Names {
        let group: &'static Group = Box::leak(Box::new(Group::new("test")));
        let given = Given {
            type_: "test",
            ..Given::default()
        };
        realm.intern(group, &given).unwrap()
    }

    fn live(realm: &'static Realm, names: &Names) -> &'static Slot {
        let slot = realm.take_slot().unwrap();
        slot.prepare(&Birth {
            now: (0, crate::clock::Wall(0)),
            started: true,
            parent: None,
            tree: realm.trees.take_one().unwrap(),
            names,
            attributes: 0,
            sequence: 1,
            shard: 0,
            total: UNKNOWN,
        });
        slot
    }

    #[test]
    fn id_1_a_slot_whose_generations_are_used_up_is_retired() {
        let realm = realm();
        let names = names(realm);
        let slot = live(realm, &names);
        slot.word.preset_generation(MAX_GENERATION - 1);
        let reading = slot.word.born(0, 1);
        let id = realm.key.encode(slot.place(reading));
        realm.release(slot, 1);
        for _ in 0..3 * size::CHUNK {
            assert!(!std::ptr::eq(realm.take_slot().unwrap(), slot));
        }
        let (found, place) = realm.place_of(id).unwrap();
        assert!(Held::acquire(found, realm, place.generation).is_none());
    }

    #[test]
    fn id_1_a_slot_that_is_reused_is_another_task() {
        let realm = realm();
        let names = names(realm);
        let slot = live(realm, &names);
        let first = slot.place(slot.word.born(0, 1));
        realm.release(slot, 1);
        let again = live(realm, &names);
        assert!(
            std::ptr::eq(slot, again),
            "a thread reuses its last slot first"
        );
        let second = again.place(again.word.born(0, 1));
        assert_ne!(realm.key.encode(first), realm.key.encode(second));
        assert!(Held::acquire(slot, realm, first.generation).is_none());
        assert!(Held::acquire(slot, realm, second.generation).is_some());
    }

    #[test]
    fn slots_that_a_thread_kept_are_others_when_it_ends() {
        let realm = realm();
        let names = names(realm);
        let numbers = || {
            std::thread::scope(|scope| {
                let slots = || {
                    let slots: Vec<_> = (0..size::BATCH).map(|_| live(realm, &names)).collect();
                    slots
                        .iter()
                        .for_each(|slot| assert!(slot.word.born(0, 1).is_live()));
                    slots.iter().for_each(|slot| realm.release(slot, 1));
                };
                scope.spawn(slots).join().unwrap();
            });
            realm.slots.made.load(Ordering::Relaxed)
        };
        let made = numbers();
        for _ in 0..32 {
            assert_eq!(numbers(), made, "slots of ended threads are used again");
        }
    }
}
