//! The one manager of a node.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::collections::HashSet;
use std::time::Duration;
use taskmgr::{Clock, ErrorCode, Filter, Missing};
use uuid::Uuid;

use crate::args::{Id, Seconds, StateWord};
use crate::clock::ManualClock;
use crate::error::OrRaise;
use crate::guard::{self, Guard};
use crate::module::{Module, Wanted};
use crate::observer::Observer;
use crate::server::{self, Server};
use crate::{routes, views, wait};
use taskmgr_http::ServerConfig;

/// Keeps track of a node's long-running operations. As a context manager it is closed with the
/// block.
#[pyclass(frozen, module = "taskmgr", weakref)]
pub(crate) struct Manager(taskmgr::Manager);

impl Manager {
    /// Asks about a task by its id.
    fn ask<T: Send + 'static>(
        &self,
        py: Python<'_>,
        id: Id,
        question: impl FnOnce(&taskmgr::Manager, Uuid) -> taskmgr::Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let manager = self.0.clone();
        wait::asking(py, move || question(&manager, id.0))
    }
}

impl Manager {
    /// The same where the answer takes no time unless a provider gives it.
    fn ask_one<T: Send + 'static>(
        &self,
        py: Python<'_>,
        id: Id,
        question: impl FnOnce(&taskmgr::Manager, Uuid) -> taskmgr::Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let manager = self.0.clone();
        wait::asking_one(py, move || question(&manager, id.0))
    }
}

#[pymethods]
impl Manager {
    #[new]
    #[pyo3(signature = (*, task_ttl = Seconds(Duration::ZERO), user_task_ttl = Seconds(Duration::from_secs(3600)), clock = None, node = "", reaper = true, keep_on_read = false, max_kept_children = 1024, max_kept_per_root = 16384, tombstones = 4096, max_finished_bytes = 64 << 20, max_modules = 65536, max_live_tasks = None, provider_deadline = Seconds::FIVE))]
    #[pyo3(
        text_signature = "(*, task_ttl=0.0, user_task_ttl=3600.0, clock=None, node=\"\", reaper=True, keep_on_read=False, max_kept_children=1024, max_kept_per_root=16384, tombstones=4096, max_finished_bytes=67108864, max_modules=65536, max_live_tasks=None, provider_deadline=5.0)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn new(
        py: Python<'_>,
        task_ttl: Seconds,
        user_task_ttl: Seconds,
        clock: Option<&Bound<'_, ManualClock>>,
        node: &str,
        reaper: bool,
        keep_on_read: bool,
        max_kept_children: usize,
        max_kept_per_root: usize,
        tombstones: usize,
        max_finished_bytes: u64,
        max_modules: usize,
        max_live_tasks: Option<usize>,
        provider_deadline: Seconds,
    ) -> PyResult<Self> {
        let clock = match clock {
            Some(clock) => Clock::Manual(clock.get().0.clone()),
            None => Clock::System,
        };
        taskmgr::Manager::builder()
            .task_ttl(task_ttl.0)
            .user_task_ttl(user_task_ttl.0)
            .clock(clock)
            .node(node)
            .reaper(reaper)
            .keep_on_read(keep_on_read)
            .max_kept_children(max_kept_children)
            .max_kept_per_root(max_kept_per_root)
            .tombstones(tombstones)
            .max_finished_bytes(max_finished_bytes)
            .max_modules(max_modules)
            .max_live_tasks(max_live_tasks.unwrap_or(usize::MAX))
            .provider_deadline(provider_deadline.0)
            .build()
            .map(Self)
            .or_raise(py)
    }

    /// Registers a module; `ModuleExists` if there is one of that name.
    fn register_module(&self, py: Python<'_>, name: &str) -> PyResult<Module> {
        let module = self.0.register_module(name).or_raise(py)?;
        Ok(Module::new(module, &self.0))
    }

    /// The module of this name; `UnknownModule` if there is none.
    fn module(&self, py: Python<'_>, name: &str) -> PyResult<Module> {
        let module = self.0.module(name).or_raise(py)?;
        Ok(Module::new(module, &self.0))
    }

    /// The names of all modules, in order of registration.
    fn modules(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.0.modules().or_raise(py)
    }

    /// The address that the manager was given.
    #[getter]
    fn node(&self) -> &str {
        self.0.node()
    }

    /// Whether reading the status of a settled root over REST leaves it registered.
    #[getter]
    fn keep_on_read(&self) -> bool {
        self.0.keep_on_read()
    }

    /// About how many bytes the finished roots take that are kept, with all that they keep.
    #[getter]
    fn finished_bytes(&self) -> u64 {
        self.0.finished_bytes()
    }

    /// How many finished roots have gone before their time, as all of them took too much.
    #[getter]
    fn evicted(&self) -> u64 {
        self.0.evicted()
    }

    /// For how many seconds a finished root stays.
    #[getter]
    fn task_ttl(&self) -> f64 {
        self.0.task_ttl().as_secs_f64()
    }

    /// Sets it for roots that settle from now on; what it was before.
    fn set_task_ttl(&self, py: Python<'_>, ttl: Seconds) -> PyResult<f64> {
        let before = self.0.set_task_ttl(ttl.0).or_raise(py)?;
        Ok(before.as_secs_f64())
    }

    /// For how many seconds a finished root that a user started stays.
    #[getter]
    fn user_task_ttl(&self) -> f64 {
        self.0.user_task_ttl().as_secs_f64()
    }

    /// Sets it for roots that settle from now on; what it was before.
    fn set_user_task_ttl(&self, py: Python<'_>, ttl: Seconds) -> PyResult<f64> {
        let before = self.0.set_user_task_ttl(ttl.0).or_raise(py)?;
        Ok(before.as_secs_f64())
    }

    /// An observer of the task of this id; `NotFound`, `Gone` or `Expired` without one.
    fn observe(&self, py: Python<'_>, id: Id) -> PyResult<Observer> {
        self.ask_one(py, id, taskmgr::Manager::observe)
            .map(Observer)
    }

    /// How the task is. This only looks.
    fn status<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Bound<'py, PyAny>> {
        views::status(py, &self.ask_one(py, id, taskmgr::Manager::status)?)
    }

    /// How the settled root has ended; it is unregistered with that. `NotSettled`.
    fn take_status<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Bound<'py, PyAny>> {
        views::status(py, &self.ask_one(py, id, taskmgr::Manager::take_status)?)
    }

    /// What the REST API answers: a settled root is unregistered with that, unless the manager
    /// keeps what was read.
    fn read_status<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Bound<'py, PyAny>> {
        views::status(py, &self.ask_one(py, id, taskmgr::Manager::read_status)?)
    }

    /// The statuses of the task and all its descendants, breadth-first.
    fn status_tree<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Vec<Bound<'py, PyAny>>> {
        views::statuses(py, &self.ask(py, id, taskmgr::Manager::status_tree)?)
    }

    /// The same of a settled root, which is unregistered with that.
    fn take_status_tree<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Vec<Bound<'py, PyAny>>> {
        views::statuses(py, &self.ask(py, id, taskmgr::Manager::take_status_tree)?)
    }

    /// The same as the REST API answers it.
    fn read_status_tree<'py>(&self, py: Python<'py>, id: Id) -> PyResult<Vec<Bound<'py, PyAny>>> {
        views::statuses(py, &self.ask(py, id, taskmgr::Manager::read_status_tree)?)
    }

    /// The tree of a task, or of all tasks that are not internal, to look at.
    #[pyo3(signature = (id = None))]
    fn tree<'py>(&self, py: Python<'py>, id: Option<Id>) -> PyResult<Bound<'py, PyAny>> {
        let manager = self.0.clone();
        let statuses = match id {
            Some(id) => wait::asking(py, move || manager.status_tree(id.0))?,
            None => {
                let (statuses, missing) = wait::asking(py, move || forest(&manager))?;
                views::warn_of(py, &missing)?;
                statuses
            }
        };
        views::tree(py, &statuses)
    }

    /// The tasks of a module, as `Module.list`.
    #[pyo3(signature = (module, *, keyspace = "", table = "", r#type = "", scope = "", state = None, internal = false, limit = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn list<'py>(
        &self,
        py: Python<'py>,
        module: &str,
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
        let (manager, module, filter) = (self.0.clone(), module.to_owned(), wanted.filter());
        views::listing(
            py,
            &wait::asking(py, move || manager.listing(&module, &filter))?,
        )
    }

    /// Unregisters all settled roots of a module; how many there were.
    fn drain(&self, py: Python<'_>, module: &str) -> PyResult<usize> {
        py.detach(|| self.0.drain(module)).or_raise(py)
    }

    /// Tells the task and all below it to abort; `NotAbortable` if it is not marked so.
    #[pyo3(signature = (id, reason = "asked for by id"))]
    fn abort(&self, py: Python<'_>, id: Id, reason: &str) -> PyResult<()> {
        let reason = reason.to_owned();
        self.ask(py, id, move |manager, id| manager.abort(id, &reason))
    }

    /// Asks the task's owner to sleep at its next checkpoint.
    fn suspend(&self, py: Python<'_>, id: Id) -> PyResult<()> {
        self.ask(py, id, taskmgr::Manager::suspend)
    }

    /// Takes that back.
    fn resume(&self, py: Python<'_>, id: Id) -> PyResult<()> {
        self.ask(py, id, taskmgr::Manager::resume)
    }

    /// Sleeps until the task has ended, as `Observer.wait`.
    #[pyo3(signature = (id, timeout = None))]
    fn wait<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        timeout: Option<Seconds>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let timeout = timeout.map(|timeout| timeout.0);
        let observer = match timeout {
            None => self.ask_one(py, id, taskmgr::Manager::observe)?,
            Some(timeout) => {
                let find =
                    move |manager: &taskmgr::Manager, id| manager.observe_within(id, timeout);
                self.ask_one(py, id, find)?
            }
        };
        views::status(py, &wait::for_task(py, &observer, timeout)?)
    }

    /// Calls `callback` once when the task has ended, as `Observer.on_done`.
    fn on_done(&self, py: Python<'_>, id: Id, callback: &Bound<'_, PyAny>) -> PyResult<Guard> {
        let callback = guard::done(guard::callable(callback)?);
        self.ask(py, id, move |manager, id| manager.on_done(id, callback))
            .map(Guard::done)
    }

    /// Closes a module, as `Module.close`.
    #[pyo3(signature = (module, deadline = Seconds::FIVE), text_signature = "($self, module, deadline=5.0)")]
    fn close_module<'py>(
        &self,
        py: Python<'py>,
        module: &str,
        deadline: Seconds,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (manager, module) = (self.0.clone(), module.to_owned());
        let report = wait::interruptible(py, move || manager.close_module(&module, deadline.0))?;
        views::close_report(py, &report.or_raise(py)?)
    }

    /// Closes all modules and the manager with them.
    #[pyo3(signature = (deadline = Seconds::FIVE), text_signature = "($self, deadline=5.0)")]
    fn close<'py>(&self, py: Python<'py>, deadline: Seconds) -> PyResult<Bound<'py, PyAny>> {
        let manager = self.0.clone();
        let report = wait::interruptible(py, move || manager.close(deadline.0))?;
        views::close_report(py, &report.or_raise(py)?)
    }

    /// Serves the REST API, on a thread of its own. It has no authentication: whoever reaches the
    /// port can abort tasks.
    #[pyo3(signature = (address = "127.0.0.1:10000", *, test_endpoints = false, allowed_hosts = Vec::new(), max_connections = 2048, header_timeout = Seconds(Duration::from_secs(10)), routes = None))]
    #[pyo3(
        text_signature = "($self, address=\"127.0.0.1:10000\", *, test_endpoints=False, allowed_hosts=(), max_connections=2048, header_timeout=10.0, routes=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn serve(
        &self,
        py: Python<'_>,
        address: &str,
        test_endpoints: bool,
        allowed_hosts: Vec<String>,
        max_connections: usize,
        header_timeout: Seconds,
        routes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Server> {
        let mut config = ServerConfig::new()
            .address(server::address(py, address)?)
            .test_endpoints(test_endpoints)
            .allowed_hosts(allowed_hosts)
            .max_connections(max_connections)
            .header_timeout(header_timeout.0);
        if let Some(routes) = routes {
            config = config.fallback(routes::fallback(guard::callable(routes)?));
        }
        // In a forked child the manager answers nobody.
        self.0.modules().or_raise(py)?;
        Server::start(py, self.0.clone(), config)
    }

    /// Forgets the roots whose time has come, for hosts without the reaper; how many.
    fn tick(&self, py: Python<'_>) -> usize {
        py.detach(|| self.0.tick())
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let manager = self.0.clone();
        let closed = wait::interruptible(py, move || match manager.close(Seconds::FIVE.0) {
            // A block in a callback waits for nobody.
            Err(error) if error.code() == ErrorCode::WouldDeadlock => manager.close(Duration::ZERO),
            closed => closed,
        })?;
        closed.or_raise(py).map(|_| ())
    }

    fn __repr__(&self) -> String {
        format!("Manager(node={:?})", self.0.node())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(crate::error::unpicklable("Manager"))
    }
}

/// The statuses of all trees, module by module, each task once: a local child of a virtual task is
/// listed as a root, too. What is gone between the list and the question is no part of it any more.
fn forest(manager: &taskmgr::Manager) -> taskmgr::Result<(Vec<taskmgr::Status>, Vec<Missing>)> {
    let (mut statuses, mut missing) = (Vec::new(), Vec::new());
    let mut shown = HashSet::new();
    for module in manager.modules()? {
        let listed = match manager.listing(&module, &Filter::new()) {
            Err(error) if error.code() == taskmgr::ErrorCode::UnknownModule => continue,
            listed => listed?,
        };
        missing.extend(listed.missing);
        for stats in listed.tasks {
            match manager.status_tree(stats.id) {
                Ok(tree) => statuses.extend(tree.into_iter().filter(|one| shown.insert(one.id))),
                Err(error) if error.is_gone() || error.is_not_found() => {}
                Err(error) if error.code() == taskmgr::ErrorCode::Provider => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok((statuses, missing))
}
