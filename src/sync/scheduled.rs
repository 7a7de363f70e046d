//! The primitives as random schedules need them: shuttle's, by which one thread at a time goes
//! on, and the schedule decides which.
//!
//! No clock moves. A deadline is a thread of its own that lets it pass once it has its turn, so
//! that the schedule decides about that, too.

use std::sync::{Arc, PoisonError};

use super::Deadline;

pub(crate) use shuttle::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicU64 as AtomicWord, Ordering,
};
pub(crate) use shuttle::thread::{self, ThreadId};
pub(crate) use shuttle::thread_local as per_thread;

pub(crate) use crossbeam_utils::CachePadded;

pub(super) use super::joinable::{Joinable, begin};
pub(super) use shuttle::thread::{Builder, JoinHandle, Thread, current, park};
pub(crate) use {Guard as ShortGuard, Lock as ShortLock};

/// All operations are in one order here, whatever they ask for.
pub(crate) fn fence(_order: Ordering) {}

/// A deadline is waited for by its thread, which unparks the sleeper.
pub(super) fn park_timeout(_time: std::time::Duration) {
    park();
}

pub(crate) type Guard<'a, T> = shuttle::sync::MutexGuard<'a, T>;

#[derive(Debug, Default)]
pub(crate) struct Lock<T>(shuttle::sync::Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.0.try_lock().ok()
    }
}

#[derive(Debug)]
pub(crate) struct Condvar(Arc<shuttle::sync::Condvar>);

impl Default for Condvar {
    fn default() -> Self {
        Self(Arc::new(shuttle::sync::Condvar::new()))
    }
}

impl Condvar {
    pub(crate) fn wait<'a, T>(&self, guard: Guard<'a, T>, deadline: &Deadline) -> Guard<'a, T> {
        if let Deadline::When(alarm) = deadline {
            return alarm.wait(&self.0, guard);
        }
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Lets a deadline pass, at any moment from when it is set.
#[derive(Debug)]
pub(crate) struct Alarm {
    has_rung: AtomicBool,
    /// Whether the sleeper is in the condition variable, and which that is.
    in_condvar: AtomicBool,
    condvar: std::sync::Mutex<Option<Arc<shuttle::sync::Condvar>>>,
}

impl Alarm {
    /// For the thread that calls it.
    pub(super) fn set() -> Arc<Self> {
        let alarm = Arc::new(Self {
            has_rung: AtomicBool::new(false),
            in_condvar: AtomicBool::new(false),
            condvar: std::sync::Mutex::new(None),
        });
        let (theirs, sleeper) = (Arc::clone(&alarm), current());
        thread::spawn(move || theirs.ring(&sleeper));
        alarm
    }

    pub(super) fn has_rung(&self) -> bool {
        self.has_rung.load(Ordering::SeqCst)
    }

    fn ring(&self, sleeper: &Thread) {
        self.has_rung.store(true, Ordering::SeqCst);
        sleeper.unpark();
        // The sleeper may have looked before, and be about to wait: again until it has woken.
        while self.in_condvar.load(Ordering::SeqCst) {
            let condvar = self.condvar.lock().expect("nobody panics here").clone();
            condvar.expect("it was set before the flag").notify_all();
            thread::yield_now();
        }
    }

    fn wait<'a, T>(
        &self,
        condvar: &Arc<shuttle::sync::Condvar>,
        guard: Guard<'a, T>,
    ) -> Guard<'a, T> {
        *self.condvar.lock().expect("nobody panics here") = Some(Arc::clone(condvar));
        self.in_condvar.store(true, Ordering::SeqCst);
        let guard = match self.has_rung() {
            true => guard,
            false => condvar.wait(guard).unwrap_or_else(PoisonError::into_inner),
        };
        self.in_condvar.store(false, Ordering::SeqCst);
        guard
    }
}

/// A static that a process has once, and a schedule once.
macro_rules! per_process {
    ($(static $name:ident: $type:ty = $init:expr;)*) => {
        shuttle::lazy_static! { $(static ref $name: $type = $init;)* }
    };
}
pub(crate) use per_process;

/// How many there are of something: as in a model, so that a schedule costs little memory.
pub(crate) const fn sized(_shipped: usize, modelled: usize) -> usize {
    modelled
}
