//! The only home of `parking_lot`, `crossbeam` and `loom`: the rest of the core names
//! its primitives through this module, so that the loom models run the code that ships.

mod lock;
#[cfg(loom)]
mod park;
mod raw;
mod sleepers;
#[cfg(loom)]
mod word;

pub(crate) use lock::{Condvar, Deadline, Guard, Lock};
pub(crate) use sleepers::Sleepers;

/// A lock for what takes less than a microsecond, on lines that its holders write anyway.
#[cfg(not(loom))]
pub(crate) type ShortLock<T> = lock_api::Mutex<raw::Short, T>;
#[cfg(not(loom))]
pub(crate) type ShortGuard<'a, T> = lock_api::MutexGuard<'a, raw::Short, T>;
#[cfg(loom)]
pub(crate) use lock::{Guard as ShortGuard, Lock as ShortLock};
pub(crate) use raw::{AtomicRef, fork_depth, watch_forks};

/// What the state machines are made of.
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::AtomicU64 as AtomicWord;
#[cfg(loom)]
pub(crate) use word::AtomicWord;

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};

#[cfg(not(loom))]
pub(crate) use crossbeam_utils::CachePadded;

/// Loom's atomics have no layout to pad.
#[cfg(loom)]
#[derive(Debug, Default)]
pub(crate) struct CachePadded<T>(T);

#[cfg(loom)]
impl<T> CachePadded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

#[cfg(loom)]
impl<T> std::ops::Deref for CachePadded<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(loom)]
use loom::thread;
#[cfg(not(loom))]
use std::thread;

pub(crate) use thread::ThreadId;

/// The thread that asks, as far as the scheduler in use can tell threads apart.
pub(crate) fn thread_id() -> ThreadId {
    thread::current().id()
}
