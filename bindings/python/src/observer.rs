//! Who looks, waits and asks for an abort.

use pyo3::prelude::*;
use uuid::Uuid;

use crate::args::Seconds;
use crate::error::OrRaise;
use crate::guard::{self, Guard};
use crate::{views, wait};

/// A handle that can look at a task, wait for it and ask for its abort, from any thread; it keeps
/// the task valid. `await` waits for it in an event loop.
#[pyclass(frozen, module = "taskmgr", weakref)]
pub(crate) struct Observer(pub(crate) taskmgr::Observer);

#[pymethods]
impl Observer {
    /// The task's id.
    #[getter]
    fn id(&self) -> Uuid {
        self.0.id()
    }

    /// How the task is.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let observer = self.0.clone();
        views::status(py, &wait::asking_one(py, move || observer.status())?)
    }

    /// The statuses of the task and all its descendants, breadth-first.
    fn status_tree<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let observer = self.0.clone();
        views::statuses(py, &wait::asking(py, move || observer.status_tree())?)
    }

    /// The same to look at, in a terminal or a notebook.
    fn tree<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let observer = self.0.clone();
        views::tree(py, &wait::asking(py, move || observer.status_tree())?)
    }

    /// Whether the task has ended.
    #[getter]
    fn is_terminal(&self, py: Python<'_>) -> PyResult<bool> {
        let observer = self.0.clone();
        wait::asking_one(py, move || observer.is_terminal())
    }

    /// Sleeps until the task has ended, and returns its final status, whatever that is.
    #[pyo3(signature = (timeout = None))]
    fn wait<'py>(&self, py: Python<'py>, timeout: Option<Seconds>) -> PyResult<Bound<'py, PyAny>> {
        let timeout = timeout.map(|timeout| timeout.0);
        views::status(py, &wait::for_task(py, &self.0, timeout)?)
    }

    /// Tells the task and all below it to abort; `NotAbortable` if it is not marked so.
    #[pyo3(signature = (reason = "asked for by an observer"))]
    fn abort(&self, py: Python<'_>, reason: &str) -> PyResult<()> {
        let (observer, reason) = (self.0.clone(), reason.to_owned());
        wait::asking(py, move || observer.abort(&reason))
    }

    /// Asks the task's owner to sleep at its next checkpoint.
    fn suspend(&self, py: Python<'_>) -> PyResult<()> {
        self.0.suspend().or_raise(py)
    }

    /// Takes that back.
    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        self.0.resume().or_raise(py)
    }

    /// Calls `callback` once with the final status when the task has ended, at once if it has.
    /// What keeps that from being known, such as a manager that is closed, comes instead.
    fn on_done(&self, py: Python<'_>, callback: &Bound<'_, PyAny>) -> PyResult<Guard> {
        let callback = guard::done(guard::callable(callback)?);
        let observer = self.0.clone();
        wait::asking(py, move || observer.on_done(callback)).map(Guard::done)
    }

    fn __await__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let helper = slf.py().import("taskmgr._aio")?.getattr("wait")?;
        helper.call1((slf,))?.call_method0("__await__")
    }

    fn __repr__(&self) -> String {
        format!("Observer(id={})", self.0.id())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("Observer"))
    }
}
