//! From the core's errors to exceptions, and from exceptions to what a task failed with.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use taskmgr::{Error, ErrorCode};

/// The exception for an error of the core: its class is that of the code.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = MAKE.import(py, "taskmgr._errors", "make").and_then(|make| {
        let gone = error.gone();
        make.call1((
            error.code().as_str(),
            error.to_string(),
            error.id(),
            gone.map(|(reason, _)| reason.as_str()),
            gone.map(|(_, state)| crate::views::state(py, state))
                .transpose()?,
        ))
    });
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(failure) => failure,
    }
}

/// An argument that cannot be.
pub(crate) fn invalid(py: Python<'_>, message: impl Into<String>) -> PyErr {
    exception(py, &Error::new(ErrorCode::InvalidArgument, message))
}

/// What a function of the core returned, for Python.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    #[inline]
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(exception(py, &error)),
        }
    }
}

/// What is kept of an exception that ended a task: its type and message, as the last line of a
/// traceback has them. An abort that came out of a check says itself what it is.
pub(crate) fn message(py: Python<'_>, error: &PyErr) -> String {
    let value = error.value(py);
    let text = || value.str().map(|text| text.to_string());
    let is_ours = value
        .getattr("code")
        .is_ok_and(|code| code.eq(ErrorCode::Aborted.as_str()).unwrap_or(false));
    let name = error
        .get_type(py)
        .qualname()
        .map_or_else(|_| "exception".to_owned(), |name| name.to_string());
    match text() {
        Ok(text) if is_ours => text,
        Ok(text) if text.is_empty() => name,
        Ok(text) => format!("{name}: {text}"),
        // An exception whose own `__str__` fails still has a type.
        Err(_) => name,
    }
}

/// The core's error that an exception of this package's stands for.
pub(crate) fn core_error(py: Python<'_>, error: &PyErr) -> Option<Error> {
    let value = error.value(py);
    let word: String = value.getattr("code").ok()?.extract().ok()?;
    let code = ErrorCode::ALL.iter().find(|code| code.as_str() == word)?;
    Some(Error::new(*code, value.str().ok()?.to_string()))
}

/// A handle that stays in its process: what it means lies in this process's memory.
pub(crate) fn unpicklable(what: &str) -> PyErr {
    pyo3::exceptions::PyTypeError::new_err(format!(
        "a {what} cannot be pickled or copied: it is a handle of this process; send the task's \
         id, or ask over the REST API from the other process"
    ))
}

/// What only a broken installation leads to.
pub(crate) fn broken(what: &str) -> PyErr {
    PyRuntimeError::new_err(what.to_owned())
}
