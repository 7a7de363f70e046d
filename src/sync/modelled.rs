//! The primitives as the models need them: loom's.

pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};
pub(crate) use loom::thread::{self, ThreadId};

use super::Deadline;

pub(super) use loom::thread::{Builder, JoinHandle};

pub(super) use super::joinable::{Joinable, begin};
pub(super) use super::park::{Thread, current, park, park_timeout};
pub(crate) use super::word::AtomicWord;
pub(crate) use {Guard as ShortGuard, Lock as ShortLock};

pub(crate) type Guard<'a, T> = loom::sync::MutexGuard<'a, T>;

#[derive(Debug)]
pub(crate) struct Lock<T>(loom::sync::Mutex<T>);

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.0.lock().expect("no code panics while it holds a lock")
    }

    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.0.try_lock().ok()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(loom::sync::Condvar);

impl Condvar {
    pub(crate) fn wait<'a, T>(&self, guard: Guard<'a, T>, _deadline: &Deadline) -> Guard<'a, T> {
        self.0
            .wait(guard)
            .expect("no code panics while it holds a lock")
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Atomics of a model have no layout to pad.
#[derive(Debug, Default)]
pub(crate) struct CachePadded<T>(T);

impl<T> CachePadded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> std::ops::Deref for CachePadded<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

macro_rules! per_thread {
    (static $name:ident: $type:ty = const { $init:expr };) => {
        loom::thread_local! { static $name: $type = $init; }
    };
}
pub(crate) use per_thread;

/// A static that a process has once, and a model once in each execution.
macro_rules! per_process {
    ($(static $name:ident: $type:ty = $init:expr;)*) => {
        loom::lazy_static! { $(static ref $name: $type = $init;)* }
    };
}
pub(crate) use per_process;

/// How many there are of something: as it ships, and in a model, which sees more of few.
pub(crate) const fn sized(_shipped: usize, modelled: usize) -> usize {
    modelled
}
