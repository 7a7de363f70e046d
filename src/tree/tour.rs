//! Going through the live children of a task while others are born and fold.

use crate::arena::{NONE, Realm};
use crate::node::progress::Sums;
use crate::node::slot::Slot;
use crate::tree::family::{AT_ONCE, Family, Rare};
use crate::tree::kids::Kids;
use crate::tree::links::Siblings;

/// Somebody's way through the live children, a bounded number under each lock.
#[derive(Debug)]
pub(crate) struct Tour {
    kids: &'static Kids,
    /// Its number in each family there was when it began; one made later has newborns only.
    readers: Vec<u64>,
    /// The family that it has come to.
    at: usize,
}

impl Tour {
    /// What has folded so far, and a tour of what has not.
    pub(crate) fn start(kids: &'static Kids) -> (Sums, Self) {
        let mut sums = Sums::default();
        let readers = kids.families_from_the_first().map(|family| {
            let (folded, reader) = family.lock().start_reading();
            sums.merge(&folded);
            reader
        });
        let readers = readers.collect();
        let at = 0;
        (sums, Self { kids, readers, at })
    }

    /// Visits the next live children; `false` when there are no more.
    pub(crate) fn go_on(
        &mut self,
        realm: &'static Realm,
        visit: impl FnMut(&'static Slot),
    ) -> bool {
        let Some(&reader) = self.readers.get(self.at) else {
            return false;
        };
        if !self
            .kids
            .family(self.at)
            .lock()
            .read_on(reader, realm, visit)
        {
            self.at += 1;
        }
        self.at < self.readers.len()
    }

    /// Ends it; what has folded before it came there.
    pub(crate) fn stop(self) -> Sums {
        let mut missed = Sums::default();
        for (at, reader) in self.readers.into_iter().enumerate() {
            missed.merge(&self.kids.family(at).lock().stop_reading(reader));
        }
        missed
    }
}

/// Somebody who goes through the live children in pieces. Who folds meanwhile tells it:
/// what it has not come to yet is added to `missed`, so that nothing counts twice or never.
#[derive(Debug)]
pub(super) struct Reader {
    number: u64,
    pub(super) next: u32,
    pub(super) missed: Sums,
}

impl Family {
    /// Starts going through the live children. What has folded so far, and the reader's number.
    fn start_reading(&mut self) -> (Sums, u64) {
        let first = self.siblings.first;
        let rare = self.rare();
        rare.next_reader += 1;
        let number = rare.next_reader;
        rare.readers.push(Reader {
            number,
            next: first,
            missed: Sums::default(),
        });
        (self.sums.clone(), number)
    }

    /// Visits the next live children, as many as may be visited under one lock; `false`
    /// when there are no more.
    fn read_on(
        &mut self,
        reader: u64,
        realm: &'static Realm,
        mut visit: impl FnMut(&'static Slot),
    ) -> bool {
        let mut readers = readers(&mut self.rare);
        let Some(reader) = readers.find(|r| r.number == reader) else {
            return false;
        };
        for _ in 0..AT_ONCE {
            if reader.next == NONE {
                return false;
            }
            let child = realm.slots.get(reader.next);
            visit(child);
            reader.next = Siblings::after(reader.next, realm);
        }
        true
    }

    /// Ends a reading; what has folded before the reader came to it.
    fn stop_reading(&mut self, reader: u64) -> Sums {
        let readers = &mut self.rare().readers;
        match readers.iter().position(|r| r.number == reader) {
            Some(at) => readers.swap_remove(at).missed,
            None => Sums::default(),
        }
    }
}

#[inline(always)]
pub(super) fn readers(rare: &mut Option<Box<Rare>>) -> impl Iterator<Item = &mut Reader> {
    rare.iter_mut().flat_map(|rare| &mut rare.readers)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::Manager;

    #[test]
    fn prog_4_who_is_born_or_folds_between_two_pieces_is_told_once() {
        let manager = Manager::builder().build().unwrap();
        let parent = manager
            .register_module("m")
            .unwrap()
            .task("t")
            .start()
            .unwrap();
        let child = || parent.child("t").start().unwrap();
        let mut children: Vec<_> = (0..AT_ONCE + 10).map(|_| Some(child())).collect();
        let realm = parent.task.realm();
        let kids = parent.task.slot.kids(realm).unwrap();
        let (_, mut tour) = Tour::start(kids);
        let mut visited = 0;
        assert!(tour.go_on(realm, |_| visited += 1));
        assert_eq!(visited, AT_ONCE);
        let newborn = child();
        // One that was visited, and one that was not.
        for at in [0, AT_ONCE + 5] {
            children[at].take().unwrap().finish().unwrap();
        }
        while tour.go_on(realm, |_| visited += 1) {}
        assert_eq!(
            visited,
            AT_ONCE + 10,
            "the newborn instead of the one that folded"
        );
        let missed = format!("{:?}", tour.stop());
        assert!(missed.contains("known: 1,"), "{missed}");
        drop(newborn);
    }

    #[test]
    fn prog_4_two_who_go_through_the_same_children_each_meet_all_of_them() {
        let manager = Manager::builder().build().unwrap();
        let module = manager.register_module("m").unwrap();
        let parent = module.task("t").start().unwrap();
        let child = || parent.child("t").start().unwrap();
        let mut children: Vec<_> = (0..AT_ONCE + 10).map(|_| Some(child())).collect();
        let realm = parent.task.realm();
        let kids = parent.task.slot.kids(realm).unwrap();
        let mut tours = [(); 2].map(|()| Tour::start(kids).1);
        let mut visited = [0; 2];
        let mut go_on = |at: usize, tour: &mut Tour| {
            let goes_on = tour.go_on(realm, |_| visited[at] += 1);
            (goes_on, visited[at])
        };
        assert_eq!(go_on(0, &mut tours[0]), (true, AT_ONCE));
        // Before the one, and behind the other.
        children[3].take().unwrap().finish().unwrap();
        assert_eq!(go_on(1, &mut tours[1]), (true, AT_ONCE));
        assert_eq!(go_on(1, &mut tours[1]), (false, AT_ONCE + 9));
        assert_eq!(go_on(0, &mut tours[0]), (false, AT_ONCE + 10));
        let [first, second] = tours.map(|tour| format!("{:?}", tour.stop()));
        assert!(first.contains("known: 0,"), "{first}");
        assert!(second.contains("known: 1,"), "{second}");
    }
}
