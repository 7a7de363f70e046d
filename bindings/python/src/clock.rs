//! The clock that moves when a test says so.

use std::time::SystemTime;

use pyo3::prelude::*;

use crate::args::Seconds;

/// A clock for tests: it stands at 2020-01-01T00:00:00Z until it is told to move.
#[pyclass(frozen, module = "taskmgr")]
pub(crate) struct ManualClock(pub(crate) taskmgr::ManualClock);

#[pymethods]
impl ManualClock {
    #[new]
    fn new() -> Self {
        Self(taskmgr::ManualClock::new())
    }

    /// Moves the clock on.
    fn advance(&self, by: Seconds) {
        self.0.advance(by.0);
    }

    /// Sets the wall clock, forwards or back; TTLs do not notice.
    fn set_wall(&self, now: SystemTime) {
        self.0.set_wall(now);
    }

    fn __repr__(&self) -> &'static str {
        "ManualClock()"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("ManualClock"))
    }
}
