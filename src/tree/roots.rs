//! The registered roots of a module, in order of their births: all that is registered hangs on
//! one of them, so that whoever looks for tasks does not come by those of other managers, or by
//! memory where some lived once.

use std::collections::HashMap;

use crate::arena::{Held, NONE, Numbered, Realm};
use crate::bulk::{Bulk, LIST};
use crate::error::Result;
use crate::node::slot::Slot;
use crate::sync::{Guard, Lock, sized};
use crate::tree::links;

/// So many are looked at under one lock.
const AT_ONCE: usize = sized(1024, 2);
/// So few vacant places stay as they are.
const FEW: usize = sized(32, 1);

/// The roots of a module, and the lock under which they are born.
#[derive(Debug, Default)]
pub(crate) struct Roots(Lock<List>);

#[derive(Debug, Default)]
pub(crate) struct List {
    /// The numbers of their slots; [`NONE`] where one has left. A root's place in here lies in
    /// its links, as it has no siblings.
    slots: Vec<u32>,
    vacant: usize,
    /// How many have left; others close up, or come to their places, only then.
    left: u64,
    /// The last number of each shard: one for each root, of which no module has 2^64.
    sequences: HashMap<u32, u64>,
}

impl List {
    /// Whether there is memory for another, of whatever shard.
    pub(crate) fn make_room(&mut self) -> bool {
        self.slots.try_reserve(1).is_ok() && self.sequences.try_reserve(1).is_ok()
    }

    /// The number of the next root of a shard.
    #[inline]
    pub(crate) fn next_sequence(&mut self, shard: u32) -> u64 {
        let last = self.sequences.entry(shard).or_default();
        *last += 1;
        *last
    }

    /// Adds the youngest.
    #[inline]
    pub(crate) fn enter(&mut self, root: &'static Slot, realm: &'static Realm) {
        links::set_place(root.number(), self.slots.len() as u32, realm);
        self.slots.push(root.number());
    }

    fn leave(&mut self, root: &'static Slot, realm: &'static Realm) {
        let place = links::place(root.number(), realm) as usize;
        debug_assert_eq!(self.slots[place], root.number());
        self.slots[place] = NONE;
        self.vacant += 1;
        self.left += 1;
        while self.slots.last() == Some(&NONE) {
            self.slots.pop();
            self.vacant -= 1;
        }
        if self.vacant > FEW && self.vacant > self.slots.len() / 2 {
            self.close_up(realm);
        }
        if self.slots.capacity() / 4 > self.slots.len().max(FEW) {
            self.slots.shrink_to(self.slots.len() * 2);
        }
    }

    /// Once half of them have left: a step for each in the long run.
    #[cold]
    fn close_up(&mut self, realm: &'static Realm) {
        self.slots.retain(|number| *number != NONE);
        for (place, number) in self.slots.iter().enumerate() {
            links::set_place(*number, place as u32, realm);
        }
        self.vacant = 0;
    }
}

impl Roots {
    pub(crate) fn lock(&self) -> Guard<'_, List> {
        self.0.lock()
    }

    /// Takes one out, whose registration has yet to give its reference back.
    pub(crate) fn leave(&self, root: &'static Slot, realm: &'static Realm) {
        self.0.lock().leave(root, realm);
    }

    pub(crate) fn are_none(&self) -> bool {
        self.0.lock().slots.is_empty()
    }

    /// The next registration of the module numbers its roots from 1.
    pub(crate) fn begin_anew(&self) {
        self.0.lock().sequences = HashMap::new();
    }

    /// The numbers of the slots in which they live, the oldest first as far as they were born one
    /// after the other. Nobody holds them: whoever reads one looks at its word.
    pub(crate) fn slots(&self) -> Result<impl Iterator<Item = u32>> {
        let mut numbers = Bulk::new();
        if !self.each(|number| numbers.push_with(|| number)) {
            numbers.all_mut().sort_unstable();
            numbers.all_mut().dedup();
        }
        Ok(numbers.in_full(&LIST)?.into_iter().rev())
    }

    /// All of them, held.
    pub(crate) fn hold(&self, realm: &'static Realm) -> Bulk<Held> {
        let mut roots = Bulk::new();
        // Who is on the list has its registration's reference.
        if !self.each(|number| roots.push_with(|| Held::retain(realm.slots.get(number)))) {
            let roots = roots.all_mut();
            roots.sort_unstable_by_key(|root| root.slot().number());
            roots.dedup_by_key(|root| root.slot().number());
        }
        roots
    }

    /// Meets everybody who is on the list all the while, and perhaps some who come or leave
    /// meanwhile, the youngest first; `false` if some may have been met twice.
    fn each(&self, mut meet: impl FnMut(u32)) -> bool {
        let (mut end, mut left) = (usize::MAX, None);
        loop {
            let list = self.0.lock();
            // From the end on, as they close up towards the beginning: so nobody is missed.
            let here = end.min(list.slots.len());
            end = here.saturating_sub(AT_ONCE);
            let numbers = list.slots[end..here].iter().rev();
            numbers
                .filter(|number| **number != NONE)
                .for_each(|number| meet(*number));
            let before = *left.get_or_insert(list.left);
            if end == 0 {
                return list.left == before;
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::{Manager, Task};

    use super::*;

    #[test]
    fn list_1_who_stays_is_met_whoever_leaves_meanwhile_and_places_are_given_back() {
        let manager = Manager::builder().build().unwrap();
        let module = manager.register_module("repair").unwrap();
        let roots = &module.registration.core.group.roots;
        let mut tasks: Vec<Option<Task>> = (0..4 * AT_ONCE)
            .map(|_| Some(module.task("repair").start().unwrap()))
            .collect();
        let number = |task: &Task| task.task.slot.number();
        let stay: Vec<u32> = tasks[7..].iter().step_by(8).flatten().map(number).collect();
        // Somebody else has the lock between two pieces: most leave there, and the rest closes up.
        let (send, leaves) = std::sync::mpsc::channel();
        let (left, wait) = std::sync::mpsc::channel();
        let (met, once) = std::thread::scope(|scope| {
            scope.spawn(move || {
                leaves.recv().unwrap();
                for (at, task) in tasks.iter_mut().enumerate() {
                    if at % 8 != 7 {
                        drop(task.take());
                    }
                }
                left.send(tasks).unwrap();
            });
            let mut met = Vec::new();
            let once = roots.each(|number| {
                met.push(number);
                if met.len() == AT_ONCE {
                    send.send(()).unwrap();
                }
            });
            (met, once)
        });
        let tasks = wait.recv().unwrap();
        assert!(stay.iter().all(|number| met.contains(number)));
        assert!(
            !once || met.len() == 4 * AT_ONCE,
            "who is met twice is told of"
        );
        let now: Vec<u32> = roots.slots().unwrap().collect();
        assert_eq!(now, stay, "in order of their births");
        drop(tasks);
        let list = roots.lock();
        assert!(list.slots.is_empty() && list.slots.capacity() <= 4 * FEW);
    }
}
