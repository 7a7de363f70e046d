//! Who is to be called when an abort reaches it.
//!
//! One lock beside the tree guards the callbacks that wait, and says which of them are running,
//! and on what threads. A callback has one owner: whoever takes it off the list, aborter or
//! finisher, so it runs at most once. Who takes it off to run it says so under the same lock,
//! and again when it is over, so that whoever forgets it either finds it on the list, or
//! running, or over.

use std::fmt;

use crate::arena::{Pooled, Realm, no_memory};
use crate::error::Result;
use crate::node::callback;
use crate::node::extras::AbortTicket;
use crate::node::slot::Slot;
use crate::sync::{Condvar, Deadline, Guard, Lock, Ordering, ThreadId, fence, thread_id};

pub(crate) type AbortCallback = Box<dyn FnOnce() + Send>;

/// The abort callbacks of a tree.
#[derive(Debug, Default)]
pub(crate) struct Hooks {
    list: Lock<List>,
    /// Notified when a callback is over.
    over: Condvar,
}

#[derive(Default)]
pub(crate) struct List {
    places: Vec<Place>,
    /// The first of the free places.
    free: Option<u32>,
    waiting: usize,
    /// Never starts again, so that a ticket of an earlier tree finds nothing; 64 bits of
    /// callbacks are more than any process calls.
    stamp: u64,
    /// One for each thread that is calling somebody, more if callbacks abort.
    running: Vec<(u64, ThreadId)>,
}

enum Place {
    /// And the next that is free.
    Free(Option<u32>),
    Taken {
        stamp: u64,
        slot: &'static Slot,
        callback: AbortCallback,
    },
}

/// How many places an aborter looks at before it lets others pass.
const STRETCH: usize = 1_024;

/// So much room stays when the last callback has gone.
const KEPT_ROOM: usize = 64;

impl Pooled for Hooks {
    fn new(_: u32) -> Self {
        Self::default()
    }
}

impl Hooks {
    /// Those of the task's tree, for who has marked the task. None, as in most trees, if nobody has
    /// ever entered.
    ///
    /// By the number in the slot, which the caller holds: who is late finds those of another tree,
    /// and the tree's block may be nobody's.
    pub(crate) fn find(slot: &'static Slot, realm: &'static Realm) -> Option<&'static Self> {
        // Whoever aborts marks and then looks for the list; whoever enters makes it and then looks
        // for a mark. Between these the fences stand, so that one of two sees the other.
        fence(Ordering::SeqCst);
        realm.hooks.find(slot.tree_number())
    }

    /// The same for who enters.
    pub(crate) fn make(slot: &'static Slot, realm: &'static Realm) -> Result<&'static Self> {
        let hooks = realm.hooks.try_beside(slot.tree_number());
        fence(Ordering::SeqCst);
        hooks.ok_or_else(no_memory)
    }

    pub(crate) fn lock(&self) -> Guard<'_, List> {
        self.list.lock()
    }

    /// Calls all whom an abort reaches, on this thread, with no lock held. Whoever was on the
    /// list before the first look is met: a place is never given to another while it is taken.
    pub(crate) fn call(&self, is_reached: impl Fn(&'static Slot) -> bool) {
        let mut list = self.list.lock();
        if list.is_empty() {
            return;
        }
        let (me, mut at) = (thread_id(), 0);
        while !list.is_empty() && at < list.places.len() {
            let end = list.places.len().min(at + STRETCH);
            let found = (at..end).find(|at| list.places[*at].is_taken_by(&is_reached));
            at = found.map_or(end, |found| found + 1);
            let called = found.and_then(|found| list.start_at(found as u32, me));
            drop(list);
            let stamp = match called {
                Some((stamp, callback)) => match callback::shelter(callback).is_ours() {
                    true => Some(stamp),
                    false => return,
                },
                None => None,
            };
            list = self.list.lock();
            if let Some(stamp) = stamp {
                list.end(stamp);
                self.over.notify_all();
            }
        }
        let room = list.spare_room();
        drop(list);
        drop(room);
    }

    /// Calls those that still wait, in the same way.
    pub(crate) fn call_each(&self, tickets: Vec<AbortTicket>) {
        for ticket in tickets {
            let called = self.list.lock().start(ticket);
            if let Some(callback) = called
                && !self.run(ticket, callback)
            {
                return;
            }
        }
    }

    /// Runs a callback that this thread has taken off; `false` in a child that it has forked.
    pub(crate) fn run(&self, ticket: AbortTicket, callback: AbortCallback) -> bool {
        let is_ours = callback::shelter(callback).is_ours();
        if is_ours {
            let mut list = self.list.lock();
            list.end(ticket.stamp);
            let room = list.spare_room();
            drop(list);
            drop(room);
            self.over.notify_all();
        }
        is_ours
    }

    /// Once this returns the callback does not run any more: it waits for one that runs on
    /// another thread, but neither for its own, nor inside another callback, where two that
    /// wait for each other would never end. `false` if it runs still.
    pub(crate) fn forget(&self, ticket: AbortTicket) -> bool {
        let mut list = self.list.lock();
        if let Some(callback) = list.remove(ticket) {
            let room = list.spare_room();
            drop(list);
            drop(room);
            // Under the shelter under which it would have run: whoever ends a task goes on.
            callback::shelter(move || drop(callback));
            return true;
        }
        while !callback::is_inside() && list.runs_elsewhere(ticket) {
            list = self.over.wait(list, &Deadline::Never);
        }
        !list.runs(ticket)
    }
}

impl List {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    pub(crate) fn add(&mut self, slot: &'static Slot, callback: AbortCallback) -> AbortTicket {
        self.stamp += 1;
        self.waiting += 1;
        let stamp = self.stamp;
        let taken = Place::Taken {
            stamp,
            slot,
            callback,
        };
        let at = match self.free {
            Some(at) => {
                let place = &mut self.places[at as usize];
                if let Place::Free(next) = std::mem::replace(place, taken) {
                    self.free = next;
                }
                at
            }
            None => {
                self.places.push(taken);
                (self.places.len() - 1) as u32
            }
        };
        let tree = slot.tree_number();
        AbortTicket { tree, at, stamp }
    }

    /// Takes a callback off that the caller is about to run.
    pub(crate) fn start(&mut self, ticket: AbortTicket) -> Option<AbortCallback> {
        let callback = self.remove(ticket)?;
        self.running.push((ticket.stamp, thread_id()));
        Some(callback)
    }

    fn start_at(&mut self, at: u32, thread: ThreadId) -> Option<(u64, AbortCallback)> {
        let (stamp, callback) = self.vacate(at)?;
        self.running.push((stamp, thread));
        Some((stamp, callback))
    }

    fn end(&mut self, stamp: u64) {
        self.running.retain(|(running, _)| *running != stamp);
    }

    fn remove(&mut self, ticket: AbortTicket) -> Option<AbortCallback> {
        match self.places.get(ticket.at as usize)? {
            Place::Taken { stamp, .. } if *stamp == ticket.stamp => {
                self.vacate(ticket.at).map(|(_, callback)| callback)
            }
            _ => None,
        }
    }

    fn vacate(&mut self, at: u32) -> Option<(u64, AbortCallback)> {
        let free = Place::Free(self.free);
        match std::mem::replace(self.places.get_mut(at as usize)?, free) {
            Place::Taken {
                stamp, callback, ..
            } => {
                self.free = Some(at);
                self.waiting -= 1;
                Some((stamp, callback))
            }
            Place::Free(next) => {
                self.places[at as usize] = Place::Free(next);
                None
            }
        }
    }

    fn runs(&self, ticket: AbortTicket) -> bool {
        self.running.iter().any(|(stamp, _)| *stamp == ticket.stamp)
    }

    fn runs_elsewhere(&self, ticket: AbortTicket) -> bool {
        let mut running = self.running.iter();
        running.any(|(stamp, thread)| *stamp == ticket.stamp && *thread != thread_id())
    }

    /// The room of the places once nobody waits, to be dropped without the lock.
    fn spare_room(&mut self) -> Vec<Place> {
        if !self.is_empty() || self.places.capacity() <= KEPT_ROOM {
            return Vec::new();
        }
        self.free = None;
        std::mem::take(&mut self.places)
    }
}

impl Place {
    fn is_taken_by(&self, is_reached: impl Fn(&'static Slot) -> bool) -> bool {
        match self {
            Self::Taken { slot, .. } => is_reached(slot),
            Self::Free(_) => false,
        }
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} abort callbacks", self.waiting)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn slot() -> &'static Slot {
        static SLOT: std::sync::OnceLock<Slot> = std::sync::OnceLock::new();
        SLOT.get_or_init(|| Slot::new(0))
    }

    fn add(list: &mut List) -> AbortTicket {
        list.add(slot(), Box::new(|| {}))
    }

    #[test]
    fn abort_4_a_place_is_another_callbacks_once_it_is_free() {
        let mut list = List::default();
        let first = [(); 3].map(|()| add(&mut list));
        assert_eq!(first.map(|ticket| ticket.at), [0, 1, 2]);
        assert!(list.remove(first[0]).is_some() && list.remove(first[2]).is_some());
        assert!(list.remove(first[2]).is_none(), "it is taken off once");
        let then = [(); 3].map(|()| add(&mut list));
        assert_eq!(then.map(|ticket| ticket.at), [2, 0, 3]);
        for gone in [first[0], first[2]] {
            assert!(list.remove(gone).is_none(), "another is there by now");
        }
        for there in [first[1], then[0], then[1], then[2]] {
            assert!(!list.is_empty());
            assert!(list.remove(there).is_some());
        }
        assert!(list.is_empty());
    }

    #[test]
    fn abort_4_the_room_of_many_callbacks_is_given_back_with_the_last() {
        for count in [KEPT_ROOM, KEPT_ROOM * 4] {
            let mut list = List::default();
            let tickets: Vec<AbortTicket> = (0..count).map(|_| add(&mut list)).collect();
            assert_eq!(list.spare_room().len(), 0, "somebody waits");
            for ticket in tickets {
                assert!(list.remove(ticket).is_some());
            }
            let spare = list.spare_room().len();
            assert_eq!(spare, if count > KEPT_ROOM { count } else { 0 });
            assert!(list.places.capacity() <= KEPT_ROOM);
            // And it goes on.
            let next = add(&mut list);
            assert!(list.start(next).is_some() && list.is_empty());
        }
    }

    #[test]
    fn abort_4_who_runs_where_is_known() {
        let mut list = List::default();
        let [mine, theirs, waits] = [(); 3].map(|()| add(&mut list));
        assert!(list.start(mine).is_some());
        let list = Lock::new(list);
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(list.lock().start(theirs).is_some()));
        });
        let mut list = list.lock();
        let elsewhere = |list: &List| [mine, theirs, waits].map(|it| list.runs_elsewhere(it));
        assert_eq!(elsewhere(&list), [false, true, false]);
        list.end(mine.stamp);
        assert_eq!(elsewhere(&list), [false, true, false]);
        list.end(theirs.stamp);
        assert_eq!(elsewhere(&list), [false; 3]);
    }
}
