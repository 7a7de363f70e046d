//! Where tasks live: slots in chunks that are never given back, so that a reference to
//! one stays valid for ever, and a stale one is noticed by its generation.
//!
//! Everything in a slot is atomic, so that whoever comes too late reads the figures of
//! another tenant, notices, and drops them; the core needs no `unsafe` for it.

mod cache;
mod free;
mod held;
mod late;
mod pool;
mod recent;
mod reclaim;

use std::sync::OnceLock;
use std::time::Instant;

use crate::engine::{Engine, RawTask, Shells, SpareModules};
use crate::error::{Error, Result};
use crate::id::IdKey;
use crate::names::{Given, Group, Keep, Kept, NameSet, Names};
use crate::node::extras::Extras;
use crate::node::label::Label;
use crate::node::progress::Cell;
use crate::node::slot::Slot;
use crate::reaper::Reaper;
use crate::sync::{self, AtomicU32, Deadline, Lock, Made, Roster, Sleepers};
use crate::tree::hooks::Hooks;
use crate::tree::kids::Kids;
use crate::tree::links::Links;
use crate::tree::root::Tree;

pub(crate) use held::Held;
pub(crate) use late::{Emptied, Section, Sections};
pub(crate) use pool::{MOST, NONE, Numbered, Pool, Pooled, no_memory};
pub(crate) use reclaim::Reclaimed;

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
}

impl Numbered for NameCell {
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
    /// Each of the slot of its number.
    pub(crate) links: Pool<Links>,
    /// All slots below have theirs. Not a model's, as it only saves looks.
    linked: std::sync::atomic::AtomicU32,
    pub(crate) kids: Pool<Kids>,
    pub(crate) extras: Pool<Extras>,
    /// The same of the slots' entities.
    pub(crate) labels: Pool<Label>,
    /// The same of shared owners.
    pub(crate) shared: Pool<RawTask>,
    pub(crate) trees: Pool<Tree>,
    /// Each of the tree of its number.
    pub(crate) hooks: Pool<Hooks>,
    pub(crate) cells: Pool<Cell>,
    /// Who looks at kids and extras without a reference.
    pub(crate) sections: Sections,
    /// Threads that sleep until something happens to the task in a slot.
    sleepers: Sleepers,
    names: Pool<NameCell>,
    pub(crate) kept_names: Kept,
    /// The shells of all managers, for whoever looks for what a process still holds.
    engines: Lock<Vec<&'static Engine>>,
    /// Those of managers that are gone.
    pub(crate) shells: Shells,
    pub(crate) spare_modules: SpareModules,
    /// How many of them are not closed.
    pub(crate) open_managers: AtomicU32,
    /// When somebody looks next for memory that is not used.
    next_look: Lock<Option<Instant>>,
    /// Forgets what has expired, for all of them.
    pub(crate) reaper: Reaper<&'static Engine>,
    /// The library's own threads.
    pub(crate) roster: Roster,
}

impl Realm {
    fn new(depth: u32) -> Self {
        Self {
            depth,
            key: IdKey::random(),
            slots: Pool::new(),
            links: Pool::new(),
            linked: std::sync::atomic::AtomicU32::new(0),
            kids: Pool::new(),
            extras: Pool::new(),
            labels: Pool::new(),
            shared: Pool::new(),
            trees: Pool::new(),
            hooks: Pool::new(),
            cells: Pool::new(),
            sections: Sections::new(),
            sleepers: Sleepers::new(),
            names: Pool::new(),
            kept_names: Kept::default(),
            engines: Lock::new(Vec::new()),
            shells: Shells::default(),
            spare_modules: SpareModules::default(),
            open_managers: AtomicU32::new(0),
            next_look: Lock::new(None),
            reaper: Reaper::default(),
            roster: Roster::default(),
        }
    }

    pub(crate) fn remember(&self, engine: &'static Engine) {
        self.engines.lock().push(engine);
    }

    /// The realm of this process.
    pub(crate) fn current() -> Result<&'static Realm> {
        /// A process that is so many forks away from the first is told so.
        const FORKS: usize = 16;
        sync::per_process! {
            static REALMS: [Made<Realm>; FORKS] = [const { Made::not_yet() }; FORKS];
        }

        sync::watch_forks();
        let depth = sync::fork_depth();
        match REALMS.get(depth as usize) {
            Some(realm) => Ok(realm.get_or_make(|| Realm::new(depth))),
            None => Err(Error::new(
                crate::ErrorCode::Exhausted,
                format!("this process is {depth} forks from the first; the limit is {FORKS}"),
            )),
        }
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

    /// A slot that nobody else knows. The caller is its only writer until it is born. `grown` is
    /// called, with no lock held, if there are more slots now, and again if it has told nobody.
    #[inline]
    pub(crate) fn take_slot(&'static self, grown: impl FnOnce() -> bool) -> Result<&'static Slot> {
        cache::take(self, grown)
    }

    /// Slots that were taken, the highest first, have what links them to others from here on, or are
    /// given back if there is no memory for it.
    fn link(&'static self, slots: impl Iterator<Item = &'static Slot> + Clone) -> Result<()> {
        let highest = slots.clone().next().map_or(0, Numbered::number);
        if highest < self.linked.load(std::sync::atomic::Ordering::Relaxed)
            || self.link_up_to(highest)
        {
            return Ok(());
        }
        self.slots.give_all(slots);
        Err(no_memory())
    }

    #[cold]
    fn link_up_to(&'static self, highest: u32) -> bool {
        use std::sync::atomic::Ordering::Relaxed;

        let mut numbers = self.linked.load(Relaxed)..=highest;
        let is_linked = numbers.all(|number| self.links.try_beside(number).is_some());
        if is_linked {
            self.linked.fetch_max(highest + 1, Relaxed);
        }
        is_linked
    }

    /// Gives a slot back whose last reference the caller has dropped, and what hung on it.
    #[inline]
    pub(crate) fn free_slot(&'static self, slot: &'static Slot) {
        slot.give_up_blocks(self);
        // The next id of a slot whose generations are used up would be one that was given
        // out before: it has served.
        if slot.word.load_relaxed().generation() != crate::node::word::MAX_GENERATION {
            cache::give(self, slot);
        }
    }

    pub(crate) fn names(&'static self, number: u32) -> &'static NameSet {
        self.names
            .get(number)
            .set
            .get()
            .expect("a number is given with its set")
    }

    /// Gives a set its number. Names live as long as the process.
    pub(crate) fn number_names(&'static self, set: NameSet) -> Result<&'static NameSet> {
        let cell = self.names.take_one()?;
        let number = cell.number();
        Ok(cell.set.get_or_init(|| NameSet { number, ..set }))
    }

    /// The set for these names in a module of this title, if this thread has used it lately.
    #[inline(always)]
    pub(crate) fn recent_names(
        &'static self,
        title: u32,
        given: &Given<'_>,
    ) -> Option<&'static NameSet> {
        recent::find(title, given)
    }

    /// The set for these names.
    pub(crate) fn intern(&'static self, group: &'static Group, given: &Given<'_>) -> Result<Names> {
        match recent::find(group.title(), given) {
            Some(set) => Ok(Names::Interned(set)),
            None => self.intern_new(group, given, Keep::IfItComesAgain),
        }
    }

    /// The same where this thread has not used it lately.
    pub(crate) fn intern_new(
        &'static self,
        group: &'static Group,
        given: &Given<'_>,
        keep: Keep,
    ) -> Result<Names> {
        let number = |set| self.number_names(set);
        let names = crate::names::intern(group, given, (&self.kept_names, keep), number)?;
        if let Names::Interned(set) = &names {
            recent::remember(set);
        }
        Ok(names)
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

impl Realm {
    /// Sleeps until `is_over`, or `false` once the deadline has passed before. `is_over` takes
    /// no lock; whoever brings it about calls [`wake`](Self::wake) afterwards.
    pub(crate) fn sleep(
        &self,
        slot: &'static Slot,
        deadline: &Deadline,
        is_over: impl Fn() -> bool,
    ) -> bool {
        self.sleepers.sleep(slot.number(), deadline, is_over)
    }

    /// Wakes those who sleep because of the task in this slot.
    pub(crate) fn wake(&self, slot: &'static Slot) {
        self.sleepers.wake(slot.number());
    }
}

#[cfg(test)]
mod tests {
    use super::pool::size;
    use super::*;
    use crate::node::slot::{Birth, UNKNOWN};
    use crate::node::word::MAX_GENERATION;

    /// One of its own for each test, kept where a search for leaks finds it.
    pub(super) fn realm() -> &'static Realm {
        static ALL: std::sync::Mutex<Vec<&'static Realm>> = std::sync::Mutex::new(Vec::new());
        let realm: &'static Realm = Box::leak(Box::new(Realm::new(0)));
        ALL.lock().unwrap().push(realm);
        realm
    }

    pub(super) fn names(realm: &'static Realm) -> Names {
        let group: &'static Group = Box::leak(Box::new(Group::new()));
        let given = Given {
            type_: "test",
            ..Given::default()
        };
        realm.intern(group, &given).unwrap()
    }

    pub(super) fn live(realm: &'static Realm, names: &Names) -> &'static Slot {
        let slot = realm.take_slot(|| true).unwrap();
        slot.prepare(&Birth {
            now: (0, crate::clock::Wall(0)),
            started: true,
            parent: None,
            tree: realm.trees.take_one().unwrap(),
            names: names.interned(),
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
            assert!(!std::ptr::eq(realm.take_slot(|| true).unwrap(), slot));
        }
        let place = realm.key.decode(id).unwrap();
        let found = realm.slots.find(place.slot).unwrap();
        assert!(found.word.acquire(place.generation, 0).is_none());
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
        assert!(slot.word.acquire(first.generation, 0).is_none());
        assert!(slot.word.acquire(second.generation, 0).is_some());
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
            realm.slots.made.load(crate::sync::Ordering::Relaxed)
        };
        let made = numbers();
        for _ in 0..32 {
            assert_eq!(numbers(), made, "slots of ended threads are used again");
        }
    }
    #[cfg(not(loom))]
    #[test]
    fn slots_that_are_too_many_for_a_thread_to_keep_are_used_again_lowest_first() {
        let realm = realm();
        let names = names(realm);
        let mut made = None;
        for round in 0..8 {
            let slots: Vec<_> = (0..3 * size::CACHE).map(|_| live(realm, &names)).collect();
            let numbers: std::collections::BTreeSet<u32> =
                slots.iter().map(|slot| slot.number()).collect();
            assert_eq!(numbers.len(), slots.len(), "each is one task's");
            for slot in &slots {
                assert!(slot.word.born(0, 1).is_live());
            }
            // In another order each time.
            let mut order: Vec<usize> = (0..slots.len()).collect();
            order.sort_by_key(|at| at * (2 * round + 1) % slots.len());
            order.iter().for_each(|at| realm.release(slots[*at], 1));
            let now = realm.slots.made.load(crate::sync::Ordering::Relaxed);
            assert_eq!(*made.get_or_insert(now), now, "no slot is lost");
        }
    }

    #[cfg(not(loom))]
    #[test]
    fn slots_of_one_realm_are_none_of_anothers_that_the_thread_uses() {
        let realms = [realm(), realm()];
        let names = realms.map(names);
        let mut seen = [const { Vec::new() }; 2];
        for _ in 0..3 {
            let slots = [0, 1].map(|at| live(realms[at], &names[at]));
            for (at, slot) in slots.iter().enumerate() {
                let own = realms[at].slots.find(slot.number()).unwrap();
                assert!(std::ptr::eq(own, *slot), "another realm's");
                assert!(slot.word.born(0, 1).is_live());
                seen[at].push(slot.number());
            }
            // The thread keeps slots of the second by now.
            slots
                .iter()
                .zip(realms)
                .for_each(|(slot, realm)| realm.release(slot, 1));
        }
        assert!(
            seen.iter()
                .flatten()
                .all(|number| *number < 3 * size::BATCH as u32)
        );
    }
}
