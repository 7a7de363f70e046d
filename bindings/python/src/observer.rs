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
    #[getter]
    fn id(&self) -> Uuid {
        self.0.id()
    }

    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let observer = self.0.clone();
        views::status(py, &wait::asking_one(py, move || observer.status())?)
    }

    fn status_tree<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let observer = self.0.clone();
        views::statuses(py, &wait::asking(py, move || observer.status_tree())?)
    }

    fn tree<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let observer = self.0.clone();
        views::tree(py, &wait::asking(py, move || observer.status_tree())?)
    }

    #[getter]
    fn is_terminal(&self, py: Python<'_>) -> PyResult<bool> {
        let observer = self.0.clone();
        wait::asking_one(py, move || observer.is_terminal())
    }

    #[pyo3(signature = (timeout = None))]
    fn wait<'py>(&self, py: Python<'py>, timeout: Option<Seconds>) -> PyResult<Bound<'py, PyAny>> {
        let timeout = timeout.map(|timeout| timeout.0);
        views::status(py, &wait::for_task(py, &self.0, timeout)?)
    }

    #[pyo3(signature = (reason = "asked for by an observer"))]
    fn abort(&self, py: Python<'_>, reason: &str) -> PyResult<()> {
        let (observer, reason) = (self.0.clone(), reason.to_owned());
        wait::asking(py, move || observer.abort(&reason))
    }

    fn suspend(&self, py: Python<'_>) -> PyResult<()> {
        self.0.suspend().or_raise(py)
    }

    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        self.0.resume().or_raise(py)
    }

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
