//! A further handle of a task, for another worker.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use uuid::Uuid;

use crate::args::{Amount, Id};
use crate::error::OrRaise;
use crate::fastcall::Counter;
use crate::guard::{self, Guard};
use crate::module::Module;
use crate::observer::Observer;
use crate::spec::{self, Spec};
use crate::task::Task;
use crate::track::{Track, Worker};
use crate::views;

/// One more handle of a task for another worker: it counts in a cell of its own, and cannot end
/// the task.
#[pyclass(frozen, module = "taskmgr", weakref)]
pub(crate) struct Reporter(Mutex<taskmgr::Reporter>);

impl Reporter {
    pub(crate) fn new(reporter: taskmgr::Reporter) -> Self {
        Self(Mutex::new(reporter))
    }

    /// The lock makes one cell good for several threads. Neither Python nor the host's code
    /// runs under it.
    fn lock(&self) -> MutexGuard<'_, taskmgr::Reporter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(&taskmgr::Reporter) -> R) -> R {
        f(&self.lock())
    }

    pub(crate) fn look_for_abort(&self) -> taskmgr::Result<()> {
        self.lock().check_abort()
    }

    fn again(&self, py: Python<'_>) -> PyResult<taskmgr::Reporter> {
        let reporter = self.lock();
        reporter.observe().is_terminal().or_raise(py)?;
        Ok(reporter.clone())
    }
}

impl Counter for Reporter {
    #[inline]
    fn count(&self, n: u64) {
        self.lock().advance(n);
    }
}

// `advance` is in `fastcall`.
#[pymethods]
impl Reporter {
    /// The task's id.
    #[getter]
    fn id(&self) -> Uuid {
        self.lock().id()
    }

    /// Sets what this handle has counted; never lowers it.
    fn set_completed(&self, n: Amount) {
        self.lock().set_completed(n.0);
    }

    /// Tells how many units there are.
    fn set_total(&self, total: Amount) {
        self.lock().set_total(total.0);
    }

    /// Whether the task was told to abort.
    #[getter]
    fn abort_requested(&self) -> bool {
        self.lock().abort_requested()
    }

    /// Raises `Aborted`, with the reason, if the task was told to abort.
    fn check_abort(&self, py: Python<'_>) -> PyResult<()> {
        let looked = self.look_for_abort();
        looked.or_raise(py)
    }

    /// Makes a child of the task, of its module and on its shard unless told otherwise.
    #[pyo3(signature = (r#type, *, scope = "", keyspace = "", table = "", entity = "", shard = None, total = None, units = "", abortable = false, internal = false, user_task = false, id = None, module = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn child(
        &self,
        py: Python<'_>,
        r#type: &str,
        scope: &str,
        keyspace: &str,
        table: &str,
        entity: &str,
        shard: Option<i64>,
        total: Option<Amount>,
        units: &str,
        abortable: bool,
        internal: bool,
        user_task: bool,
        id: Option<Id>,
        module: Option<&Bound<'_, Module>>,
    ) -> PyResult<Task> {
        let shard = spec::shard(py, shard)?;
        let spec = Spec {
            scope,
            keyspace,
            table,
            entity,
            shard,
            total,
            units,
            abortable,
            internal,
            user_task,
            id,
        };
        // One of its own, as no lock is held while a task is made.
        let reporter = self.with(taskmgr::Reporter::clone);
        let builder = spec.fill(reporter.child(r#type));
        match module {
            Some(module) => spec::create(py, builder.module(&module.get().inner)),
            None => spec::create(py, builder),
        }
    }

    /// A handle that can look, wait and ask for an abort, for other threads.
    fn observe(&self) -> Observer {
        Observer(self.lock().observe())
    }

    /// One more handle for a further worker.
    fn reporter(&self, py: Python<'_>) -> PyResult<Self> {
        self.again(py).map(Self::new)
    }

    /// How the task is.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let observer = self.lock().observe();
        views::status(py, &observer.status().or_raise(py)?)
    }

    /// Tells the task and all below it to abort.
    #[pyo3(signature = (reason = "asked for by a worker of its"))]
    fn abort(&self, py: Python<'_>, reason: &str) -> PyResult<()> {
        // Callbacks run in there, which may use this very reporter.
        let copy = self.again(py)?;
        py.detach(move || copy.abort(reason)).or_raise(py)
    }

    /// Calls `callback` when the task is told to abort, at once if it was.
    fn on_abort(&self, py: Python<'_>, callback: &Bound<'_, PyAny>) -> PyResult<Guard> {
        let callback = guard::aborted(guard::callable(callback)?);
        let copy = self.again(py)?;
        let guard = py.detach(move || copy.on_abort(callback)).or_raise(py)?;
        Ok(Guard::abort(guard))
    }

    /// Goes through a worker's part of the work: counts each item, and looks for an abort.
    #[pyo3(signature = (iterable, *, total = None, units = None))]
    fn track(
        slf: &Bound<'_, Self>,
        iterable: &Bound<'_, PyAny>,
        total: Option<Amount>,
        units: Option<&str>,
    ) -> PyResult<Track> {
        Track::new(
            Worker::Reporter(slf.clone().unbind()),
            iterable,
            total,
            units,
        )
    }

    fn __repr__(&self) -> String {
        format!("Reporter(id={})", self.lock().id())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("Reporter"))
    }
}
