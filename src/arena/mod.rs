//! Where tasks live: slots in chunks that are never given back, so that a reference to
//! one stays valid for ever, and a stale one is noticed by its generation.
//!
//! Everything in a slot is atomic, so that whoever comes too late reads the figures of
//! another tenant, notices, and drops them; the core needs no `unsafe` for it.

mod held;
mod pool;

use std::cell::RefCell;
use std::sync::OnceLock;

use crate::error::{Error, Result};
use crate::id::{IdKey, Place};
use crate::names::{NameSet, Names};
use crate::node::extras::Extras;
use crate::node::progress::Cell;
use crate::node::slot::Slot;
use crate::sync::{self, Lock};
use crate::tree::kids::Kids;
use crate::tree::root::Tree;

pub(crate) use held::Held;
use pool::size;
pub(crate) use pool::{NONE, Pool, Pooled};

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
                crate::ErrorCode::Exhausted,
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
        match LAST_NAMES.with(std::cell::Cell::get) {
            Some(set) if set.is(group, given) => Ok(Names::Interned(set)),
            _ => self.look_up_names(group, given),
        }
    }

    #[cold]
    fn look_up_names(
        &'static self,
        group: &'static crate::names::Group,
        given: &crate::names::Given<'_>,
    ) -> Result<Names> {
        let names = crate::names::intern(group, given, |set| self.number_names(set))?;
        if let Names::Interned(set) = &names {
            LAST_NAMES.with(|last| last.set(Some(set)));
        }
        Ok(names)
    }
}

/// What a thread keeps at hand.
struct Cache {
    realm: Option<&'static Realm>,
    slots: Vec<&'static Slot>,
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
            && !self.slots.is_empty()
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
        RefCell::new(Cache { realm: None, slots: Vec::new() })
    };
    static LAST_NAMES: std::cell::Cell<Option<&'static NameSet>> =
        const { std::cell::Cell::new(None) };
}

#[cfg(loom)]
loom::thread_local! {
    static CACHE: RefCell<Cache> =
        RefCell::new(Cache { realm: None, slots: Vec::new() });
    static LAST_NAMES: std::cell::Cell<Option<&'static NameSet>> = std::cell::Cell::new(None);
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
    use crate::sync::Ordering;

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
