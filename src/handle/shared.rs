//! An owner for several threads at once.

use std::fmt;

use uuid::Uuid;

use super::{AbortGuard, AsParent, AsTask, Observer, Reporter, Task, TaskBuilder, TaskContext};
use crate::engine::{Engine, Handle, Outcome, ParentSpec};
use crate::error::{Error, Result};
use crate::node::progress::{self, Last};
use crate::node::slot::UNKNOWN;
use crate::node::word::PARTS;
use crate::sync::{AtomicBool, AtomicU64, Ordering};
use crate::tree::abort::Seen;
use crate::view::Status;

/// The owner of a task, for several threads at once: what a handle in C or Python is.
///
/// Put it into an [`Arc`](std::sync::Arc), or borrow it to scoped threads. Of several that
/// end the task exactly one wins; the handle dropped before anybody has, the task fails.
/// Counting is an atomic addition, and everything else as with [`Task`].
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// let task = manager.register_module("repair")?.task("repair").start()?.share();
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| task.advance(1));
///     }
/// });
/// assert_eq!(task.status()?.progress.completed, 2);
/// task.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
pub struct SharedTask {
    /// Not dereferenced to: whoever gets another handle out of it, through which to look at
    /// the task, has to pass [`fixed`](Self::fixed).
    context: TaskContext,
    /// Whether somebody ends the task, or has.
    is_ended: AtomicBool,
    /// What it came to, for as long as this handle alone can tell.
    last: (AtomicU64, AtomicU64),
}

/// A call that is the owner's in every way.
macro_rules! forward {
    ($(#[doc = $doc:literal] $name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!($doc, " As [`TaskContext::", stringify!($name), "`].")]
        ///
        /// ```
        /// # let manager = taskmgr::Manager::builder().build()?;
        /// # let module = manager.register_module("repair")?;
        /// let task = module.task("repair").start()?.share();
        #[doc = concat!("let _ = task.", stringify!($name), forward!(@call $($arg)*), ";")]
        /// # Ok::<(), taskmgr::Error>(())
        /// ```
        #[inline]
        pub fn $name(&self, $($arg: $type),*) -> $result {
            self.context.$name($($arg),*)
        }
    )*};
    (@call) => { "()" };
    (@call total) => { "(256)" };
    (@call reason) => { "(\"shutdown\")" };
    (@call f) => { "(|| println!(\"interrupted\"))" };
}

impl SharedTask {
    pub(super) fn of(task: Task) -> Self {
        let task_ref = task.task;
        std::mem::forget(task);
        Self {
            context: TaskContext::new(task_ref),
            is_ended: AtomicBool::new(false),
            last: (AtomicU64::new(0), AtomicU64::new(UNKNOWN)),
        }
    }

    #[inline]
    fn cell(&self) -> &'static AtomicU64 {
        &self.context.task.slot.counted
    }

    super::counting!(
        "# let manager = taskmgr::Manager::builder().build()?;\n# let task = manager.register_module(\"repair\")?.task(\"repair\").start()?.share();",
        progress::advance_shared
    );

    forward! {
        #[doc = "The task's id."]
        id() -> Uuid;
        #[doc = "Tells how many units there are."]
        set_total(total: u64) -> ();
        #[doc = "Whether the task was told to abort."]
        abort_requested() -> bool;
        #[doc = "The same as an error to return."]
        check_abort() -> Result<()>;
        #[doc = "Calls `f` when the task is told to abort."]
        on_abort(f: impl FnOnce() + Send + 'static) -> Result<AbortGuard>;
        #[doc = "Tells this task and all below it to abort."]
        abort(reason: &str) -> Result<()>;
    }

    /// A handle that can look, wait and ask for an abort, for other threads.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// let observer = task.observe();
    /// task.finish()?;
    /// assert_eq!(observer.wait()?.state, taskmgr::State::Done);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn observe(&self) -> Observer {
        self.fixed(self.context.observe())
    }

    /// One more handle of this task for another worker; it counts in a cell of its own.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// task.reporter().advance(2);
    /// assert_eq!(task.status()?.progress.completed, 2);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn reporter(&self) -> Reporter {
        self.fixed(self.context.reporter())
    }

    /// How the task is.
    ///
    /// # Errors
    /// [`Forked`](crate::ErrorCode::Forked) in a forked child.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// assert_eq!(task.status()?.state, taskmgr::State::Running);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn status(&self) -> Result<Status> {
        self.observe().status()
    }

    /// A builder for a child of this task, of its module and on its shard.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// let child = task.child("repair").scope("keyspace").keyspace("ks").start()?.share();
    /// child.finish()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn child<'a>(&self, type_: &'a str) -> TaskBuilder<'a> {
        self.context.child(type_)
    }

    /// As [`Task::start`].
    ///
    /// # Errors
    /// As [`Task::start`].
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let task = manager.register_module("repair")?.task("repair").create()?.share();
    /// task.start()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn start(&self) -> Result<()> {
        let TaskContext { task, seen } = &self.context;
        task.engine
            .start_task(*task, seen, || self.end(Outcome::Done))
    }

    /// As [`Task::checkpoint`].
    ///
    /// # Errors
    /// As [`Task::checkpoint`], and [`AlreadyFinished`](crate::ErrorCode::AlreadyFinished)
    /// if another thread ended the task meanwhile.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// task.checkpoint()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline]
    pub fn checkpoint(&self) -> Result<()> {
        let TaskContext { task, seen } = &self.context;
        task.engine.checkpoint(*task, seen)
    }

    /// As [`Task::finish`].
    ///
    /// # Errors
    /// As [`Task::finish`]; [`AlreadyFinished`](crate::ErrorCode::AlreadyFinished) for all
    /// but the one that ends it.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// task.finish()?;
    /// assert!(task.finish().is_err());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn finish(&self) -> Result<()> {
        self.end(Outcome::Done)
    }

    /// As [`Task::fail`].
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// task.fail("no space left on device")?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn fail(&self, error: impl fmt::Display) -> Result<()> {
        self.end(Outcome::Failed(error.to_string().into()))
    }

    #[inline]
    fn end(&self, outcome: Outcome) -> Result<()> {
        let task = self.context.task;
        task.realm().check_fork()?;
        if self.is_ended.swap(true, Ordering::AcqRel) {
            return Err(Error::finished(task.id()));
        }
        // Published with the end.
        task.engine.end_kept(task, outcome, |last| {
            self.last.0.store(last.completed, Ordering::Relaxed);
            self.last.1.store(last.total, Ordering::Relaxed);
        })
    }

    /// Where a task has ended that nobody but this handle could see, others go on counting in
    /// its slot. A further handle finds its figures beside it: taken before the end, it
    /// would have been seen there; after it, they are put there now.
    fn fixed<T>(&self, further: T) -> T {
        let task = self.context.task;
        if Engine::has_ended(task) && !task.realm().is_forked() {
            let last = Last {
                completed: self.last.0.load(Ordering::Relaxed),
                total: self.last.1.load(Ordering::Relaxed),
            };
            let extras = task.slot.extras_or_new(task.realm());
            extras.lock().frozen.get_or_insert(last);
            task.slot.word.mark(PARTS);
        }
        further
    }
}

impl Drop for SharedTask {
    fn drop(&mut self) {
        let task = self.context.task;
        if task.realm().is_forked() {
            return;
        }
        if self.is_ended.load(Ordering::Relaxed) {
            return task.realm().release(task.slot, 1);
        }
        let error = match std::thread::panicking() {
            true => "panicked",
            false => "dropped before it finished",
        };
        let seen = Seen::nothing_yet(task.slot, task.tree);
        let outcome = Outcome::Failed(error.into());
        let _ = task.engine.end_task(task, &seen, outcome, Handle::Goes);
    }
}

impl fmt::Debug for SharedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedTask({:?})", self.context)
    }
}

impl AsParent for SharedTask {
    #[allow(private_interfaces)] // sealed: nobody outside can name or call it
    fn as_parent(&self) -> ParentSpec {
        self.context.as_parent()
    }
}

impl AsTask for SharedTask {}
