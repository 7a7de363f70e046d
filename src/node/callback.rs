//! Callbacks with the rules of C++20's `std::stop_callback`.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::sync::{Condvar, Deadline, Lock, ThreadId, discard_panic, fork_depth, thread_id};

// Of which process the callback is that this thread runs, told by how many forks it lies behind
// the first: who forks in a callback is in none of the child's.
crate::sync::per_thread! {
    static INSIDE: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Whether this thread runs a callback or a provider, where a call must not block.
pub(crate) fn is_inside() -> bool {
    let of = INSIDE.try_with(Cell::get).unwrap_or(None);
    of.is_some_and(|depth| depth == fork_depth())
}

/// Runs `f` as if inside a callback: whatever would block returns
/// [`WouldDeadlock`](crate::ErrorCode::WouldDeadlock) instead.
///
/// For threads that serve many, such as an event loop: what can be answered at once is,
/// and the rest goes to a thread that may wait.
///
/// ```
/// use taskmgr::{ErrorCode, Manager, nonblocking};
/// let manager = Manager::builder().build()?;
/// let task = manager.register_module("repair")?.task("repair").start()?;
/// assert!(nonblocking(|| manager.status(task.id())).is_ok());
/// let error = nonblocking(|| manager.wait(task.id())).unwrap_err();
/// assert_eq!(error.code(), ErrorCode::WouldDeadlock);
/// # task.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
pub fn nonblocking<R>(f: impl FnOnce() -> R) -> R {
    /// What it was in before it is in again, also when `f` panics.
    struct Inside(Option<u32>);
    impl Drop for Inside {
        fn drop(&mut self) {
            let _ = INSIDE.try_with(|inside| inside.set(self.0));
        }
    }
    let now = Some(fork_depth());
    let before = INSIDE.try_with(|inside| inside.replace(now));
    let _inside = Inside(before.unwrap_or(None));
    f()
}

/// From here on the thread is inside for good, the destructors of its thread locals included: for
/// the library's own, on which nobody may wait for them.
pub(crate) fn stay_inside() {
    let _ = INSIDE.try_with(|inside| inside.set(Some(fork_depth())));
}

/// Runs the host's code where it must not block and cannot hurt: a panic ends here, after
/// the panic hook has told of it.
pub(crate) fn call<R>(f: impl FnOnce() -> R) -> Result<R, Box<dyn std::any::Any + Send>> {
    catch_unwind(AssertUnwindSafe(|| nonblocking(f)))
}

/// The same where nobody asks what came of it.
pub(crate) fn shelter(f: impl FnOnce()) -> Came {
    let depth = fork_depth();
    if let Err(payload) = call(f) {
        discard(payload);
    }
    Came::back_from(depth)
}

/// The same with the words of a panic, if it was one.
pub(crate) fn guarded<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    call(f).map_err(|payload| {
        let said = panic_message(&*payload);
        discard(payload);
        said
    })
}

/// What a panic said, as far as it said it in words.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// Drops what a panic carries, which is the host's code, too.
pub(crate) fn discard(payload: Box<dyn std::any::Any + Send>) {
    nonblocking(|| discard_panic(payload));
}

/// Where the host's code came back. If it forked it does so in the child, too, where locks of
/// what was made before may be held for ever, and where nobody waits for what is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Back,
    InAChild,
}

impl Came {
    pub(crate) fn back_from(depth: u32) -> Self {
        match depth == fork_depth() {
            true => Self::Back,
            false => Self::InAChild,
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        self == Self::Back
    }
}

/// One callback: runs at most once, on whatever thread takes it.
pub(crate) struct Callback<A> {
    state: Lock<State<A>>,
    over: Condvar,
}

type Boxed<A> = Box<dyn FnOnce(A) + Send>;

enum State<A> {
    Armed(Boxed<A>),
    Running(ThreadId),
    Over,
}

impl<A> Callback<A> {
    pub(crate) fn new(f: impl FnOnce(A) + Send + 'static) -> Self {
        Self {
            state: Lock::new(State::Armed(Box::new(f))),
            over: Condvar::default(),
        }
    }

    fn disarm(&self, next: State<A>) -> Option<Boxed<A>> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, next) {
            State::Armed(f) => Some(f),
            before => {
                *state = before;
                None
            }
        }
    }

    /// Runs it, unless it has run, runs or was cancelled. No lock is held meanwhile.
    pub(crate) fn run(&self, argument: A) {
        if let Some(f) = self.disarm(State::Running(thread_id()))
            && shelter(move || f(argument)).is_ours()
        {
            *self.state.lock() = State::Over;
            self.over.notify_all();
        }
    }

    /// Takes it off if it was not taken before, and says so: then it never runs.
    pub(crate) fn disarm_unrun(&self) -> bool {
        let armed = self.disarm(State::Over);
        let was_armed = armed.is_some();
        shelter(move || drop(armed));
        was_armed
    }

    /// Once this returns the callback does not run any more: it waits for one that runs on
    /// another thread, but neither for its own, nor inside another callback, where two that
    /// wait for each other would never end.
    pub(crate) fn cancel(&self) {
        // The closure, and what it owns, is dropped after the lock is released, and under the
        // shelter under which it would have run: whoever ends a task has to go on.
        if let Some(f) = self.disarm(State::Over) {
            shelter(move || drop(f));
            return;
        }
        if is_inside() {
            return;
        }
        let mut state = self.state.lock();
        while let State::Running(thread) = &*state {
            if *thread == thread_id() {
                return;
            }
            state = self.over.wait(state, &Deadline::Never);
        }
    }
}

impl<A> fmt::Debug for Callback<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}
