//! What a new task shall be: the keywords that a module, a task and a reporter share.

use pyo3::prelude::*;
use taskmgr::TaskBuilder;
use uuid::Uuid;

use crate::args::{Amount, Id};
use crate::error::{OrRaise, invalid};
use crate::observer::Observer;
use crate::reporter::Reporter;
use crate::task::Task;
use crate::wait;

pub(crate) struct Spec<'a> {
    pub(crate) scope: &'a str,
    pub(crate) keyspace: &'a str,
    pub(crate) table: &'a str,
    pub(crate) entity: &'a str,
    pub(crate) shard: Option<u32>,
    pub(crate) total: Option<Amount>,
    pub(crate) units: &'a str,
    pub(crate) abortable: bool,
    pub(crate) internal: bool,
    pub(crate) user_task: bool,
    pub(crate) id: Option<Id>,
}

impl<'a> Spec<'a> {
    /// Puts all of it into a builder.
    #[inline]
    pub(crate) fn fill(self, builder: TaskBuilder<'a>) -> TaskBuilder<'a> {
        let mut builder = builder
            .scope(self.scope)
            .keyspace(self.keyspace)
            .table(self.table)
            .entity(self.entity);
        builder = match self.total {
            Some(total) => builder.total(total.0, self.units),
            None => builder.units(self.units),
        };
        if let Some(shard) = self.shard {
            builder = builder.shard(shard);
        }
        if self.abortable {
            builder = builder.abortable();
        }
        if self.internal {
            builder = builder.internal();
        }
        if self.user_task {
            builder = builder.user_task();
        }
        match self.id {
            Some(Id(id)) => builder.id(id),
            None => builder,
        }
    }
}

/// Makes the task of a builder.
#[inline]
pub(crate) fn create(py: Python<'_>, builder: TaskBuilder<'_>) -> PyResult<Task> {
    Ok(Task::new(builder.create().or_raise(py)?))
}

/// A parent: a handle of it, or its id.
pub(crate) enum Parent<'py> {
    Task(Bound<'py, Task>),
    Reporter(Bound<'py, Reporter>),
    Observer(Bound<'py, Observer>),
    Id(Uuid),
}

impl<'py> FromPyObject<'_, 'py> for Parent<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(task) = object.cast::<Task>() {
            return Ok(Self::Task(task.to_owned()));
        }
        if let Ok(reporter) = object.cast::<Reporter>() {
            return Ok(Self::Reporter(reporter.to_owned()));
        }
        if let Ok(observer) = object.cast::<Observer>() {
            return Ok(Self::Observer(observer.to_owned()));
        }
        object
            .extract::<Id>()
            .map(|id| Self::Id(id.0))
            .map_err(|error| {
                if error.is_instance_of::<pyo3::exceptions::PyTypeError>(object.py()) {
                    pyo3::exceptions::PyTypeError::new_err(
                        "a parent is a Task, a Reporter, an Observer, or a task's id",
                    )
                } else {
                    error
                }
            })
    }
}

impl Parent<'_> {
    /// Makes the task of a builder under this parent. An id may be that of a virtual task, which
    /// a provider has to be asked for.
    pub(crate) fn create(self, py: Python<'_>, builder: TaskBuilder<'_>) -> PyResult<Task> {
        let again;
        let builder = match &self {
            Self::Task(task) => builder.parent(task.get().owner()),
            Self::Reporter(reporter) => {
                // No lock is held while a task is made.
                again = reporter.get().with(|reporter| reporter.observe());
                builder.parent(&again)
            }
            Self::Observer(observer) => builder.parent(&observer.get().0),
            Self::Id(id) => builder.parent_id(*id),
        };
        let made = match wait::may_ask_providers() {
            true => py.detach(|| builder.create()),
            false => builder.create(),
        };
        Ok(Task::new(made.or_raise(py)?))
    }
}

/// A shard's number.
pub(crate) fn shard(py: Python<'_>, shard: Option<i64>) -> PyResult<Option<u32>> {
    shard
        .map(|shard| {
            u32::try_from(shard)
                .map_err(|_| invalid(py, format!("{shard} is no shard: from 0 to 2**32 - 1")))
        })
        .transpose()
}
