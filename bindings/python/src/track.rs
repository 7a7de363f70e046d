//! An iterator that counts what has been gone through, and looks for an abort.

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::args::Amount;
use crate::error::OrRaise;
use crate::fastcall::Counter;
use crate::reporter::Reporter;
use crate::task::Task;

/// Whose work it is.
pub(crate) enum Worker {
    Task(Py<Task>),
    Reporter(Py<Reporter>),
}

impl Worker {
    fn advance(&self) {
        match self {
            Self::Task(task) => task.get().count(1),
            Self::Reporter(reporter) => reporter.get().count(1),
        }
    }

    fn check_abort(&self) -> taskmgr::Result<()> {
        match self {
            Self::Task(task) => task.get().owner().check_abort(),
            Self::Reporter(reporter) => reporter.get().look_for_abort(),
        }
    }

    /// Whether the length of what is gone through is the task's total: a worker goes through a
    /// part, and what was told of the whole stands.
    fn wants_total(&self) -> bool {
        match self {
            Self::Task(task) => !task.get().has_total(),
            Self::Reporter(_) => false,
        }
    }

    fn set_units(&self, units: &str) -> taskmgr::Result<()> {
        match self {
            Self::Task(task) => task.get().owner().set_units(units),
            Self::Reporter(reporter) => reporter.get().with(|reporter| reporter.set_units(units)),
        }
    }

    fn set_total(&self, total: u64) {
        match self {
            Self::Task(task) => task.get().owner().set_total(total),
            Self::Reporter(reporter) => reporter.get().with(|reporter| reporter.set_total(total)),
        }
    }
}

/// The items of an iterable, each counted once the next one is asked for; before each it looks
/// for an abort.
#[pyclass(frozen, module = "taskmgr")]
pub(crate) struct Track {
    worker: Worker,
    items: Py<PyIterator>,
    /// Items that have been handed out and not been counted: several threads may share it.
    under_way: AtomicUsize,
}

impl Track {
    pub(crate) fn new(
        worker: Worker,
        iterable: &Bound<'_, PyAny>,
        total: Option<Amount>,
        units: Option<&str>,
    ) -> PyResult<Self> {
        let items = iterable.try_iter()?.unbind();
        if let Some(units) = units {
            worker.set_units(units).or_raise(iterable.py())?;
        }
        match total {
            Some(total) => worker.set_total(total.0),
            None if worker.wants_total() => {
                // What has no length, such as a generator, has no total.
                if let Ok(len) = iterable.len() {
                    worker.set_total(len as u64);
                }
            }
            None => {}
        }
        Ok(Self {
            worker,
            items,
            under_way: AtomicUsize::new(0),
        })
    }
}

#[pymethods]
impl Track {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let over = |items: usize| items.checked_sub(1);
        if self
            .under_way
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, over)
            .is_ok()
        {
            self.worker.advance();
        }
        self.worker.check_abort().or_raise(py)?;
        let mut items = self.items.bind(py).clone();
        let item = items.next().transpose()?;
        if item.is_some() {
            self.under_way.fetch_add(1, Ordering::Relaxed);
        }
        Ok(item)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("Track"))
    }
}
