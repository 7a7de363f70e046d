//! The way from foreign threads into Python, shut before the interpreter goes.
//!
//! A thread that attaches to an interpreter which is about to end may hang or be ended where it
//! stands. So an exit handler shuts the gate and waits for whoever is inside; who comes later
//! finds it shut, and does without Python.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// How many threads are inside, and whether the gate is shut: one word, so that no thread gets
/// in between the two.
static GATE: AtomicUsize = AtomicUsize::new(0);
const SHUT: usize = 1 << (usize::BITS - 1);

/// For how long an exit waits for callbacks: one of the host's that never returns must not keep
/// the process.
const PATIENCE: Duration = Duration::from_secs(5);

thread_local! {
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is in a callback, where nothing may wait.
pub(crate) fn is_inside() -> bool {
    INSIDE.try_with(|depth| depth.get() > 0).unwrap_or(false)
}

/// Whether the interpreter is on its way out.
pub(crate) fn is_shut() -> bool {
    GATE.load(Ordering::Acquire) & SHUT != 0
}

/// Whether a callback is running, on whatever thread.
pub(crate) fn is_busy() -> bool {
    GATE.load(Ordering::Acquire) & !SHUT != 0
}

/// Callbacks of Python's that an abort would run: only these does the end of a task wait for.
static ABORT_CALLBACKS: AtomicUsize = AtomicUsize::new(0);

/// Whether the end of a task may have to wait for a callback of Python's. Who holds the GIL and
/// hears that there is none may end it attached, as nobody else can register one meanwhile;
/// without a GIL there always may be one.
pub(crate) fn has_abort_callbacks() -> bool {
    ABORT_CALLBACKS.load(Ordering::Acquire) > 0
}

/// Counts one for as long as it is there.
pub(crate) struct AbortCallback;

impl AbortCallback {
    pub(crate) fn new() -> Self {
        ABORT_CALLBACKS.fetch_add(1, Ordering::AcqRel);
        Self
    }
}

impl Drop for AbortCallback {
    fn drop(&mut self) {
        ABORT_CALLBACKS.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Depth;

impl Depth {
    fn enter() -> Self {
        let _ = INSIDE.try_with(|depth| depth.set(depth.get() + 1));
        Self
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        let _ = INSIDE.try_with(|depth| depth.set(depth.get() - 1));
    }
}

struct Pass;

impl Pass {
    fn take() -> Option<Self> {
        GATE.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
            (word & SHUT == 0).then_some(word + 1)
        })
        .is_ok()
        .then_some(Self)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        // In a forked child the count begins again, and must not go below it.
        let _ = GATE.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
            (word & !SHUT != 0).then(|| word - 1)
        });
    }
}

/// Runs `f` in Python, from whatever thread; `None` once the interpreter is on its way out.
/// Inside, whatever would have to wait raises `WouldDeadlock`.
pub(crate) fn enter<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    let _pass = Pass::take()?;
    let _depth = Depth::enter();
    Python::try_attach(f)
}

/// The same for a callback, whose exception nobody else would hear of: `sys.unraisablehook` is
/// told.
pub(crate) fn call(callable: &Py<PyAny>, args: impl FnOnce(Python<'_>) -> PyResult<Py<PyTuple>>) {
    enter(|py| {
        let called = args(py).and_then(|args| callable.bind(py).call1(args.bind(py).clone()));
        if let Err(error) = called {
            error.write_unraisable(py, Some(callable.bind(py)));
        }
    });
}

/// Calls `function` as if inside a callback: whatever would wait raises `WouldDeadlock`.
#[pyfunction]
#[pyo3(signature = (function, /, *args, **kwargs))]
pub(crate) fn nonblocking<'py>(
    function: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let _depth = Depth::enter();
    taskmgr::nonblocking(|| function.call(args.clone(), kwargs))
}

#[pyfunction]
fn _shut(py: Python<'_>) {
    GATE.fetch_or(SHUT, Ordering::AcqRel);
    py.detach(|| {
        let until = Instant::now() + PATIENCE;
        // Those inside need the interpreter, not us; this happens once in a process's life.
        while GATE.load(Ordering::Acquire) != SHUT && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// The child of a fork has one thread, which is in no callback but those it was in.
#[pyfunction]
fn _forked() {
    let mine = INSIDE.try_with(Cell::get).unwrap_or(0);
    let shut = GATE.load(Ordering::Acquire) & SHUT;
    GATE.store(shut | mine as usize, Ordering::Release);
}

pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let sys = py.import("sys")?;
    if sys.hasattr("_is_gil_enabled")? && !sys.call_method0("_is_gil_enabled")?.is_truthy()? {
        // One that is never dropped.
        std::mem::forget(AbortCallback::new());
    }
    let shut = wrap_pyfunction!(_shut, py)?;
    py.import("atexit")?.call_method1("register", (shut,))?;
    let os = py.import("os")?;
    if os.hasattr("register_at_fork")? {
        let kwargs = PyDict::new(py);
        kwargs.set_item("after_in_child", wrap_pyfunction!(_forked, py)?)?;
        os.call_method("register_at_fork", (), Some(&kwargs))?;
    }
    Ok(())
}
