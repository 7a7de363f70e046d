//! Memory that nobody uses any more goes back to the system. That of blocks which are not all atomics
//! goes by the rules of [`late`](super::late) besides.
//!
//! 1. It goes in runs, of which every block is free: they are taken out of the stock first, so that
//!    they are nobody's, and their memory is given back with no lock held.
//! 2. Addresses stay. Who comes too late for a block reads the figures of nobody, all zeroes, instead
//!    of another's; so every block whose memory goes is all atomics, and a word of zeroes is no
//!    tenant's. Whoever reads a zero of what was given back sees only such from then on, its word
//!    among them: the system takes a page from every processor before it is anybody's else.
//!    Not every zero says nothing: a parent, kids and extras of number 0 are somebody's, epoch 0 is no
//!    tree's, and deadline 0 has passed. Who may come too late looks at the word afterwards, or goes by
//!    nothing that such a zero leads to. Slots go before what lies beside them: who reads a zero there
//!    finds that the slot's word has changed.
//! 3. What only grows goes on from the highest that a run has had: its [mark](Reclaimed::mark) is
//!    kept, and each block is [renewed](super::Numbered::renew) from there.
//! 4. A run is given back whose blocks were free at two looks in a row: what is used again at once is
//!    not given back. The first run of a pool stays.

use std::time::{Duration, Instant};

use super::Realm;
use super::free::FreeNumbers;
use super::pool::{Blocks, Numbered, Pool, Pooled, size};
use crate::reaper::Next;
use crate::sync::{AllAtomic, Ordering, erase};

/// A block whose memory may go back to the system while nobody has it.
pub(crate) trait Reclaimed: Numbered + AllAtomic {
    /// Whether nothing is left of tenants before.
    fn may_go(&self) -> bool {
        true
    }

    /// What its next tenants must go on from: the greatest of a run is every one's.
    fn mark(&self) -> u64;
}

/// Which runs of a pool have gone back, and which may soon.
#[derive(Debug, Default)]
pub(super) struct Reclaim {
    /// Those that are nobody's and lie in no stock: their memory has gone, or waits to.
    gone: FreeNumbers,
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Run {
    /// It was free at the last look.
    was_free: bool,
    /// Of one that has gone.
    mark: u64,
}

impl Reclaim {
    fn run(&mut self, run: usize) -> &mut Run {
        let most = self.runs.len().max(run + 1);
        self.runs.resize(most, Run::default());
        &mut self.runs[run]
    }

    /// Whether a run goes now that is free or not: it was at the last look, or goes `at_once`.
    pub(super) fn may_go(&mut self, run: usize, is_free: bool, at_once: bool) -> bool {
        let run = self.run(run);
        let was_free = std::mem::replace(&mut run.was_free, is_free);
        is_free && (was_free || at_once)
    }

    /// One that has gone is nobody's for a moment.
    pub(super) fn comes_back(&mut self, run: usize) {
        self.gone.remove_all(run..run + 1);
    }

    pub(super) fn has_gone(&mut self, run: usize, mark: u64) {
        let was_free = false;
        *self.run(run) = Run { was_free, mark };
        self.gone.insert(run as u32);
    }

    /// The first that has gone, and is somebody's from now on, with its mark.
    pub(super) fn take(&mut self) -> Option<(usize, u64)> {
        let run = self.gone.take_one()? as usize;
        let was = std::mem::take(self.run(run));
        Some((run, was.mark))
    }
}

impl<T: Reclaimed> Pool<T> {
    /// Gives the memory of each run back of which nothing is used, and nothing was at the last look;
    /// or `at_once`, whatever was. `with` is told which, before anybody can have it again. Whether
    /// there are runs left that may go at another look.
    pub(super) fn give_back(&'static self, at_once: bool, with: impl Fn(usize)) -> bool {
        let mut is_left = false;
        for run in 1.. {
            let mut stock = self.stock.lock();
            let Some(blocks) = stock.runs.get(run) else {
                return is_left;
            };
            let items = blocks.items().expect("a pool grows run by run");
            if stock.reclaim.gone.has_all(run..run + 1) {
                continue;
            }
            let numbers = size::numbers(run);
            let is_free = stock.free.has_all(numbers.clone()) && items.iter().all(T::may_go);
            if !stock.reclaim.may_go(run, is_free, at_once) {
                is_left = true;
                continue;
            }
            stock.free.remove_all(numbers);
            drop(stock);
            let mark = items.iter().map(T::mark).max().unwrap_or(0);
            erase(items);
            with(run);
            self.stock.lock().reclaim.has_gone(run, mark);
        }
        is_left
    }
}

impl<T> Pool<T> {
    /// Whether it has grown since somebody asked.
    pub(super) fn has_grown(&self) -> bool {
        use std::sync::atomic::Ordering::Relaxed;

        self.has_grown.load(Relaxed) && self.has_grown.swap(false, Relaxed)
    }

    pub(super) fn set_has_grown(&self) {
        self.has_grown
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

impl<T: Pooled + AllAtomic> Pool<T> {
    /// Gives the memory of a run back that lies beside one that nobody has.
    pub(super) fn give_back_beside(&self, run: usize) {
        let items = self.stock.lock().runs.get(run).and_then(Blocks::items);
        if let Some(items) = items {
            erase(items);
        }
    }
}

/// How often somebody looks: what is not used goes at the second or third look.
const EVERY: Duration = Duration::from_secs(20);

impl Realm {
    /// Gives memory of tasks and trees back of which nothing is used, and nothing was at the last
    /// look; or `at_once`, whatever was. Whether some may go at another look.
    pub(crate) fn give_back(&'static self, at_once: bool) -> bool {
        if self.is_forked() {
            return false;
        }
        let beside = |run| {
            self.labels.give_back_beside(run);
            self.links.give_back_beside(run);
            self.shared.give_back_beside(run);
        };
        let slots = self.slots.give_back(at_once, beside);
        let trees = self.trees.give_back(at_once, |_| ());
        let kids = self.kids.give_back_emptied(at_once, &self.sections);
        let extras = self.extras.give_back_emptied(at_once, &self.sections);
        let cells = self.cells.give_back_emptied(at_once, &self.sections);
        slots || trees || kids || extras || cells
    }

    /// The same for who comes now and then. When to look again.
    pub(crate) fn give_back_idle(&'static self) -> Next {
        let now = Instant::now();
        let next = {
            let mut next = self.next_look.lock();
            let due = *next.get_or_insert(now + EVERY);
            if due <= now {
                *next = Some(now + EVERY);
            }
            due
        };
        match next.checked_duration_since(now) {
            Some(left) if !left.is_zero() => Next::In(left),
            _ if self.give_back(false) => Next::In(EVERY),
            _ => Next::Never,
        }
    }

    /// Whether there is more than what stays. In models memory goes when they say so.
    pub(crate) fn may_give_back(&self) -> bool {
        let stays = crate::sync::sized(size::BLOCKS, usize::MAX);
        self.slots.made.load(Ordering::Relaxed) as usize > stays
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::arena::tests::{live, names, realm};
    use crate::clock::Wall;
    use crate::id::Place;
    use crate::node::slot::{Birth, Slot, UNKNOWN};
    use crate::node::text::Text;
    use crate::tree::abort;

    /// So many runs beside the first.
    const RUNS: usize = 3;
    const COUNT: usize = (RUNS + 1) * size::BLOCKS;

    fn gone(realm: &'static Realm) -> usize {
        let first = |run: usize| realm.slots.get((run * size::BLOCKS) as u32);
        let is_gone = |slot: &Slot| slot.word.load().generation() == 0;
        (1..=RUNS).filter(|run| is_gone(first(*run))).count()
    }

    /// Each of them another's than all before.
    fn fill(realm: &'static Realm, seen: &mut HashSet<(u32, u32)>) -> Vec<&'static Slot> {
        let names = names(realm);
        let slots: Vec<_> = (0..COUNT).map(|_| live(realm, &names)).collect();
        for slot in &slots {
            let Place {
                slot: at,
                generation,
            } = slot.place(slot.word.born(0, 1));
            assert!(
                std::ptr::eq(realm.slots.get(at), *slot),
                "it knows its number"
            );
            assert!(
                seen.insert((at, generation)),
                "{at} was this tenant's before"
            );
        }
        slots
    }

    fn empty(realm: &'static Realm, slots: Vec<&'static Slot>) {
        std::thread::scope(|scope| {
            // What a thread keeps at hand goes with it.
            let free = || slots.iter().for_each(|slot| realm.release(slot, 1));
            scope.spawn(free).join().unwrap();
        });
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_of_slots_goes_back_and_no_id_comes_back() {
        let realm = realm();
        let mut seen = HashSet::new();
        for _ in 0..3 {
            let slots = fill(realm, &mut seen);
            assert!(realm.give_back(false) && realm.give_back(false));
            assert_eq!(gone(realm), 0, "all of it is used");
            empty(realm, slots);
            assert!(realm.give_back(false));
            assert_eq!(gone(realm), 0, "it may be used again at once");
            assert!(!realm.give_back(false));
            assert_eq!(gone(realm), RUNS);
            for (slot, generation) in &seen {
                let slot = realm.slots.find(*slot).unwrap();
                assert!(slot.word.acquire(*generation, 0).is_none());
            }
        }
        let made = realm.slots.made.load(Ordering::Relaxed) as usize;
        assert!(made <= COUNT + size::BLOCKS, "what went back is used first");
    }

    #[test]
    fn who_takes_a_slot_is_told_that_there_are_more_now() {
        let realm = realm();
        let (told, hears) = (std::cell::Cell::new(0), std::cell::Cell::new(true));
        let tell = || {
            told.set(told.get() + 1);
            hears.get()
        };
        let take = |count: usize| -> Vec<_> {
            let slots = (0..count).map(|_| realm.take_slot(tell).unwrap());
            slots.collect()
        };
        take(size::BLOCKS);
        assert_eq!(told.get(), 0, "those stay");
        let slots = take(2 * size::BLOCKS);
        assert_eq!(told.get(), 2);
        realm.slots.give_all(slots.into_iter());
        realm.give_back(true);
        take(2 * size::BLOCKS);
        assert!(told.get() > 2, "memory that went back is used again");
        // A manager whose memory nobody looks after leaves it to the next that makes a task.
        hears.set(false);
        take(size::BLOCKS);
        let before = told.get();
        hears.set(true);
        take(size::BATCH);
        assert_eq!(told.get(), before + 1);
        take(size::BATCH);
        assert_eq!(told.get(), before + 1, "somebody has heard of it");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_run_of_which_one_is_used_or_was_of_late_stays() {
        let realm = realm();
        let mut seen = HashSet::new();
        let mut slots = fill(realm, &mut seen);
        let survivor = slots.pop().unwrap();
        let place = survivor.place(survivor.word.load());
        empty(realm, slots);
        assert!(realm.give_back(false));
        assert!(realm.give_back(false), "one is left");
        assert_eq!(gone(realm), RUNS - 1);
        assert!(survivor.word.acquire(place.generation, 0).is_some());
        assert!(!survivor.word.release(1));
        // Looked at while it was free, used, and free again.
        empty(realm, vec![survivor]);
        realm.give_back(false);
        let slots = fill(realm, &mut seen);
        realm.give_back(false);
        empty(realm, slots);
        realm.give_back(false);
        assert_eq!(gone(realm), 0);
        assert!(!realm.give_back(true));
        assert_eq!(gone(realm), RUNS);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_climb_that_comes_too_late_is_not_led_in_a_circle() {
        let realm = realm();
        let names = names(realm);
        let slots: Vec<_> = (0..COUNT).map(|_| live(realm, &names)).collect();
        let (first, above) = (realm.slots.get(0), realm.slots.get(size::BLOCKS as u32));
        let tree = realm.trees.take_one().unwrap();
        tree.prepare();
        first.prepare(&Birth {
            now: (0, Wall(0)),
            started: true,
            parent: Some(above),
            tree,
            names: names.interned(),
            attributes: 0,
            sequence: 1,
            shard: 0,
            total: UNKNOWN,
        });
        for slot in &slots {
            assert!(slot.word.born(0, 1).is_live());
        }
        empty(realm, slots);
        realm.give_back(true);
        // What was given back tells number 0 for its parent.
        let parent = above.parent(realm).unwrap();
        assert!(std::ptr::eq(parent, first));
        assert!(abort::find_mark(first, tree, realm).is_none());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn epochs_of_trees_go_on_and_one_whose_texts_are_held_stays() {
        let realm = realm();
        let take = || -> Vec<_> {
            let trees = (0..COUNT).map(|_| realm.trees.take_one().unwrap());
            trees.inspect(|tree| tree.prepare()).collect()
        };
        let trees = take();
        let before: Vec<u64> = trees.iter().map(|tree| tree.epoch()).collect();
        let (aborted, holds) = (trees[size::BLOCKS + 7], trees[2 * size::BLOCKS + 7]);
        (0..5).for_each(|_| aborted.raise_epoch());
        let text = Text::of_error("no space", &holds.texts).kept();
        realm.trees.give_all(trees.into_iter());
        assert!(realm.give_back(true), "a text is held");
        drop(text);
        let trees = take();
        for (tree, before) in trees.iter().zip(before) {
            assert!(tree.epoch() >= before && !tree.may_be_aborted());
            assert!(std::ptr::eq(*tree, realm.trees.get(tree.number())));
        }
        assert!(aborted.epoch() > 6);
        realm.trees.give_all(trees.into_iter());
        assert!(!realm.give_back(true));
    }
}
