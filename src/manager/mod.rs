//! The one manager of a node.

mod builder;
mod task;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::arena::Held;
use crate::engine::{Engine, Found};
use crate::error::Result;
use crate::handle::{Observer, Search};
use crate::module::Module;
use crate::provider::{Limit, limit};
use crate::view::{CloseReport, Filter, Listing, Name, Stats};

pub use builder::ManagerBuilder;

/// Keeps track of a node's long-running operations.
///
/// Clones are the same manager. When the last one is dropped without
/// [`close`](Manager::close), new tasks are refused and all that run are told to abort,
/// but not waited for; handles that are left still report, finish, and can be waited for.
///
/// ```
/// use std::time::Duration;
/// use taskmgr::{Filter, Manager};
///
/// let manager = Manager::builder()
///     .node("10.0.0.1")
///     .task_ttl(Duration::from_secs(60))
///     .build()?;
/// let compaction = manager.register_module("compaction")?;
/// let job = compaction.task("major compaction").keyspace("ks").abortable().start()?;
/// for table in ["events", "users"] {
///     job.child("major compaction").scope("table").table(table).run(|task| {
///         task.check_abort()?;
///         Ok(())
///     })?;
/// }
/// let id = job.id();
/// job.finish()?;
/// assert_eq!(manager.list("compaction", &Filter::new())?.len(), 1);
/// assert_eq!(manager.status_tree(id)?.len(), 3);
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone)]
pub struct Manager(Arc<Shared>);

struct Shared {
    engine: &'static Engine,
    node: Name,
    keep_on_read: bool,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.engine.abandon();
    }
}

impl Manager {
    /// A builder with the defaults.
    ///
    /// ```
    /// let manager = taskmgr::Manager::builder().build()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn builder() -> ManagerBuilder {
        ManagerBuilder::default()
    }

    pub(crate) fn engine(&self) -> &'static Engine {
        self.0.engine
    }

    /// Registers a module. One of a name that was closed before begins anew: its roots are numbered
    /// from 1, and handles of the earlier one do not reach it.
    ///
    /// # Errors
    /// [`ModuleExists`](crate::ErrorCode::ModuleExists) if one of that name is registered, or still
    /// closing: some of its tasks run, or a close of it has not returned; [`InvalidArgument`](crate::ErrorCode::InvalidArgument) for a name that is empty,
    /// above 255 bytes or not printable, as a [`TaskBuilder`](crate::TaskBuilder) says; [`Closed`](crate::ErrorCode::Closed);
    /// [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let repair = manager.register_module("repair")?;
    /// assert!(manager.register_module("repair").is_err());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn register_module(&self, name: &str) -> Result<Module> {
        let registration = self.engine().register_module(name)?;
        Ok(Module::new(self.engine(), registration))
    }

    /// The module of this name.
    ///
    /// # Errors
    /// [`UnknownModule`](crate::ErrorCode::UnknownModule), [`Closed`](crate::ErrorCode::Closed),
    /// [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # manager.register_module("repair")?;
    /// let repair = manager.module("repair")?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn module(&self, name: &str) -> Result<Module> {
        let registration = self.engine().module(name)?;
        Ok(Module::new(self.engine(), registration))
    }

    /// The names of all modules, in order of registration.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorCode::Closed), [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// manager.register_module("repair")?;
    /// manager.register_module("backup")?;
    /// assert_eq!(manager.modules()?, ["repair", "backup"]);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn modules(&self) -> Result<Vec<String>> {
        self.engine().check()?;
        let modules = self.engine().modules().into_iter();
        Ok(modules.map(|module| module.name.to_string()).collect())
    }

    /// The address that the manager was given.
    ///
    /// ```
    /// let manager = taskmgr::Manager::builder().node("10.0.0.1").build()?;
    /// assert_eq!(manager.node(), "10.0.0.1");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn node(&self) -> &str {
        &self.0.node
    }

    /// Whether reading the status of a settled root leaves it registered.
    ///
    /// ```
    /// assert!(!taskmgr::Manager::builder().build()?.keep_on_read());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn keep_on_read(&self) -> bool {
        self.0.keep_on_read
    }

    /// For how long a finished root stays.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// assert!(manager.task_ttl().is_zero());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn task_ttl(&self) -> Duration {
        self.engine().task_ttl()
    }

    /// Sets it for roots that settle from now on; what it was before.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorCode::InvalidArgument) above 100 years,
    /// [`Closed`](crate::ErrorCode::Closed), [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// use std::time::Duration;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// assert_eq!(manager.set_task_ttl(Duration::from_secs(60))?, Duration::ZERO);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn set_task_ttl(&self, ttl: Duration) -> Result<Duration> {
        self.engine().set_task_ttl(ttl)
    }

    /// For how long a finished root that a user started stays.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// assert_eq!(manager.user_task_ttl().as_secs(), 3600);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn user_task_ttl(&self) -> Duration {
        self.engine().user_task_ttl()
    }

    /// Sets it for roots that settle from now on; what it was before.
    ///
    /// # Errors
    /// As [`set_task_ttl`](Self::set_task_ttl).
    ///
    /// ```
    /// use std::time::Duration;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// assert_eq!(manager.set_user_task_ttl(Duration::ZERO)?.as_secs(), 3600);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn set_user_task_ttl(&self, ttl: Duration) -> Result<Duration> {
        self.engine().set_user_task_ttl(ttl)
    }

    /// About how many bytes the finished roots take that are kept, with all that they keep: at most
    /// [`max_finished_bytes`](ManagerBuilder::max_finished_bytes).
    ///
    /// ```
    /// # use std::time::Duration;
    /// let manager = taskmgr::Manager::builder().task_ttl(Duration::from_secs(60)).build()?;
    /// assert_eq!(manager.finished_bytes(), 0);
    /// manager.register_module("repair")?.task("repair").start()?.finish()?;
    /// assert!(manager.finished_bytes() > 0);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn finished_bytes(&self) -> u64 {
        self.engine().finished_bytes()
    }

    /// How many finished roots have gone before their time, as all of them took too much:
    /// [`GoneReason::Evicted`](crate::GoneReason::Evicted) is told of each.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = taskmgr::Manager::builder().task_ttl(Duration::from_secs(60));
    /// let manager = builder.max_finished_bytes(0).build()?;
    /// manager.register_module("repair")?.task("repair").start()?.finish()?;
    /// assert_eq!(manager.evicted(), 1);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn evicted(&self) -> u64 {
        self.engine().evicted()
    }

    /// An observer of the task of this id, regular or virtual.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorCode::NotFound); [`Gone`](crate::ErrorCode::Gone) if it was there, with
    /// the reason and the final state; [`Provider`](crate::ErrorCode::Provider) if no regular task
    /// has the id and a provider could not say; [`Exhausted`](crate::ErrorCode::Exhausted) if the
    /// task has a million handles; [`Closed`](crate::ErrorCode::Closed);
    /// [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let observer = manager.observe(task.id())?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline]
    pub fn observe(&self, id: Uuid) -> Result<Observer> {
        match self.engine().find_unsettled(id) {
            Some(held) => Ok(Observer::regular(held)),
            None => self.observe_by(id, None),
        }
    }

    #[cold]
    fn observe_by(&self, id: Uuid, limit: Limit) -> Result<Observer> {
        let found = self.engine().find_within(id, limit)?;
        if let Found::Regular(held) = &found {
            Held::check_room(held.slot())?;
        }
        Ok(Observer::of(found, id, self.engine()))
    }

    /// The same for a call that gives it back when it returns.
    #[inline]
    fn find(&self, id: Uuid) -> Result<Observer> {
        self.find_within(id, None)
    }

    #[inline]
    fn find_within(&self, id: Uuid, limit: Limit) -> Result<Observer> {
        let found = self.engine().find_within(id, limit)?;
        Ok(Observer::of(found, id, self.engine()))
    }

    /// Looks for the task of this id without waiting for a provider, for threads that serve many.
    /// A provider has until `timeout`, or 50 ms if that is less, and never more than the provider
    /// deadline.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let search = manager.search(taskmgr::Uuid::new_v4(), None);
    /// let (sender, ready) = std::sync::mpsc::channel();
    /// search.on_ready(move || drop(sender.send(())));
    /// ready.recv().expect("there is an answer");
    /// assert!(search.into_result().unwrap_err().is_not_found());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn search(&self, id: Uuid, timeout: Option<Duration>) -> Search {
        Search::begin(self.engine(), id, timeout.and_then(limit))
    }

    /// As [`observe`](Self::observe), where providers have no longer than this to say whether
    /// the id is theirs, or 50 ms if it is less.
    ///
    /// # Errors
    /// [`Timeout`](crate::ErrorCode::Timeout), and as [`observe`](Self::observe).
    ///
    /// ```
    /// use std::time::Duration;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let observer = manager.observe_within(task.id(), Duration::ZERO)?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn observe_within(&self, id: Uuid, timeout: Duration) -> Result<Observer> {
        self.observe_by(id, limit(timeout))
    }

    /// How long a provider of virtual tasks may take to answer.
    ///
    /// ```
    /// let manager = taskmgr::Manager::builder().build()?;
    /// assert_eq!(manager.provider_deadline().as_secs(), 5);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn provider_deadline(&self) -> Duration {
        self.engine().provider_deadline()
    }

    /// The tasks of a module, by time of creation and then id, as [`Module::list`].
    ///
    /// # Errors
    /// [`UnknownModule`](crate::ErrorCode::UnknownModule), [`Closed`](crate::ErrorCode::Closed),
    /// [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// use taskmgr::Filter;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert_eq!(manager.list("repair", &Filter::new())?[0].id, task.id());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn list(&self, module: &str, filter: &Filter) -> Result<Vec<Stats>> {
        self.module(module)?.list(filter)
    }

    /// The tasks of a module, and the providers that did not say in time which tasks they have,
    /// as [`Module::listing`].
    ///
    /// # Errors
    /// As [`list`](Self::list).
    ///
    /// ```
    /// use taskmgr::Filter;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # manager.register_module("repair")?;
    /// assert!(manager.listing("repair", &Filter::new())?.is_complete());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn listing(&self, module: &str, filter: &Filter) -> Result<Listing> {
        self.module(module)?.listing(filter)
    }

    /// Unregisters all settled roots of a module; how many there were.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # manager.register_module("repair")?;
    /// assert_eq!(manager.drain("repair")?, 0);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn drain(&self, module: &str) -> Result<usize> {
        self.module(module)?.drain()
    }

    /// Closes the module that has this name now: see [`Module::close`].
    ///
    /// # Errors
    /// As [`list`](Self::list), and as [`Module::close`].
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # manager.register_module("repair")?;
    /// assert!(manager.close_module("repair", std::time::Duration::ZERO)?.is_complete());
    /// assert!(manager.module("repair").is_err());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn close_module(&self, module: &str, deadline: Duration) -> Result<CloseReport> {
        self.module(module)?.close(deadline)
    }

    /// Closes all modules and the manager with them. Whoever still waits for a task at the
    /// deadline, or comes later, gets [`Closed`](crate::ErrorCode::Closed). Closing again waits on
    /// for what still runs, and answers in the same way: with an empty report once nothing does.
    /// A manager of which something still runs is closing: it takes no more tasks, and still finds,
    /// lists and aborts those that it has, until it is closed again and nothing runs.
    ///
    /// The library's threads that served this manager are gone when this returns, and after the last
    /// manager of a process all are: save those in a call of a provider that has passed its deadline,
    /// or this one, and outside a callback.
    ///
    /// # Errors
    /// [`WouldDeadlock`](crate::ErrorCode::WouldDeadlock) in a callback or a provider, unless the
    /// deadline is zero: nothing is closed then; [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// use std::time::Duration;
    /// let manager = taskmgr::Manager::builder().build()?;
    /// assert!(manager.close(Duration::from_secs(5))?.is_complete());
    /// assert!(manager.close(Duration::ZERO)?.is_complete());
    /// assert!(manager.modules().unwrap_err().is_closed());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn close(&self, deadline: Duration) -> Result<CloseReport> {
        self.engine().close(deadline)
    }

    /// Forgets the roots whose time has come, for hosts that turned the background thread
    /// off; how many there were. What has expired is never shown, swept or not. Memory that
    /// nothing has used for some time goes back to the system.
    ///
    /// ```
    /// let manager = taskmgr::Manager::builder().reaper(false).build()?;
    /// assert_eq!(manager.tick(), 0);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn tick(&self) -> usize {
        let engine = self.engine();
        if engine.check().is_err() {
            return 0;
        }
        let forgotten = engine.sweep();
        if engine.realm.may_give_back() {
            engine.realm.give_back_idle();
        }
        forgotten
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules = self.modules().unwrap_or_default();
        write!(f, "Manager({:?}, {modules:?})", self.node())
    }
}
