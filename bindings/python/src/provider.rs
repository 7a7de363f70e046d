//! Virtual tasks: answered on demand by an object of Python's.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyBaseException, PyTypeError};
use pyo3::prelude::*;
use taskmgr::{BoxError, Error, ErrorCode, Stats, Status};
use uuid::Uuid;

use crate::error::{core_error, message};
use crate::{gate, views};

/// An object with the methods of `taskmgr.Provider`.
pub(crate) struct Provider(Py<PyAny>);

impl Provider {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        for method in ["list", "status", "abort", "watch"] {
            if !object
                .getattr(method)
                .is_ok_and(|method| method.is_callable())
            {
                return Err(PyTypeError::new_err(format!(
                    "a provider has a method {method}, and a {} has none: derive it from \
                     taskmgr.Provider",
                    object.get_type().name()?
                )));
            }
        }
        Ok(Self(object.clone().unbind()))
    }

    /// Asks on whatever thread this is.
    fn ask<R>(
        &self,
        question: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<R>,
    ) -> Result<R, BoxError> {
        gate::enter(|py| question(self.0.bind(py)).map_err(|error| cause(py, &error)))
            .unwrap_or_else(|| Err("the interpreter of the provider is on its way out".into()))
    }
}

impl taskmgr::Provider for Provider {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        self.ask(|provider| {
            let listed = provider.call_method0("list")?;
            listed
                .try_iter()?
                .map(|stats| views::given_stats(&stats?))
                .collect()
        })
    }

    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        self.ask(|provider| {
            let status = provider.call_method1("status", (id,))?;
            match status.is_none() {
                true => Ok(None),
                false => views::given_status(&status).map(Some),
            }
        })
    }

    fn abort(&self, id: Uuid, reason: &str) -> Result<(), BoxError> {
        self.ask(|provider| provider.call_method1("abort", (id, reason)).map(|_| ()))
    }

    fn watch(&self, id: Uuid, done: taskmgr::Completion) -> Result<(), BoxError> {
        let done = Completion(Mutex::new(Some(done)));
        self.ask(|provider| provider.call_method1("watch", (id, done)).map(|_| ()))
    }

    fn contains(&self, id: Uuid) -> Result<bool, BoxError> {
        let asked = self.ask(|provider| {
            if !provider.hasattr("contains")? {
                return Ok(None);
            }
            provider
                .call_method1("contains", (id,))?
                .is_truthy()
                .map(Some)
        })?;
        match asked {
            Some(known) => Ok(known),
            None => Ok(self.status(id)?.is_some()),
        }
    }
}

/// An exception as the core's error: one of this package's keeps its code.
fn cause(py: Python<'_>, error: &PyErr) -> BoxError {
    match core_error(py, error) {
        Some(error) => Box::new(error),
        None => message(py, error).into(),
    }
}

/// Tells those who wait for a virtual task how it has ended. Dropped without that, it tells them
/// that the provider has lost it.
#[pyclass(frozen, module = "taskmgr")]
pub(crate) struct Completion(Mutex<Option<taskmgr::Completion>>);

#[pymethods]
impl Completion {
    /// The task has ended with this final status, or cannot be watched any more.
    fn complete(&self, py: Python<'_>, outcome: &Bound<'_, PyAny>) -> PyResult<()> {
        let status = match outcome.cast::<PyBaseException>() {
            Ok(_) => {
                let error = PyErr::from_value(outcome.clone());
                Err(match cause(py, &error).downcast::<Error>() {
                    Ok(error) => *error,
                    Err(text) => Error::new(ErrorCode::Provider, text.to_string()),
                })
            }
            Err(_) => Ok(views::given_status(outcome)?),
        };
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(done) = taken {
            py.detach(|| done.complete(status));
        }
        Ok(())
    }

    /// Whether nobody waits any more, so that the provider may stop watching.
    #[getter]
    fn is_cancelled(&self) -> bool {
        let done = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        done.as_ref().is_none_or(taskmgr::Completion::is_cancelled)
    }

    fn __repr__(&self) -> &'static str {
        "Completion()"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("Completion"))
    }
}
