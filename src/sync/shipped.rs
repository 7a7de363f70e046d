//! The primitives of the core as it ships.

pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicU64 as AtomicWord, Ordering, fence,
};
pub(crate) use std::thread::{self, ThreadId};
pub(crate) use std::thread_local as per_thread;

pub(crate) use crossbeam_utils::CachePadded;

use super::{Deadline, raw};

pub(super) use std::thread::{Thread, current, park, park_timeout};

pub(crate) type Guard<'a, T> = parking_lot::MutexGuard<'a, T>;

#[derive(Debug, Default)]
pub(crate) struct Lock<T>(parking_lot::Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(parking_lot::Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.0.lock()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(parking_lot::Condvar);

impl Condvar {
    /// Sleeps until a notification, the deadline, or no reason at all.
    pub(crate) fn wait<'a, T>(&self, mut guard: Guard<'a, T>, deadline: &Deadline) -> Guard<'a, T> {
        match deadline {
            Deadline::Never => self.0.wait(&mut guard),
            Deadline::Now => {}
            Deadline::Within(timeout) => {
                self.0.wait_for(&mut guard, *timeout);
            }
            Deadline::At(at) => {
                self.0.wait_until(&mut guard, *at);
            }
        }
        guard
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// A lock for what takes less than a microsecond, on lines that its holders write anyway.
pub(crate) type ShortLock<T> = lock_api::Mutex<raw::Short, T>;
pub(crate) type ShortGuard<'a, T> = lock_api::MutexGuard<'a, raw::Short, T>;

/// A static that a process has once, and a model once in each execution.
macro_rules! per_process {
    ($(static $name:ident: $type:ty = $init:expr;)*) => { $(static $name: $type = $init;)* };
}
pub(crate) use per_process;

/// How many there are of something: as it ships, and in a model, which sees more of few.
pub(crate) const fn sized(shipped: usize, _modelled: usize) -> usize {
    shipped
}

/// What a model does not see into has one: who goes in takes a turn first.
#[derive(Debug, Default)]
pub(crate) struct Turn;

impl Turn {
    #[inline(always)]
    pub(crate) fn take(&self) {}
}
