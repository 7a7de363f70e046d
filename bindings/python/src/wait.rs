//! The one place that sleeps.
//!
//! Waits are made detached, on the core's own latch. On the main thread they are cut into slices
//! of [`SLICE`], between which Python looks for signals: nothing else in a process can be woken
//! by every signal without taking `signal.set_wakeup_fd` from an event loop, or missing one that
//! the system handed to another thread. A task that ends wakes its waiter at once all the same.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use taskmgr::{Error, ErrorCode, Observer, Status};

use crate::error::OrRaise;
use crate::gate;

/// How long Ctrl-C may take.
const SLICE: Duration = Duration::from_millis(50);

/// Whether signals are handled by this thread.
fn is_main(py: Python<'_>) -> PyResult<bool> {
    static CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static MAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // Asked each time, as a fork makes another thread the main one.
    let main = MAIN.import(py, "threading", "main_thread")?.call0()?;
    let current = CURRENT.import(py, "threading", "get_ident")?.call0()?;
    main.getattr("ident")?.eq(current)
}

/// Waits for a task, until `timeout` if there is one.
pub(crate) fn for_task(
    py: Python<'_>,
    observer: &Observer,
    timeout: Option<Duration>,
) -> PyResult<Status> {
    let now = || observer.wait_timeout(Duration::ZERO);
    let now = match may_ask_providers() {
        true => py.detach(now),
        false => now(),
    };
    match now {
        Err(error) if error.is_timeout() && timeout != Some(Duration::ZERO) => {}
        over => return over.or_raise(py),
    }
    if gate::is_inside() || !is_main(py)? {
        return py.detach(|| to_the_end(observer, timeout)).or_raise(py);
    }
    // A watch of a virtual task is set up once, not for every slice.
    if observer.provider().is_some() {
        let observer = observer.clone();
        return interruptible(py, move || to_the_end(&observer, timeout))?.or_raise(py);
    }
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let slice = left.map_or(SLICE, |left| left.min(SLICE));
        match py.detach(|| observer.wait_timeout(slice)) {
            Err(error) if error.is_timeout() && left.is_none_or(|left| left > slice) => {
                py.check_signals()?;
            }
            over => return over.or_raise(py),
        }
    }
}

fn to_the_end(observer: &Observer, timeout: Option<Duration>) -> Result<Status, Error> {
    match timeout {
        Some(timeout) => observer.wait_timeout(timeout),
        None => observer.wait(),
    }
}

/// Runs what may wait for long and has no slices of its own: on the main thread by the hands of
/// a helper, which is left to itself when a signal's handler raises.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    f: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    if gate::is_inside() || !is_main(py)? {
        return Ok(py.detach(f));
    }
    let (sender, receiver) = sync_channel(1);
    std::thread::Builder::new()
        .name("taskmgr-wait".into())
        .spawn(move || {
            // Nobody listens any more after a signal.
            let _ = sender.send(f());
        })
        .map_err(|error| {
            let message = format!("no thread for a wait: {error}");
            crate::error::exception(py, &Error::new(ErrorCode::Exhausted, message))
        })?;
    let receiver = std::sync::Mutex::new(receiver);
    loop {
        let answer = py.detach(|| {
            let receiver = receiver.lock().unwrap_or_else(|poison| poison.into_inner());
            receiver.recv_timeout(SLICE)
        });
        match answer {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(crate::error::broken("a wait ended without an answer"));
            }
        }
    }
}

/// Whether a provider of virtual tasks, which may take its time, was ever registered.
static PROVIDERS: AtomicBool = AtomicBool::new(false);

pub(crate) fn has_provider() {
    PROVIDERS.store(true, Ordering::Relaxed);
}

pub(crate) fn may_ask_providers() -> bool {
    PROVIDERS.load(Ordering::Relaxed)
}

/// Asks what a provider may have to answer, and what takes a moment otherwise.
pub(crate) fn asking<T: Send + 'static>(
    py: Python<'_>,
    question: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> PyResult<T> {
    match may_ask_providers() {
        true => interruptible(py, question)?.or_raise(py),
        false => py.detach(question).or_raise(py),
    }
}

/// Asks what a provider may have to answer, and what takes no time otherwise: a thread that lets
/// go of the GIL gets it back only when the others have had their turns.
pub(crate) fn asking_one<T: Send + 'static>(
    py: Python<'_>,
    question: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> PyResult<T> {
    match may_ask_providers() {
        true => interruptible(py, question)?.or_raise(py),
        false => question().or_raise(py),
    }
}
