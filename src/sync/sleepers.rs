//! Where threads sleep until something happens to a task.
//!
//! A task has no latch of its own: most are never waited for. Its number finds a list of
//! those who sleep, which it shares with a few others, and each of them parks its thread.
//! Whoever changes what a sleeper looks at does so before it calls [`Sleepers::wake`]; the
//! sleeper looks under the lock of the list through which that goes, so either it sees the
//! change or it is on the list.
//!
//! To wake a thread costs microseconds, so nobody wakes thousands. Who ends a task takes all its
//! sleepers off the list, wakes a few, and leaves the others to them: each that comes out of its
//! sleep, whatever has woken it, goes through the lock once and wakes some of those that are left.
//! It has taken itself off by then, or was taken off before; so nobody is left to one who has gone.

use super::{CachePadded, Deadline, Lock, Thread, current, park, park_timeout, sized, thread_id};

/// The models share the one list, to see several tasks on it.
const LISTS: usize = sized(64, 1);

/// So many are woken by one thread.
const AT_ONCE: usize = sized(4, 1);

#[derive(Debug)]
pub(crate) struct Sleepers(Box<[CachePadded<Lock<List>>]>);

#[derive(Debug, Default)]
struct List {
    sleeping: Vec<Sleeper>,
    /// They are to be woken by those who come out of their sleep.
    waking: Vec<Thread>,
}

#[derive(Debug)]
struct Sleeper {
    /// What it has to do with.
    number: u32,
    thread: Thread,
}

impl Sleepers {
    pub(crate) fn new() -> Self {
        Self((0..LISTS).map(|_| CachePadded::default()).collect())
    }

    fn list(&self, number: u32) -> &Lock<List> {
        &self.0[number as usize % LISTS]
    }

    /// Sleeps until `is_over`, or `false` once the deadline has passed before.
    ///
    /// `is_over` is asked under the list's lock, and takes no other.
    pub(crate) fn sleep(
        &self,
        number: u32,
        deadline: &Deadline,
        is_over: impl Fn() -> bool,
    ) -> bool {
        let mut list = self.list(number).lock();
        let (deadline, mut left) = deadline.begin();
        loop {
            // Asked after the clock was: what is over before the deadline is no timeout.
            if is_over() {
                return true;
            }
            if left.is_nothing() {
                return false;
            }
            let thread = current();
            list.sleeping.push(Sleeper { number, thread });
            drop(list);
            // Who else uses the thread's token, such as the host, looks again, too.
            match left.time() {
                Some(time) => park_timeout(time),
                None => park(),
            }
            list = self.list(number).lock();
            list.forget(number);
            let some = list.take_some(AT_ONCE);
            if !some.is_empty() {
                drop(list);
                some.iter().for_each(Thread::unpark);
                list = self.list(number).lock();
            }
            left = deadline.left();
        }
    }

    /// Wakes all who sleep because of this task, to look again.
    pub(crate) fn wake(&self, number: u32) {
        let mut list = self.list(number).lock();
        let Some(first) = list.take_all(number) else {
            return;
        };
        let others = list.take_some(AT_ONCE - 1);
        drop(list);
        first.unpark();
        others.iter().for_each(Thread::unpark);
    }
}

impl List {
    /// Takes this thread off, if it has woken for no reason.
    fn forget(&mut self, number: u32) {
        if !self.sleeping.is_empty() {
            let me = thread_id();
            self.sleeping
                .retain(|other| other.number != number || other.thread.id() != me);
        }
    }

    /// Takes the sleepers of a task off: the first, and the others as those that are to be woken.
    fn take_all(&mut self, number: u32) -> Option<Thread> {
        let of_task = |other: &Sleeper| other.number == number;
        let at = self.sleeping.iter().position(of_task)?;
        let first = self.sleeping.swap_remove(at);
        let others = self.sleeping.extract_if(at.., |other| of_task(other));
        self.waking.extend(others.map(|other| other.thread));
        Some(first.thread)
    }

    /// At most so many of those that are to be woken.
    fn take_some(&mut self, most: usize) -> Vec<Thread> {
        let rest = self.waking.len().saturating_sub(most);
        let some = self.waking.split_off(rest);
        if rest == 0 {
            self.waking = Vec::new();
        }
        some
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    /// Another thread's handle, which outlives it.
    fn another() -> Thread {
        let thread = std::thread::spawn(|| ());
        let handle = thread.thread().clone();
        thread.join().unwrap();
        handle
    }

    #[test]
    fn wait_4_who_comes_out_of_its_sleep_takes_itself_alone_off() {
        let other = another();
        let all = [
            (1, current()),
            (2, current()),
            (1, other.clone()),
            (2, other),
        ];
        let sleepers = all.map(|(number, thread)| Sleeper { number, thread });
        let mut list = List {
            sleeping: sleepers.into(),
            waking: Vec::new(),
        };
        let is_mine = |sleeper: &Sleeper| (sleeper.number, sleeper.thread.id() == thread_id());
        list.forget(1);
        let left: Vec<_> = list.sleeping.iter().map(is_mine).collect();
        assert_eq!(left, [(2, true), (1, false), (2, false)]);
    }

    #[test]
    fn wait_4_who_wakes_the_sleepers_of_a_task_leaves_those_of_others_at_its_list() {
        let sleepers = Sleepers::new();
        let (other, thread) = (1 + LISTS as u32, another());
        let numbers = [1, other, 1].into_iter().chain([1; AT_ONCE]);
        let sleeping = numbers.map(|number| Sleeper {
            number,
            thread: thread.clone(),
        });
        sleepers.list(1).lock().sleeping.extend(sleeping);
        for (number, left) in [(2, [AT_ONCE + 3, 0]), (1, [1, 2]), (other, [0, 0])] {
            sleepers.wake(number);
            let list = sleepers.list(1).lock();
            assert_eq!([list.sleeping.len(), list.waking.len()], left);
            assert!(left[0] != 1 || list.sleeping[0].number == other);
        }
    }

    #[test]
    fn wait_4_who_has_slept_is_on_no_list_and_wakes_those_that_were_left_to_it() {
        let sleepers = Sleepers::new();
        let asked = std::cell::Cell::new(0);
        // This thread is among them, so its second sleep is over as soon as it has woken them; the
        // first is, as its token is there.
        sleepers.list(1).lock().waking = vec![current(); 3 * AT_ONCE];
        current().unpark();
        let deadline = Deadline::after(std::time::Duration::from_secs(60));
        let slept = sleepers.sleep(1, &deadline, || asked.replace(asked.get() + 1) == 2);
        assert!(slept, "asked {} times", asked.get());
        let list = sleepers.list(1).lock();
        assert_eq!((list.sleeping.len(), list.waking.len()), (0, AT_ONCE));
    }

    #[test]
    fn wait_4_who_wakes_thousands_wakes_a_few_and_leaves_the_others_to_them() {
        const SLEEPERS: usize = 10_000;
        let mut list = List::default();
        let sleeper = |number| Sleeper {
            number,
            thread: current(),
        };
        list.sleeping.extend((0..SLEEPERS).map(|_| sleeper(1)));
        list.sleeping.push(sleeper(2));
        assert!(list.take_all(1).is_some() && list.take_all(1).is_none());
        let mut woken = 1;
        while !list.waking.is_empty() {
            let some = list.take_some(AT_ONCE).len();
            assert!((1..=AT_ONCE).contains(&some), "{some} at once");
            woken += some;
        }
        assert_eq!((woken, list.sleeping.len()), (SLEEPERS, 1));
        assert_eq!(list.waking.capacity(), 0, "the room goes with them");
    }
}
