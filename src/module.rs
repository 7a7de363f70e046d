//! A group of operations of one nature.

use std::fmt;
use std::time::Duration;

use crate::engine::{Engine, ModuleCore, Registration};
use crate::error::Result;
use crate::handle::TaskBuilder;
use crate::provider::{Hosted, Provider};
use crate::snapshot;
use crate::view::{CloseReport, Filter, Listing, Stats};

/// A module: a group of operations of one nature, e.g. all repairs.
///
/// A handle of it does not keep the manager; all handles are equal. They are of one registration:
/// once that is over they are refused as [`Closed`](crate::ErrorCode::Closed), also where the name
/// is registered again.
///
/// ```
/// let manager = taskmgr::Manager::builder().build()?;
/// let repair = manager.register_module("repair")?;
/// repair.task("repair").scope("keyspace").start()?.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone)]
pub struct Module {
    pub(crate) engine: &'static Engine,
    pub(crate) registration: Registration,
}

impl Module {
    pub(crate) fn new(engine: &'static Engine, registration: Registration) -> Self {
        Self {
            engine,
            registration,
        }
    }

    /// The module, and the number of the registration.
    #[inline]
    pub(crate) fn of(&self) -> (&'static ModuleCore, u64) {
        (self.registration.core, self.registration.number)
    }

    /// The module's name.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// assert_eq!(manager.register_module("repair")?.name(), "repair");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn name(&self) -> &str {
        &self.registration.name
    }

    /// A builder for a task of this type.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let repair = manager.register_module("repair")?;
    /// let task = repair.task("repair").start()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn task<'a>(&self, type_: &'a str) -> TaskBuilder<'a> {
        TaskBuilder::root(self.engine, self.of(), type_)
    }

    /// The module's tasks, by time of creation and then id. Virtual ones of a provider that
    /// gives no answer are not among them: [`listing`](Self::listing) says so.
    ///
    /// # Errors
    /// As [`listing`](Self::listing).
    ///
    /// ```
    /// use taskmgr::Filter;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let repair = manager.register_module("repair")?;
    /// let task = repair.task("repair").keyspace("ks").start()?;
    /// assert_eq!(repair.list(&Filter::new().keyspace("ks"))?[0].id, task.id());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn list(&self, filter: &Filter) -> Result<Vec<Stats>> {
        Ok(self.listing(filter)?.tasks)
    }

    /// The module's tasks, and the providers that did not say in time which tasks they have. All
    /// are asked at once, within the manager's provider deadline; one that let an earlier call
    /// pass it, and has answered none since, is not waited for.
    ///
    /// # Errors
    /// [`WouldDeadlock`](crate::ErrorCode::WouldDeadlock) in a callback or a provider, if the
    /// module has one; [`Exhausted`](crate::ErrorCode::Exhausted) if there is no memory for it;
    /// [`Closed`](crate::ErrorCode::Closed); [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// use taskmgr::Filter;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let repair = manager.register_module("repair")?;
    /// let listing = repair.listing(&Filter::new())?;
    /// for missing in &listing.missing {
    ///     eprintln!("{missing}");
    /// }
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn listing(&self, filter: &Filter) -> Result<Listing> {
        self.engine.check()?;
        let of = &self.registration;
        let providers = self.engine.providers_of(of)?;
        let listing = snapshot::listing(self.engine, of.core.group, &providers, filter)?;
        self.engine.check_in_force(of)?;
        // A manager that is gone meanwhile has taken the providers off before they were asked.
        self.engine.check()?;
        Ok(listing)
    }

    /// Unregisters all its settled roots; how many there were.
    ///
    /// # Errors
    /// [`Exhausted`](crate::ErrorCode::Exhausted) if there is no memory for it: nothing is drained
    /// then; [`Closed`](crate::ErrorCode::Closed), [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let repair = manager.register_module("repair")?;
    /// repair.task("repair").user_task().start()?.finish()?;
    /// assert_eq!(repair.drain()?, 1);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn drain(&self) -> Result<usize> {
        self.engine.check()?;
        self.engine.drain_module(&self.registration)
    }

    /// Closes the module: no new tasks; its running ones are told to abort and waited for
    /// until the deadline; the settled ones are unregistered. Whoever waits for a virtual task of
    /// it then gets [`Closed`](crate::ErrorCode::Closed). What still runs keeps the name taken
    /// until it ends.
    ///
    /// Closing again, with any handle of this registration, waits on for what still runs, and
    /// answers in the same way: with an empty report once nothing does. It never reaches a module
    /// that was registered under the name since. Several closes may be under way at once: each
    /// waits, and one that is complete also waits for the others to return, until its own deadline,
    /// so that the name is free when it has returned.
    ///
    /// # Errors
    /// [`WouldDeadlock`](crate::ErrorCode::WouldDeadlock) in a callback or a provider, unless the
    /// deadline is zero: nothing is closed then; [`Closed`](crate::ErrorCode::Closed) if nobody had
    /// closed it when the last [`Manager`](crate::Manager) was dropped;
    /// [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// use std::time::Duration;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let repair = manager.register_module("repair")?;
    /// let task = repair.task("repair").start()?;
    /// let report = repair.close(Duration::ZERO)?;
    /// assert_eq!(report.still_running[0].id, task.id());
    /// assert!(task.finish().unwrap_err().is_aborted());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn close(&self, deadline: Duration) -> Result<CloseReport> {
        let (core, registration) = self.of();
        let report = self.engine.close_module(core, registration, deadline)?;
        self.registration.check_not_abandoned()?;
        Ok(report)
    }

    /// Registers a provider of virtual tasks.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorCode::Closed), [`Forked`](crate::ErrorCode::Forked).
    ///
    /// See [`Provider`] for an example.
    pub fn register_provider(&self, provider: impl Provider) -> Result<()> {
        self.engine.check()?;
        let threads = (&self.engine.realm.roster, self.registration.uid);
        let deadline = self.engine.provider_deadline();
        let hosted = Hosted::new(provider, deadline, threads);
        self.engine.add_provider(&self.registration, hosted)
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Module({:?})", self.name())
    }
}
