//! Callbacks that are registered, and can be taken back.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use taskmgr::{AbortGuard, DoneGuard};

use crate::gate;

enum Registered {
    Abort(AbortGuard),
    Done(DoneGuard),
}

/// A callback that is registered. It stays so when the guard is dropped; `cancel`, or the end
/// of a `with` block, takes it back, and waits for it if it is running on another thread.
#[pyclass(frozen, module = "taskmgr")]
pub(crate) struct Guard(Mutex<Option<Registered>>);

impl Guard {
    pub(crate) fn abort(guard: AbortGuard) -> Self {
        Self(Mutex::new(Some(Registered::Abort(guard))))
    }

    pub(crate) fn done(guard: DoneGuard) -> Self {
        Self(Mutex::new(Some(Registered::Done(guard))))
    }

    fn take(&self) -> Option<Registered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[pymethods]
impl Guard {
    /// Takes the callback back, and waits for it if it is running on another thread.
    #[pyo3(signature = (*, wait = true))]
    fn cancel(&self, py: Python<'_>, wait: bool) -> PyResult<()> {
        match self.take() {
            Some(registered) if wait => crate::wait::interruptible(py, move || drop(registered)),
            Some(registered) => {
                py.detach(|| taskmgr::nonblocking(|| drop(registered)));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.cancel(py, true)
    }

    fn __repr__(&self) -> &'static str {
        "Guard()"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("Guard"))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self.take() {
            Some(Registered::Abort(guard)) => guard.forget(),
            Some(Registered::Done(guard)) => guard.forget(),
            None => {}
        }
    }
}

/// A callback of Python's for an abort.
pub(crate) fn aborted(callback: Py<PyAny>) -> impl FnOnce() + Send + 'static {
    let counted = gate::AbortCallback::new();
    move || {
        gate::call(&callback, |py| Ok(PyTuple::empty(py).unbind()));
        drop(counted);
    }
}

/// A callback of Python's that takes a final status, or the error that came instead.
pub(crate) fn done(
    callback: Py<PyAny>,
) -> impl FnOnce(taskmgr::Result<taskmgr::Status>) + Send + 'static {
    move |status| {
        gate::call(&callback, |py| {
            let outcome = match status {
                Ok(status) => crate::views::status(py, &status)?,
                Err(error) => crate::error::exception(py, &error)
                    .into_value(py)
                    .into_bound(py)
                    .into_any(),
            };
            PyTuple::new(py, [outcome]).map(Bound::unbind)
        });
    }
}

/// What is registered has to be callable.
pub(crate) fn callable(callback: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    if callback.is_callable() {
        return Ok(callback.clone().unbind());
    }
    Err(pyo3::exceptions::PyTypeError::new_err(format!(
        "a callback has to be callable, and a {} is not",
        callback.get_type().name()?
    )))
}
