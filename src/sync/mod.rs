//! The only home of `parking_lot`, `crossbeam` and `loom`: the rest of the core names
//! its primitives through this module, so that the loom models run the code that ships.

mod fork;
mod lock;
#[cfg(loom)]
mod word;

pub(crate) use fork::{depth as fork_depth, watch as watch_forks};
pub(crate) use lock::{Condvar, Deadline, Guard, Lock};

/// What the state machines are made of.
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::AtomicU64 as AtomicWord;
#[cfg(loom)]
pub(crate) use word::AtomicWord;

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

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

/// The thread that asks, as far as the scheduler in use can tell threads apart.
#[cfg(not(loom))]
pub(crate) fn thread_id() -> std::thread::ThreadId {
    std::thread::current().id()
}

#[cfg(loom)]
pub(crate) fn thread_id() -> loom::thread::ThreadId {
    loom::thread::current().id()
}

#[cfg(not(loom))]
pub(crate) type ThreadId = std::thread::ThreadId;
#[cfg(loom)]
pub(crate) type ThreadId = loom::thread::ThreadId;
