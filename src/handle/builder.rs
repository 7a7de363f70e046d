//! Describing a task before it is made.

use uuid::Uuid;

use super::{AsTask, Spawned, Task};
use crate::engine::{Engine, ModuleCore, ParentSpec, Spec, TaskRef, Traits};
use crate::error::{BoxError, Result};
use crate::module::Module;
use crate::names::Given;
use crate::node::progress::CAP;
use crate::node::slot::{ABORTABLE, INTERNAL, UNKNOWN, USER_TASK};
use crate::node::word::STARTED;

/// What a new task shall be; nothing but the type is needed.
///
/// Names are at most 255 bytes and printable: not of blanks alone, and without control
/// characters, line separators, noncharacters, bidirectional controls and what does not show at
/// all, joiners of zero width among it. `create` and what is built on it refuse others with
/// [`InvalidArgument`](crate::ErrorCode::InvalidArgument), which names the character and its place.
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// let compaction = manager.register_module("compaction")?;
/// let job = compaction
///     .task("major compaction")
///     .scope("keyspace")
///     .keyspace("ks")
///     .abortable()
///     .start()?;
/// # job.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing until it is started, created, run or spawned"]
pub struct TaskBuilder<'a> {
    engine: &'static Engine,
    spec: Spec<'a>,
}

impl<'a> TaskBuilder<'a> {
    #[inline(always)]
    pub(crate) fn root(
        engine: &'static Engine,
        module: (&'static ModuleCore, u64),
        type_: &'a str,
    ) -> Self {
        Self::new(engine, Some(module), ParentSpec::None, type_)
    }

    #[inline(always)]
    pub(crate) fn child(parent: TaskRef, type_: &'a str) -> Self {
        Self::new(parent.engine(), None, ParentSpec::Task(parent), type_)
    }

    #[inline(always)]
    fn new(
        engine: &'static Engine,
        module: Option<(&'static ModuleCore, u64)>,
        parent: ParentSpec,
        type_: &'a str,
    ) -> Self {
        let names = Given {
            type_,
            ..Given::default()
        };
        Self {
            engine,
            spec: Spec {
                module,
                parent,
                names,
                entity: "",
                traits: Traits {
                    shard: None,
                    total: UNKNOWN,
                    attributes: 0,
                },
                id: None,
            },
        }
    }

    /// For which part of the operation the task is responsible, e.g. "keyspace".
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("repair").scope("keyspace").start()?;
    /// assert_eq!(task.status()?.scope, "keyspace");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn scope(mut self, scope: &'a str) -> Self {
        self.spec.names.scope = scope;
        self
    }

    /// The keyspace that the task works on.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("repair").keyspace("ks").start()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn keyspace(mut self, keyspace: &'a str) -> Self {
        self.spec.names.keyspace = keyspace;
        self
    }

    /// The table that the task works on.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("repair").keyspace("ks").table("events").start()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn table(mut self, table: &'a str) -> Self {
        self.spec.names.table = table;
        self
    }

    /// What else tells the task from its siblings, e.g. a token range.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("repair").entity("(-12, 804]").start()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn entity(mut self, entity: &'a str) -> Self {
        self.spec.entity = entity;
        self
    }

    /// The shard that the task runs on; a child's is its parent's unless told otherwise.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("repair").shard(3).start()?;
    /// assert_eq!(task.child("repair").start()?.status()?.shard, 3);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn shard(mut self, shard: u32) -> Self {
        self.spec.traits.shard = Some(shard);
        self
    }

    /// What the task counts, where the total is not known yet.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("backup")?;
    /// let task = module.task("backup").units("bytes").start()?;
    /// task.advance(4096);
    /// assert!(!task.status()?.progress.total_known);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn units(mut self, units: &'a str) -> Self {
        self.spec.names.units = units;
        self
    }

    /// How many units there are, and what they are. Capped at 2^53.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("repair").total(256, "ranges").start()?;
    /// assert_eq!(task.status()?.progress.units, "ranges");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn total(mut self, total: u64, units: &'a str) -> Self {
        self.spec.traits.total = total.min(CAP);
        self.units(units)
    }

    /// Lets observers, and so operators, abort the task.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("repair").abortable().start()?;
    /// manager.abort(task.id(), "not now")?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn abortable(mut self) -> Self {
        self.spec.traits.attributes |= ABORTABLE;
        self
    }

    /// Leaves the task out of lists unless they ask for it; as a root it is forgotten as
    /// soon as it has settled. A child of a regular task always is internal.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("flush").internal().start()?;
    /// assert!(module.list(&taskmgr::Filter::new())?.is_empty());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn internal(mut self) -> Self {
        self.spec.traits.attributes |= INTERNAL;
        self
    }

    /// Says that a user started the task: it is kept for the user tasks' TTL.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("repair").user_task().start()?;
    /// let id = task.id();
    /// task.finish()?;
    /// assert!(manager.status(id).is_ok()); // for an hour, by default
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn user_task(mut self) -> Self {
        self.spec.traits.attributes |= USER_TASK;
        self
    }

    /// Gives the task an id of the host's own.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let id = taskmgr::Uuid::new_v4();
    /// let task = module.task("repair").id(id).start()?;
    /// assert_eq!(task.id(), id);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn id(mut self, id: Uuid) -> Self {
        self.spec.id = Some(id);
        self
    }

    /// Makes it a child of this task.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// # let parent = module.task("repair").start()?;
    /// let child = module.task("repair").parent(&parent).start()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn parent<P: AsTask + ?Sized>(mut self, parent: &'a P) -> Self {
        self.spec.parent = parent.as_parent();
        self
    }

    /// Makes it a child of the task of this id, which may be a virtual one.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// # let parent = module.task("repair").start()?;
    /// let child = module.task("repair").parent_id(parent.id()).start()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn parent_id(mut self, parent: Uuid) -> Self {
        self.spec.parent = ParentSpec::Id(parent);
        self
    }

    /// Puts it into this module, rather than into its parent's.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let repair = manager.register_module("repair")?;
    /// # let parent = repair.task("repair").start()?;
    /// let streaming = manager.register_module("streaming")?;
    /// let child = parent.child("stream").module(&streaming).start()?;
    /// assert_eq!(child.status()?.module, "streaming");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn module(mut self, module: &Module) -> Self {
        self.spec.module = Some(module.of());
        self
    }

    /// Makes the task, in the state `created`.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorCode::InvalidArgument) for a name or an id that
    /// cannot be, [`IdInUse`](crate::ErrorCode::IdInUse),
    /// [`NotFound`](crate::ErrorCode::NotFound) or [`Gone`](crate::ErrorCode::Gone) for the
    /// parent's id, [`ParentTerminal`](crate::ErrorCode::ParentTerminal),
    /// [`Exhausted`](crate::ErrorCode::Exhausted) if there is no memory for another task,
    /// [`Closed`](crate::ErrorCode::Closed), [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("repair").create()?;
    /// assert_eq!(task.status()?.state, taskmgr::State::Created);
    /// task.start()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn create(self) -> Result<Task> {
        Ok(Task::new(self.engine.create(self.spec, false)?))
    }

    /// Makes the task and starts it.
    ///
    /// # Errors
    /// As [`create`](Self::create), and [`Aborted`](crate::ErrorCode::Aborted) under a
    /// parent that was told to abort.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let task = module.task("repair").start()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn start(self) -> Result<Task> {
        // One operation where no abort is in sight; the general way where there is.
        let task = self.engine.create(self.spec, true)?;
        match task.slot.word.load().has(STARTED) {
            true => Ok(Task::new(task)),
            false => Task::new(task).started(),
        }
    }

    /// Makes the task, does the work on this thread, and ends the task with it: see
    /// [`Task::run`].
    ///
    /// # Errors
    /// As [`start`](Self::start), and whatever the work returned.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let rows = module.task("repair").run(|task| {
    ///     task.advance(1);
    ///     Ok(42)
    /// })?;
    /// assert_eq!(rows, 42);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn run<T>(self, work: impl FnOnce(&Task) -> Result<T, BoxError>) -> Result<T> {
        self.start()?.run(work)
    }

    /// The same on a thread of its own: see [`Task::spawn`].
    ///
    /// # Errors
    /// As [`start`](Self::start), and [`Exhausted`](crate::ErrorCode::Exhausted) without a
    /// thread to be had.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let repair = module.task("repair").spawn(|task| Ok(task.check_abort()?))?;
    /// repair.join()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn spawn<T: Send + 'static>(
        self,
        work: impl FnOnce(&Task) -> Result<T, BoxError> + Send + 'static,
    ) -> Result<Spawned<T>> {
        self.start()?.spawn(work)
    }
}
