//! What an owner and its reporters have in common.

use std::fmt;

use uuid::Uuid;

use super::{AbortGuard, Observer, Reporter, TaskBuilder};
use crate::arena::Held;
use crate::engine::{Engine, ParentSpec, TaskRef};
use crate::error::Result;
use crate::node::progress::CAP;
use crate::sync::Ordering;
use crate::tree::abort::Seen;
use crate::view::Status;

/// What every handle that works on a task can do; [`Task`](crate::Task),
/// [`SharedTask`](crate::SharedTask) and [`Reporter`] dereference to it.
///
/// ```
/// use taskmgr::{Manager, TaskContext};
///
/// fn compact(work: &TaskContext) -> taskmgr::Result<()> {
///     work.check_abort()
/// }
///
/// let manager = Manager::builder().build()?;
/// let task = manager.register_module("compaction")?.task("compaction").start()?;
/// compact(&task)?;
/// task.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
pub struct TaskContext {
    pub(crate) task: TaskRef,
    pub(crate) seen: Seen,
}

impl TaskContext {
    #[inline]
    pub(crate) fn new(task: TaskRef) -> Self {
        Self {
            task,
            seen: Seen::nothing_yet(task.slot, task.tree),
        }
    }

    /// The task's id.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert_eq!(manager.status(task.id())?.id, task.id());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline]
    pub fn id(&self) -> Uuid {
        self.task.id()
    }

    /// A handle that can look, wait and ask for an abort, for other threads.
    ///
    /// It is never refused, as are no clones of handles. Beyond a million of one task at once,
    /// the room of the task is kept for the life of the process, whoever of them goes.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let observer = task.observe();
    /// task.finish()?;
    /// assert_eq!(observer.wait()?.state, taskmgr::State::Done);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn observe(&self) -> Observer {
        Observer::regular(Held::retain(self.task.slot))
    }

    /// One more handle of this task for another worker; it counts in a cell of its own.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let task = manager.register_module("repair")?.task("repair").total(2, "ranges").start()?;
    /// let worker = task.reporter();
    /// std::thread::spawn(move || worker.advance(1)).join().unwrap();
    /// task.advance(1);
    /// assert_eq!(task.status()?.progress.completed, 2);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn reporter(&self) -> Reporter {
        Reporter::of(self.task)
    }

    /// How the task is.
    ///
    /// # Errors
    /// [`Forked`](crate::ErrorCode::Forked) in a forked child.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert_eq!(task.status()?.state, taskmgr::State::Running);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn status(&self) -> Result<Status> {
        self.observe().status()
    }

    /// A builder for a child of this task, of its module and on its shard. It is no longer there
    /// than the handle:
    ///
    /// ```compile_fail,E0505
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let late = task.child("repair");
    /// task.finish()?;
    /// late.start()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let child = task.child("repair").scope("keyspace").keyspace("ks").start()?;
    /// assert_eq!(child.status()?.parent_id, Some(task.id()));
    /// child.finish()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn child<'a>(&'a self, type_: &'a str) -> TaskBuilder<'a> {
        TaskBuilder::child(self.task, type_)
    }

    /// Tells how many units there are. One below what was counted follows it when shown.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").units("ranges").start()?;
    /// task.set_total(256);
    /// assert_eq!(task.status()?.progress.total, 256);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn set_total(&self, total: u64) {
        // Where several may call this, the end has fixed the total before it is published.
        if !Engine::has_ended(self.task) {
            self.task
                .slot
                .total
                .store(total.min(CAP), Ordering::Relaxed);
        }
    }

    /// Names the units that this task counts, where that was not known when it was made. Once
    /// the task has ended this does nothing; as another thread ends it, it is too late or not.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorCode::InvalidArgument) for a name that cannot be;
    /// [`Exhausted`](crate::ErrorCode::Exhausted) in a process that has more combinations of names
    /// than it keeps; [`Forked`](crate::ErrorCode::Forked).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// task.set_units("ranges")?;
    /// task.advance(3);
    /// assert_eq!(task.status()?.progress.units, "ranges");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn set_units(&self, units: &str) -> Result<()> {
        self.task.set_units(units)
    }

    /// Whether the task was told to abort: two loads of lines that nobody writes.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// while !task.abort_requested() {
    ///     task.abort("enough")?; // usually an operator does
    /// }
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline]
    pub fn abort_requested(&self) -> bool {
        !self.seen.is_current(self.task.tree)
            && self.task.engine().abort_requested(self.task, &self.seen)
    }

    /// The same as an error to return.
    ///
    /// # Errors
    /// [`Aborted`](crate::ErrorCode::Aborted) with the reason.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert!(task.check_abort().is_ok());
    /// task.abort("shutdown")?;
    /// assert_eq!(task.check_abort().unwrap_err().to_string(), "aborted: shutdown");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline]
    pub fn check_abort(&self) -> Result<()> {
        match self.abort_requested() {
            false => Ok(()),
            true => Err(self.task.engine().aborted(self.task)),
        }
    }

    /// Calls `f` when the task is told to abort: at most once, on the thread that aborts,
    /// or now, if that came first. It is dropped unrun when the guard is, or the task ends.
    ///
    /// Dropping the guard, and ending the task, wait for a callback that is running on
    /// another thread; not for their own, and not inside another callback.
    ///
    /// # Errors
    /// [`Exhausted`](crate::ErrorCode::Exhausted) if the task has a million handles;
    /// [`Forked`](crate::ErrorCode::Forked) in a forked child.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let interrupted = Arc::new(AtomicBool::new(false));
    /// let flag = Arc::clone(&interrupted);
    /// let guard = task.on_abort(move || flag.store(true, Ordering::Relaxed))?;
    /// task.abort("shutdown")?;
    /// assert!(interrupted.load(Ordering::Relaxed));
    /// drop(guard);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn on_abort(&self, f: impl FnOnce() + Send + 'static) -> Result<AbortGuard> {
        self.task.realm().check_fork()?;
        Held::check_room(self.task.slot)?;
        let ticket = self.task.engine().on_abort(self.task, f)?;
        Ok(AbortGuard::new(self.task, ticket))
    }

    /// Tells this task and all below it to abort; the owner of a task may always do that. What is
    /// kept of a reason of more than 2 KiB says that it was cut.
    ///
    /// # Errors
    /// [`Forked`](crate::ErrorCode::Forked) in a forked child.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// task.abort("a sibling has failed")?;
    /// assert!(task.finish().unwrap_err().is_aborted());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn abort(&self, reason: &str) -> Result<()> {
        self.task.realm().check_fork()?;
        self.task.engine().abort_regardless(self.task, reason);
        Ok(())
    }
}

impl fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id())
    }
}

pub(crate) mod sealed {
    use super::ParentSpec;

    /// What a handle is as a parent.
    pub trait Parent {
        #[doc(hidden)]
        #[allow(private_interfaces)] // sealed: nobody outside can name or call it
        fn as_parent(&self) -> ParentSpec;
    }
}

/// A handle that can be given as a parent.
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// # let module = manager.register_module("repair")?;
/// let parent = module.task("repair").start()?;
/// let child = module.task("repair").parent(&parent.observe()).start()?;
/// assert_eq!(child.status()?.parent_id, Some(parent.id()));
/// # child.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
pub trait AsTask: sealed::Parent {}

impl sealed::Parent for TaskContext {
    #[allow(private_interfaces)] // sealed, as above
    fn as_parent(&self) -> ParentSpec {
        ParentSpec::Task(self.task)
    }
}

impl AsTask for TaskContext {}
