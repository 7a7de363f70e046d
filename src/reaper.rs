//! The thread that forgets what has expired: one for all managers of a process, and none while
//! no manager keeps anything.
//!
//! 1. A manager is added once it keeps a root, and removed when it is closed or dropped. The first
//!    begins the thread; with the last the thread is told to end. None is added that is closing:
//!    who adds it looks under the lock through which whoever closes it goes afterwards.
//! 2. A thread that was told to end ends, whatever is added meanwhile: each has a number, and the
//!    next manager begins another. So whoever waits for its end waits for nobody else's sake.
//! 3. Who has something earlier for the thread says so under the lock under which it falls asleep,
//!    after it can be found. The thread takes back that something has changed before it looks.
//! 4. No lock is held while a manager is looked through.

use std::io;
use std::time::Duration;

use crate::sync::{Condvar, Deadline, Lock, fork_depth};

/// A manager, as the thread sees it.
pub(crate) trait Reaped: Copy + PartialEq {
    /// Forgets some whose time has come; when to look again.
    fn reap(self) -> Next;
}

/// When there is something to forget; the earliest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Next {
    Now,
    In(Duration),
    Never,
}

#[derive(Debug)]
pub(crate) struct Reaper<M> {
    state: Lock<State<M>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<M> {
    /// Those that keep something.
    managers: Vec<M>,
    /// The number of the thread that serves them.
    serves: Option<u64>,
    has_changed: bool,
}

impl<M> Default for Reaper<M> {
    fn default() -> Self {
        Self {
            state: Lock::new(State {
                managers: Vec::new(),
                serves: None,
                has_changed: false,
            }),
            changed: Condvar::default(),
        }
    }
}

impl<M: Reaped> Reaper<M> {
    /// The manager keeps something from now on. If there is no thread, `begin` begins one that
    /// calls [`serve`](Self::serve) with its number. Whether it was added: not if it is closing,
    /// or no thread is to be had.
    pub(crate) fn add(
        &self,
        manager: M,
        is_open: impl FnOnce() -> bool,
        begin: impl FnOnce() -> io::Result<u64>,
    ) -> bool {
        let mut state = self.state.lock();
        if !is_open() {
            return false;
        }
        if state.serves.is_none() {
            state.serves = begin().ok();
            if state.serves.is_none() {
                return false;
            }
        }
        state.managers.push(manager);
        drop(state);
        self.wake();
        true
    }

    /// Something is to be forgotten earlier than the thread knows; whether there is one.
    pub(crate) fn wake(&self) -> bool {
        let mut state = self.state.lock();
        state.has_changed = true;
        let is_there = state.serves.is_some();
        drop(state);
        self.changed.notify_all();
        is_there
    }

    /// The manager keeps nothing any more. The number of the thread that was told to end, if it
    /// was the last.
    pub(crate) fn remove(&self, manager: M) -> Option<u64> {
        let mut state = self.state.lock();
        state.managers.retain(|other| *other != manager);
        let is_last = state.managers.is_empty();
        let ends = is_last.then(|| state.serves.take()).flatten();
        drop(state);
        self.changed.notify_all();
        ends
    }

    /// What the thread of this number does; and, each time, something `else_to_do`, which says when
    /// it is to be done again.
    pub(crate) fn serve(&self, number: u64, else_to_do: impl Fn() -> Next) {
        let depth = fork_depth();
        let mut state = self.state.lock();
        while state.serves == Some(number) {
            state.has_changed = false;
            let managers = state.managers.clone();
            drop(state);
            let mut next = else_to_do();
            for manager in managers {
                next = next.min(manager.reap());
                if depth != fork_depth() {
                    // A child forked by what the host's data did as it was dropped.
                    return;
                }
            }
            state = self.state.lock();
            let deadline = match next {
                Next::Now => continue,
                Next::In(time) => Deadline::after(time),
                Next::Never => Deadline::Never,
            };
            if state.serves == Some(number) && !state.has_changed {
                state = self.changed.wait(state, &deadline);
            }
        }
    }
}
