//! What comes in from Python: ids, times, amounts.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyDelta, PyFloat, PyInt, PyString};
use uuid::Uuid;

use crate::error::{exception, invalid};
use taskmgr::State;

/// An id: a `uuid.UUID` or its text.
pub(crate) struct Id(pub(crate) Uuid);

impl<'py> FromPyObject<'_, 'py> for Id {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = object.cast::<PyString>() {
            let text = text.to_cow()?;
            return Uuid::parse_str(&text).map(Self).map_err(|error| {
                let says = "a task id is 32 hexadecimal digits, in groups of 8-4-4-4-12";
                invalid(
                    object.py(),
                    format!("{text:?} is no task id: {error}; {says}"),
                )
            });
        }
        object.extract().map(Self).map_err(|_| {
            pyo3::exceptions::PyTypeError::new_err(format!(
                "a task id is a uuid.UUID or its text, not {}",
                kind(object)
            ))
        })
    }
}

/// How long: seconds as a number, or a `datetime.timedelta`; not negative.
#[derive(Clone, Copy)]
pub(crate) struct Seconds(pub(crate) Duration);

impl Seconds {
    /// For how long whoever closes something waits, unless told otherwise.
    pub(crate) const FIVE: Self = Self(Duration::from_secs(5));
}

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let refused = |what: &str| invalid(py, format!("{what} is no duration: seconds from 0 up"));
        if object.is_instance_of::<PyDelta>() {
            return object
                .extract()
                .map(Self)
                .map_err(|_| refused(&shown(object)));
        }
        if !object.is_instance_of::<PyFloat>() && !object.is_instance_of::<PyInt>() {
            return Err(pyo3::exceptions::PyTypeError::new_err(format!(
                "a duration is a number of seconds or a datetime.timedelta, not {}",
                kind(object)
            )));
        }
        let seconds: f64 = object.extract().map_err(|_| refused(&shown(object)))?;
        if seconds.is_nan() || seconds < 0.0 {
            return Err(refused(&shown(object)));
        }
        // What does not fit is for ever.
        Ok(Self(
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
        ))
    }
}

/// How many units: from 0 to 2^53.
#[derive(Clone, Copy)]
pub(crate) struct Amount(pub(crate) u64);

impl Amount {
    pub(crate) const CAP: u64 = 1 << 53;
}

impl<'py> FromPyObject<'_, 'py> for Amount {
    type Error = PyErr;

    #[inline]
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        // Signed, as Python has a call for just that; what is below 0 is far above the cap.
        match object.extract::<i64>().map(|amount| amount as u64) {
            Ok(amount) if amount <= Self::CAP => Ok(Self(amount)),
            Err(error) if !object.is_instance_of::<PyInt>() => Err(error),
            _ => Err(invalid(
                object.py(),
                format!(
                    "{} is no amount: whole units from 0 to 2**53",
                    shown(object)
                ),
            )),
        }
    }
}

/// A state: a `State` or its word.
pub(crate) struct StateWord(pub(crate) State);

impl<'py> FromPyObject<'_, 'py> for StateWord {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        // `taskmgr.State` is a `str`.
        let word = object.cast::<PyString>()?;
        let state = word
            .to_cow()?
            .parse()
            .map_err(|error| exception(object.py(), &error))?;
        Ok(Self(state))
    }
}

fn shown(object: Borrowed<'_, '_, PyAny>) -> String {
    object
        .repr()
        .map_or_else(|_| kind(object), |text| text.to_string())
}

fn kind(object: Borrowed<'_, '_, PyAny>) -> String {
    object
        .get_type()
        .name()
        .map_or_else(|_| "something else".to_owned(), |name| name.to_string())
}
