//! The primitives of the core as it ships.
//!
//! Locks and condition variables are those of `std`, which are all there is to them. A table of
//! sleepers that all locks of a process share, as other crates have one, may be locked for ever
//! in a forked child, where a lock of the child's own would then hang.

use std::sync::PoisonError;

pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicU64 as AtomicWord, Ordering, fence,
};
pub(crate) use std::thread::{self, ThreadId};
pub(crate) use std::thread_local as per_thread;

pub(crate) use crossbeam_utils::CachePadded;

use super::deadline::Left;
use super::{Deadline, raw};

#[cfg(not(unix))]
pub(super) use super::joinable::{Joinable, begin};
#[cfg(unix)]
pub(super) use raw::{Joinable, begin};
#[cfg(not(unix))]
pub(super) use std::thread::{Builder, JoinHandle};
pub(super) use std::thread::{Thread, park, park_timeout};

/// The thread that asks. `std` keeps a thread's handle behind a key of the system's, whose
/// destructor runs as the thread ends, whether the library is still loaded or not.
pub(super) fn current() -> Thread {
    keep_loaded();
    thread::current()
}

/// Keeps the library loaded for as long as this thread lives, as systems do for a thread local
/// that has a destructor.
fn keep_loaded() {
    struct Stay;
    impl Drop for Stay {
        fn drop(&mut self) {}
    }
    per_thread! { static STAY: Stay = const { Stay }; }
    let _ = STAY.try_with(|_| ());
}

pub(crate) type Guard<'a, T> = std::sync::MutexGuard<'a, T>;

#[derive(Debug, Default)]
pub(crate) struct Lock<T>(std::sync::Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(std::sync::Condvar);

impl Condvar {
    /// Sleeps until a notification, the deadline, or no reason at all.
    pub(crate) fn wait<'a, T>(&self, guard: Guard<'a, T>, deadline: &Deadline) -> Guard<'a, T> {
        let awake = match deadline.left() {
            Left::Nothing => return guard,
            Left::Forever => self.0.wait(guard),
            Left::For(time) => {
                let waited = self.0.wait_timeout(guard, time);
                return waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        };
        awake.unwrap_or_else(PoisonError::into_inner)
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
