//! An owner for several threads at once.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::{AsParent, AsTask, Task, TaskContext, counting};
use crate::engine::{Outcome, ParentSpec, TaskRef};
use crate::error::Result;
use crate::node::progress;
use crate::node::word::{PARTS, SHARED};
use crate::sync::AtomicU64;
use crate::tree::abort::Seen;

/// The owner of a task, for several threads at once: what a handle in C or Python is.
///
/// All clones are one owner; when the last is dropped unfinished, the task fails. Of
/// several that end it exactly one wins.
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// let task = manager.register_module("repair")?.task("repair").start()?.share();
/// let other = task.clone();
/// std::thread::spawn(move || other.advance(1)).join().unwrap();
/// task.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedTask(Arc<Owner>);

/// The reference and the duty to end the task, without the cell that makes `Task` one
/// thread's.
struct Owner(TaskContext);

impl SharedTask {
    pub(super) fn of(task: Task) -> Self {
        let context = &*task;
        // In a forked child no lock may be taken, and nobody ends the task.
        if !context.task.realm().is_forked() {
            context.task.slot.extras_or_new(context.task.realm());
            context.task.slot.word.mark(PARTS | SHARED);
        }
        let owner = Owner(TaskContext::new(context.task));
        std::mem::forget(task);
        Self(Arc::new(owner))
    }

    #[inline]
    fn cell(&self) -> &'static AtomicU64 {
        &self.0.0.task.slot.counted
    }

    counting!(
        "# let manager = taskmgr::Manager::builder().build()?;\n# let task = manager.register_module(\"repair\")?.task(\"repair\").start()?.share();",
        progress::advance_shared
    );

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
        let TaskContext { task, seen } = &self.0.0;
        task.engine.start_task(*task, seen)
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
        let TaskContext { task, seen } = &self.0.0;
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

    fn end(&self, outcome: Outcome) -> Result<()> {
        self.0.0.task.realm().check_fork()?;
        self.0.end(outcome)
    }
}

impl Owner {
    fn end(&self, outcome: Outcome) -> Result<()> {
        let TaskContext { task, .. } = &self.0;
        // A view of its own: another thread's check may move the shared one on between
        // this end's look and its claim.
        task.engine.end_task(
            *task,
            &Seen::nothing_yet(task.slot, task.tree),
            outcome,
            crate::engine::Handle::Stays,
        )
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let task: TaskRef = self.0.task;
        if task.realm().is_forked() {
            return;
        }
        let error = match std::thread::panicking() {
            true => "panicked",
            false => "dropped before it finished",
        };
        let outcome = Outcome::Failed(error.into());
        let goes = crate::engine::Handle::Goes;
        let _ = task.engine.end_task(
            task,
            &Seen::nothing_yet(task.slot, task.tree),
            outcome,
            goes,
        );
    }
}

impl Deref for SharedTask {
    type Target = TaskContext;
    fn deref(&self) -> &TaskContext {
        &self.0.0
    }
}

impl fmt::Debug for SharedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedTask({:?})", self.0.0)
    }
}

impl AsParent for SharedTask {
    #[allow(private_interfaces)] // sealed: nobody outside can name or call it
    fn as_parent(&self) -> ParentSpec {
        self.0.0.as_parent()
    }
}

impl AsTask for SharedTask {}
