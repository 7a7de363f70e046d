//! Threads of the library's own, from when they begin until they are gone, so that whoever closes
//! a manager can wait for them: code that runs must not be unloaded.
//!
//! A thread is either at the library's work, which takes moments, or at the host's, which may take
//! for ever, or it has done all and is about to be gone. It is gone once the system says so, which
//! has run the destructors of its thread locals by then.

use std::io;
use std::time::Instant;

use super::{Condvar, Deadline, Joinable, Lock, begin, fork_depth};

#[derive(Debug, Default)]
pub(crate) struct Roster {
    state: Lock<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    /// The number of the last that began: 64 bits outlast the process.
    last: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    /// The manager that it serves, or [`ALL`].
    serves: u32,
    /// Whether it was told to end.
    is_to_end: bool,
    at: At,
    /// None until it has begun, and while somebody joins it.
    thread: Option<Joinable>,
}

/// A thread serves no manager alone. No manager has this number.
pub(crate) const ALL: u32 = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    OurWork,
    /// And until when it is expected back.
    HostsWork(Option<Instant>),
    ItsEnd,
}

impl At {
    /// Whether it is waited for; at the host's work not for longer than it may take.
    fn is_waited_for(self, patience: &Deadline) -> bool {
        match self {
            Self::HostsWork(until) => {
                let is_late = until.is_some_and(|until| until <= Instant::now());
                !is_late && !patience.has_passed()
            }
            Self::OurWork | Self::ItsEnd => true,
        }
    }
}

/// A thread's own entry; dropped, it says that the thread is at its end.
#[derive(Debug)]
pub(crate) struct Member {
    roster: &'static Roster,
    number: u64,
    depth: u32,
}

impl Roster {
    /// Begins a thread; its number.
    pub(crate) fn start(
        &'static self,
        name: &str,
        serves: u32,
        f: impl FnOnce(&Member) + Send + 'static,
    ) -> io::Result<u64> {
        let number = self.state.lock().enter(serves);
        let begun = begin(name, move || {
            f(&Member {
                roster: self,
                number,
                depth: fork_depth(),
            });
        });
        let mut state = self.state.lock();
        let begun = match begun {
            Ok(thread) => {
                state.entry(number).expect("nobody has joined it").thread = Some(thread);
                Ok(number)
            }
            Err(error) => {
                state.forget(number);
                Err(error)
            }
        };
        drop(state);
        self.changed.notify_all();
        begun
    }

    /// The thread has been told to end.
    pub(crate) fn dismiss(&self, number: u64) {
        if let Some(entry) = self.state.lock().entry(number) {
            entry.is_to_end = true;
        }
    }

    /// Waits until those are gone that serve this manager, or nobody, or until only such are left
    /// that are at the host's work and late, or later than the deadline. Without a manager, for
    /// all of them. Never called on a thread of these.
    pub(crate) fn wait(&self, manager: impl Fn() -> Option<u32>, deadline: &Deadline) {
        let mut state = self.state.lock();
        loop {
            let manager = manager();
            let concerns = |entry: &Entry| {
                entry.is_to_end || manager.is_none_or(|manager| manager == entry.serves)
            };
            let ended = state
                .entries
                .iter_mut()
                .find(|entry| concerns(entry) && entry.at == At::ItsEnd && entry.thread.is_some());
            if let Some(ended) = ended {
                let (number, thread) = (ended.number, ended.thread.take());
                drop(state);
                thread.into_iter().for_each(Joinable::join);
                state = self.state.lock();
                state.forget(number);
                self.changed.notify_all();
                continue;
            }
            let waited_for: Vec<At> = state
                .entries
                .iter()
                .filter(|entry| concerns(entry) && entry.at.is_waited_for(deadline))
                .map(|entry| entry.at)
                .collect();
            if waited_for.is_empty() {
                return;
            }
            let is_ours = |at: &At| !matches!(at, At::HostsWork(_));
            let until = match waited_for.iter().any(is_ours) {
                true => Deadline::Never,
                false => earliest(&waited_for, deadline),
            };
            state = self.changed.wait(state, &until);
        }
    }

    #[cfg(all(test, loom))]
    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().entries.is_empty()
    }

    fn set(&self, number: u64, at: At) {
        let mut state = self.state.lock();
        if let Some(entry) = state.entry(number) {
            entry.at = at;
        }
        drop(state);
        self.changed.notify_all();
    }
}

/// When the first of those that are at the host's work is late, or the deadline has passed.
fn earliest(waited_for: &[At], deadline: &Deadline) -> Deadline {
    let late = waited_for.iter().filter_map(|at| match at {
        At::HostsWork(until) => *until,
        At::OurWork | At::ItsEnd => None,
    });
    let late = late
        .min()
        .map(|at| at.saturating_duration_since(Instant::now()));
    match (late, deadline.left().time()) {
        (Some(late), Some(left)) => Deadline::after(late.min(left)),
        (Some(late), None) => Deadline::after(late),
        (None, _) => deadline.clone(),
    }
}

impl State {
    /// A further entry; its number.
    fn enter(&mut self, serves: u32) -> u64 {
        self.forget_gone();
        self.last += 1;
        self.entries.push(Entry {
            number: self.last,
            serves,
            is_to_end: false,
            at: At::OurWork,
            thread: None,
        });
        self.last
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.number == number)
    }

    fn forget(&mut self, number: u64) {
        self.entries.retain(|entry| entry.number != number);
    }

    /// Those that are gone by now need nobody who waits for them.
    fn forget_gone(&mut self) {
        self.entries.retain_mut(|entry| match entry.at {
            At::ItsEnd => entry.thread.take().is_none_or(|thread| {
                // None of it is left to somebody who joins it.
                entry.thread = thread.try_join().err();
                entry.thread.is_some()
            }),
            At::OurWork | At::HostsWork(_) => true,
        });
    }
}

impl Member {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The host's code runs from here on, and is expected back until then.
    pub(crate) fn at_hosts_work(&self, until: Option<Instant>) {
        self.roster.set(self.number, At::HostsWork(until));
    }

    /// It has come back. Not to be called in a child that it forked.
    pub(crate) fn at_our_work(&self) {
        self.roster.set(self.number, At::OurWork);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // In a forked child the lock may be held for ever.
        if self.depth == fork_depth() {
            self.roster.state.lock().forget_gone();
            self.roster.set(self.number, At::ItsEnd);
        }
    }
}
