//! The thread that forgets what has expired: it misses nothing, and ends with the last manager.

use std::time::Duration;

use loom::thread;

use super::{Host, check, slot_of};
use crate::reaper::{Next, Reaped, Reaper};
use crate::sync::{ALL, AtomicBool, Condvar, Deadline, Lock, Ordering, Roster};

/// A process as the thread sees it.
#[derive(Default)]
struct Process {
    reaper: Reaper<&'static Keeper>,
    roster: Roster,
}

/// A manager that keeps roots whose time has come.
struct Keeper {
    of: &'static Process,
    is_open: AtomicBool,
    roots: Lock<usize>,
    reaped: Condvar,
}

impl PartialEq for Keeper {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Reaped for &'static Keeper {
    fn reap(self) -> Next {
        let mut roots = self.roots.lock();
        if *roots == 0 {
            return Next::Never;
        }
        *roots -= 1;
        self.reaped.notify_all();
        Next::Now
    }
}

impl Process {
    fn new() -> &'static Self {
        Box::leak(Box::default())
    }

    fn keeper(&'static self) -> &'static Keeper {
        Box::leak(Box::new(Keeper {
            of: self,
            is_open: AtomicBool::new(true),
            roots: Lock::new(0),
            reaped: Condvar::default(),
        }))
    }
}

impl Keeper {
    /// Whether it was open still.
    fn add(&'static self) -> bool {
        let begin = || {
            self.of.roster.start("reaper", ALL, |member| {
                self.of.reaper.serve(member.number(), || Next::Never);
            })
        };
        let is_open = || self.is_open.load(Ordering::SeqCst);
        self.of.reaper.add(self, is_open, begin)
    }

    fn keep(&self) {
        *self.roots.lock() += 1;
    }

    fn wait_until_reaped(&self) {
        let mut roots = self.roots.lock();
        while *roots > 0 {
            roots = self.reaped.wait(roots, &Deadline::Never);
        }
    }

    /// Closes the manager, and waits for the thread if it was the last.
    fn remove(&'static self) {
        self.is_open.store(false, Ordering::SeqCst);
        if let Some(thread) = self.of.reaper.remove(self) {
            self.of.roster.dismiss(thread);
        }
        self.of.roster.wait(|| Some(1), &Deadline::Now);
    }
}

/// ttl_2. Fails if the thread falls asleep without a look whether something has changed, or if it
/// takes that back after it has looked at what is kept.
#[test]
fn keeping_vs_falling_asleep_what_is_kept_is_reaped() {
    check(2, || {
        let process = Process::new();
        let keeper = process.keeper();
        assert!(keeper.add());
        keeper.keep();
        process.reaper.wake();
        keeper.wait_until_reaped();
        keeper.remove();
        assert!(process.roster.is_empty());
    });
}

/// ttl_2. Fails if a thread that was told to end goes on for a manager that came meanwhile.
#[test]
fn the_last_close_vs_a_further_manager_each_has_its_thread() {
    check(2, || {
        let process = Process::new();
        let (first, second) = (process.keeper(), process.keeper());
        assert!(first.add());
        let other = thread::spawn(move || {
            second.keep();
            assert!(second.add());
            second.wait_until_reaped();
            second
        });
        first.remove();
        other.join().unwrap().remove();
        assert!(process.roster.is_empty());
    });
}

/// ttl_2. Fails if a thread is asked for without a look whether the manager is open, or outside the
/// lock through which a close goes: then it serves nobody, for ever.
#[test]
fn close_vs_keeping_leaves_no_thread() {
    check(3, || {
        let process = Process::new();
        let keeper = process.keeper();
        let other = thread::spawn(move || keeper.add());
        keeper.remove();
        other.join().unwrap();
        process.roster.wait(|| None, &Deadline::Now);
        assert!(process.roster.is_empty());
    });
}

/// ttl_2. Fails if the close does not take the manager from the thread that it has, or does not
/// wait for that.
#[test]
fn close_after_keeping_waits_for_the_thread() {
    check(2, || {
        let host = Host::with(|builder| builder.reaper(true));
        let task = host.kept_root();
        let roster = &slot_of(&task.observe()).engine().realm.roster;
        task.finish().unwrap();
        assert!(!roster.is_empty());
        assert!(host.manager.close(Duration::ZERO).unwrap().is_complete());
        assert!(roster.is_empty(), "a thread is left");
    });
}
