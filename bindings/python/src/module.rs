//! A group of operations of one nature.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use taskmgr::Filter;

use crate::args::{Amount, Id, Seconds, StateWord};
use crate::error::OrRaise;
use crate::provider::Provider;
use crate::spec::{self, Parent, Spec};
use crate::task::Task;
use crate::{views, wait};

/// A module of a manager: makes tasks, lists and drains them. It keeps its manager open.
#[pyclass(frozen, module = "taskmgr", weakref)]
pub(crate) struct Module {
    pub(crate) inner: taskmgr::Module,
    /// In Python whatever one has a reference to works; the core leaves this to its host.
    _manager: taskmgr::Manager,
}

impl Module {
    pub(crate) fn new(inner: taskmgr::Module, manager: &taskmgr::Manager) -> Self {
        Self {
            inner,
            _manager: manager.clone(),
        }
    }
}

/// The filter of these keywords; `None` and `""` let everything through.
pub(crate) struct Wanted<'a> {
    pub(crate) keyspace: &'a str,
    pub(crate) table: &'a str,
    pub(crate) r#type: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) state: Option<StateWord>,
    pub(crate) internal: bool,
    pub(crate) limit: Option<usize>,
}

impl Wanted<'_> {
    pub(crate) fn filter(self) -> Filter {
        let mut filter = Filter::new()
            .keyspace(self.keyspace)
            .table(self.table)
            .task_type(self.r#type)
            .scope(self.scope)
            .internal(self.internal);
        filter.state = self.state.map(|state| state.0);
        filter.limit = self.limit;
        filter
    }
}

#[pymethods]
impl Module {
    /// The module's name.
    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// Makes a task, in the state `created`: `with` or `start` starts it.
    #[pyo3(signature = (r#type, *, scope = "", keyspace = "", table = "", entity = "", shard = None, total = None, units = "", abortable = false, internal = false, user_task = false, id = None, parent = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn task(
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
        parent: Option<Parent<'_>>,
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
        let builder = spec.fill(self.inner.task(r#type));
        match parent {
            Some(parent) => parent.create(py, builder),
            None => spec::create(py, builder),
        }
    }

    /// The module's tasks, by time of creation and then id; "" and `None` filter nothing. What
    /// is missing among them is in `missing`, and is logged.
    #[pyo3(signature = (*, keyspace = "", table = "", r#type = "", scope = "", state = None, internal = false, limit = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn list<'py>(
        &self,
        py: Python<'py>,
        keyspace: &str,
        table: &str,
        r#type: &str,
        scope: &str,
        state: Option<StateWord>,
        internal: bool,
        limit: Option<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let wanted = Wanted {
            keyspace,
            table,
            r#type,
            scope,
            state,
            internal,
            limit,
        };
        let (module, filter) = (self.inner.clone(), wanted.filter());
        views::listing(py, &wait::asking(py, move || module.listing(&filter))?)
    }

    /// Unregisters all settled roots; how many there were.
    fn drain(&self, py: Python<'_>) -> PyResult<usize> {
        py.detach(|| self.inner.drain()).or_raise(py)
    }

    /// Closes the module: no new tasks, and those that run are told to abort and waited for.
    #[pyo3(signature = (deadline = Seconds::FIVE), text_signature = "($self, deadline=5.0)")]
    fn close<'py>(&self, py: Python<'py>, deadline: Seconds) -> PyResult<Bound<'py, PyAny>> {
        let module = self.inner.clone();
        let report = wait::interruptible(py, move || module.close(deadline.0))?;
        views::close_report(py, &report.or_raise(py)?)
    }

    /// Lets an object answer for virtual tasks: see `Provider`.
    fn register_provider(&self, py: Python<'_>, provider: &Bound<'_, PyAny>) -> PyResult<()> {
        let provider = Provider::new(provider)?;
        wait::has_provider();
        self.inner.register_provider(provider).or_raise(py)
    }

    /// Makes a task of each call of the function below, or of each run of the coroutine.
    #[pyo3(signature = (r#type = None, /, **attributes))]
    fn tracked<'py>(
        slf: &Bound<'py, Self>,
        r#type: Option<&str>,
        attributes: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let helper = slf.py().import("taskmgr._work")?.getattr("tracked")?;
        helper.call((slf, r#type), attributes)
    }

    /// Gives a function to an executor of threads, as a task.
    #[pyo3(signature = (executor, function, /, *args, **kwargs))]
    fn submit<'py>(
        slf: &Bound<'py, Self>,
        executor: &Bound<'py, PyAny>,
        function: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let helper = slf.py().import("taskmgr._work")?.getattr("submit")?;
        helper.call1((slf, executor, function, args, kwargs))
    }

    fn __repr__(&self) -> String {
        format!("Module({:?})", self.inner.name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("Module"))
    }
}
