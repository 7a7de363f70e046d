//! An owner for several threads at once.

use std::fmt;

use uuid::Uuid;

use super::{AbortGuard, AsParent, AsTask, Observer, Reporter, Task, TaskBuilder, TaskContext};
use crate::engine::{Outcome, ParentSpec, RawTask};
use crate::error::Result;
use crate::node::progress;
use crate::node::slot::UNKNOWN;
use crate::sync::{AtomicU64, Ordering};
use crate::view::Status;

/// The owner of a task, for several threads at once: what a handle in C or Python is.
///
/// All clones are one owner; when the last is dropped unfinished, the task fails. Of several
/// that end it exactly one wins. Counting is an atomic addition, and everything else as with
/// [`Task`].
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// let task = manager.register_module("repair")?.task("repair").start()?.share();
/// let other = task.clone();
/// std::thread::spawn(move || other.advance(1)).join().unwrap();
/// assert_eq!(task.status()?.progress.completed, 1);
/// task.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
///
/// It is the reference that [`leak`](Self::leak) gives away, and nothing else: a binding whose
/// handle is that reference makes a `SharedTask` of it by its own `unsafe` code, with the promise
/// that the handle has not been used up.
#[repr(transparent)]
pub struct SharedTask(&'static RawTask);

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
            self.context().$name($($arg),*)
        }
    )*};
    (@call) => { "()" };
    (@call total) => { "(256)" };
    (@call reason) => { "(\"shutdown\")" };
    (@call f) => { "(|| println!(\"interrupted\"))" };
}

impl SharedTask {
    #[inline]
    pub(super) fn of(task: Task) -> Self {
        let owned = task.task;
        std::mem::forget(task);
        Self(RawTask::of(owned))
    }

    /// Gives the handle away as the reference that it is, for a program in another language to
    /// keep. The task has an owner for as long as nobody makes a handle of it again.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// let observer = task.observe();
    /// let _raw: &'static taskmgr::RawTask = task.leak();
    /// assert_eq!(observer.status()?.state, taskmgr::State::Running);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline]
    pub fn leak(self) -> &'static RawTask {
        let raw = self.0;
        std::mem::forget(self);
        raw
    }

    /// Whether a total was told for the task itself, by whichever of its handles.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// assert!(!task.has_total());
    /// task.reporter().set_total(256);
    /// assert!(task.has_total());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn has_total(&self) -> bool {
        self.0.slot().total.load(Ordering::Relaxed) != UNKNOWN
    }

    /// As that of an owner; what it remembers of aborts is its own.
    #[inline]
    fn context(&self) -> TaskContext {
        TaskContext::new(self.0.task())
    }

    #[inline]
    fn cell(&self) -> &'static AtomicU64 {
        &self.0.slot().counted
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
        #[doc = "Calls `f` when the task is told to abort."]
        on_abort(f: impl FnOnce() + Send + 'static) -> Result<AbortGuard>;
        #[doc = "Tells this task and all below it to abort."]
        abort(reason: &str) -> Result<()>;
    }

    /// Names the units that this task counts. As [`TaskContext::set_units`].
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// task.set_units("ranges")?;
    /// assert_eq!(task.status()?.progress.units, "ranges");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn set_units(&self, units: &str) -> Result<()> {
        self.0.task().set_units_of_shared(units)
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
        self.fixed(self.context().observe())
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
        self.fixed(self.context().reporter())
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

    /// Whether the task was told to abort. As [`TaskContext::abort_requested`].
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// assert!(!task.abort_requested());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline]
    pub fn abort_requested(&self) -> bool {
        self.0.abort_requested()
    }

    /// The same as an error to return.
    ///
    /// # Errors
    /// [`Aborted`](crate::ErrorCode::Aborted) with the reason.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// task.check_abort()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline]
    pub fn check_abort(&self) -> Result<()> {
        match self.abort_requested() {
            false => Ok(()),
            true => {
                let task = self.0.task();
                Err(task.engine().aborted(task))
            }
        }
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
    pub fn child<'a>(&'a self, type_: &'a str) -> TaskBuilder<'a> {
        TaskBuilder::child(self.context().task, type_)
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
        self.0.start()
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
        self.0.checkpoint()
    }

    /// As [`Task::finish`].
    ///
    /// # Errors
    /// As [`Task::finish`]; [`AlreadyFinished`](crate::ErrorCode::AlreadyFinished) for all
    /// but the one that ends it, once it has; inside a callback at once.
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
        self.0.end(outcome)
    }

    fn fixed<T>(&self, further: T) -> T {
        self.0.fix();
        further
    }
}

impl Clone for SharedTask {
    fn clone(&self) -> Self {
        self.0.retain();
        Self(self.0)
    }
}

impl Drop for SharedTask {
    #[inline]
    fn drop(&mut self) {
        self.0.release();
    }
}

impl fmt::Debug for SharedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedTask({:?})", self.context())
    }
}

impl AsParent for SharedTask {
    #[allow(private_interfaces)] // sealed: nobody outside can name or call it
    fn as_parent(&self) -> ParentSpec {
        ParentSpec::Task(self.0.task())
    }
}

impl AsTask for SharedTask {}
