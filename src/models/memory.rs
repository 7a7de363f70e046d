//! Memory that goes back, against those who look at what was there.

use std::marker::PhantomData;

use loom::cell::UnsafeCell;
use loom::thread;

use super::{Host, check};
use crate::arena::{Emptied, Numbered, Pool, Pooled, Realm, Sections};

/// A block in which loom sees who looks at it, and that it is dropped.
struct Block {
    number: u32,
    inside: UnsafeCell<PhantomData<u32>>,
}

// SAFETY: it is written to when it is dropped alone; that nobody looks at it then is what is modelled.
#[allow(unsafe_code)]
unsafe impl Sync for Block {}

impl Pooled for Block {
    fn new(number: u32) -> Self {
        Self {
            number,
            inside: UnsafeCell::new(PhantomData),
        }
    }
}

impl Numbered for Block {
    fn number(&self) -> u32 {
        self.number
    }
}

impl Emptied for Block {}

impl Drop for Block {
    fn drop(&mut self) {
        self.inside.with_mut(|_| ());
    }
}

struct Process {
    blocks: Pool<Block>,
    sections: Sections,
}

impl Process {
    /// With as many blocks as there are in two runs.
    fn new() -> (&'static Self, Vec<&'static Block>) {
        let process: &'static Self = Box::leak(Box::new(Self {
            blocks: Pool::new(),
            sections: Sections::new(),
        }));
        let blocks = (0..4).map(|_| process.blocks.take_one().unwrap()).collect();
        (process, blocks)
    }

    fn look(&'static self, number: u32) -> bool {
        let _section = self.sections.enter();
        let found = self.blocks.find(number);
        found.is_some_and(|block| block.inside.with(|_| block.number == number))
    }
}

/// Fails if a run goes that is not unlinked before, if a look begins before its section or ends after
/// it, or if the counters are looked at before the run is unlinked.
#[test]
fn look_in_a_section_vs_memory_that_goes_back() {
    check(3, || {
        let (process, taken) = Process::new();
        let last = taken[3].number;
        taken
            .into_iter()
            .for_each(|block| process.blocks.give(block));
        let looker = thread::spawn(move || process.look(last));
        process.blocks.give_back_emptied(true, &process.sections);
        let was_found = looker.join().unwrap();
        assert!(
            was_found || !process.look(last),
            "it stays where somebody looks at it"
        );
        // At another look it goes, and comes again.
        assert!(!process.blocks.give_back_emptied(true, &process.sections));
        assert!(!process.look(last));
        let again = (0..4).map(|_| process.blocks.take_one().unwrap());
        let numbers: Vec<u32> = again.map(|block| block.number).collect();
        assert!(numbers.contains(&last) && process.look(last));
    });
}

/// Fails if what waits for those who look is not found again by who needs it.
#[test]
fn next_owner_vs_memory_that_goes_back() {
    check(3, || {
        let (process, taken) = Process::new();
        taken
            .into_iter()
            .for_each(|block| process.blocks.give(block));
        let taker = thread::spawn(move || {
            let taken: Vec<_> = (0..4).map(|_| process.blocks.take_one().unwrap()).collect();
            taken
                .iter()
                .map(|block| block.inside.with(|_| block.number))
                .collect::<Vec<u32>>()
        });
        let section = process.sections.enter();
        process.blocks.give_back_emptied(true, &process.sections);
        drop(section);
        process.blocks.give_back_emptied(true, &process.sections);
        let numbers = taker.join().unwrap();
        let different: std::collections::HashSet<u32> = numbers.iter().copied().collect();
        assert_eq!(different.len(), numbers.len());
        assert!(numbers.into_iter().all(|number| process.look(number)));
    });
}

/// life_2. Fails if one of two who end a task by shared handles looks at the kids of a parent that is
/// gone outside of a section.
#[test]
fn loser_of_a_shared_end_vs_memory_of_its_parent() {
    check(2, || {
        let host = Host::new();
        let realm = Realm::current().unwrap();
        // The first run, which stays, is somebody's.
        let _taken = [(); 2].map(|()| realm.kids.take_one().unwrap());
        let root = host.root();
        let child = root.child("part").start().unwrap().share();
        let other = child.clone();
        let loser = thread::spawn(move || other.finish().is_ok());
        let mut ended = usize::from(child.finish().is_ok());
        drop(child);
        root.finish().unwrap();
        for _ in 0..2 {
            realm.kids.give_back_emptied(true, &realm.sections);
        }
        ended += usize::from(loser.join().unwrap());
        assert_eq!(ended, 1);
    });
}
