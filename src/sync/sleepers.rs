//! Where threads sleep until something happens to a task.
//!
//! A task has no latch of its own: most are never waited for. Its number finds a list of
//! those who sleep, which it shares with a few others, and each of them parks its thread.
//! Whoever changes what a sleeper looks at does so before it calls [`Sleepers::wake`]; the
//! sleeper looks under the lock of the list through which that goes, so either it sees the
//! change or it is on the list. Who wakes others takes them off it: what has come about is
//! theirs to see without a lock.

use super::{CachePadded, Deadline, Lock, Thread, current, park, park_timeout, sized, thread_id};

/// The models share the one list, to see several tasks on it.
const LISTS: usize = sized(64, 1);

#[derive(Debug)]
pub(crate) struct Sleepers(Box<[CachePadded<Lock<Vec<Sleeper>>>]>);

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

    fn list(&self, number: u32) -> &Lock<Vec<Sleeper>> {
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
            list.push(Sleeper { number, thread });
            drop(list);
            // Who else uses the thread's token, such as the host, looks again, too.
            match left.time() {
                Some(time) => park_timeout(time),
                None => park(),
            }
            // It was taken off the list, or is as soon as those are woken who look at this.
            if is_over() {
                return true;
            }
            // On the list still, if it has woken for no reason.
            let me = thread_id();
            list = self.list(number).lock();
            left = deadline.left();
            list.retain(|other| other.number != number || other.thread.id() != me);
        }
    }

    /// Wakes all who sleep because of this task, to look again.
    pub(crate) fn wake(&self, number: u32) {
        let mut list = self.list(number).lock();
        let Some(at) = list.iter().position(|sleeper| sleeper.number == number) else {
            return;
        };
        let first = list.swap_remove(at);
        let others: Vec<Sleeper> = list
            .extract_if(.., |other| other.number == number)
            .collect();
        drop(list);
        first.thread.unpark();
        others.iter().for_each(|sleeper| sleeper.thread.unpark());
    }
}
