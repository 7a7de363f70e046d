//! Threads of the library's own.
//!
//! `std` takes a lock of the process as a thread of its begins and ends, and in a forked child
//! that may be held for ever by one that is not there. So a child's threads are begun by the
//! system's own means, past `std`, and all are joined by them.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{Condvar, Deadline, Joinable, Lock, begin, fork_depth};

/// Drops what a panic carries. That may panic in its turn; what such a one carries is left
/// alone, as there is no end to it.
pub(crate) fn discard_panic(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        std::mem::forget(again);
    }
}

/// A thread that can be joined; dropped, it goes on alone.
#[derive(Debug)]
pub(crate) struct Running<T> {
    outcome: Arc<Outcome<T>>,
    thread: Joinable,
}

#[derive(Debug)]
struct Outcome<T> {
    value: Lock<Option<std::thread::Result<T>>>,
    is_there: Condvar,
}

/// What nobody has joined is dropped by whoever lets go last, the thread itself among them: it
/// is the host's, and no panic of it leaves here.
impl<T> Drop for Outcome<T> {
    fn drop(&mut self) {
        let value = self.value.lock().take();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(move || match value {
            Some(Err(payload)) => discard_panic(payload),
            value => drop(value),
        })) {
            discard_panic(payload);
        }
    }
}

impl<T: Send + 'static> Running<T> {
    pub(crate) fn start(name: &str, f: impl FnOnce() -> T + Send + 'static) -> io::Result<Self> {
        let outcome = Arc::new(Outcome {
            value: Lock::new(None),
            is_there: Condvar::default(),
        });
        let theirs = Arc::clone(&outcome);
        let thread = begin(name, move || {
            let depth = fork_depth();
            let value = catch_unwind(AssertUnwindSafe(f));
            if depth != fork_depth() {
                // A child forked by the thread; who would join it is not there.
                return std::mem::forget((theirs, value));
            }
            *theirs.value.lock() = Some(value);
            theirs.is_there.notify_all();
        })?;
        Ok(Self { outcome, thread })
    }
}

impl<T> Running<T> {
    pub(crate) fn is_over(&self) -> bool {
        self.outcome.value.lock().is_some()
    }

    /// What came of it, once it is over.
    pub(crate) fn join(self) -> std::thread::Result<T> {
        let Outcome { value, is_there } = &*self.outcome;
        let mut value = value.lock();
        let outcome = loop {
            match value.take() {
                Some(outcome) => break outcome,
                None => value = is_there.wait(value, &Deadline::Never),
            }
        };
        drop(value);
        // It has nothing left to do but to go, and cannot panic any more.
        self.thread.join();
        outcome
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_over_once_what_came_of_it_is_there() {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let thread = Running::start("test", move || wait.recv().is_ok()).unwrap();
        assert!(!thread.is_over());
        go.send(()).unwrap();
        let outcome = &thread.outcome;
        let mut value = outcome.value.lock();
        while value.is_none() {
            value = outcome.is_there.wait(value, &Deadline::Never);
        }
        drop(value);
        assert!(thread.is_over());
        assert!(thread.join().unwrap());
    }
}
