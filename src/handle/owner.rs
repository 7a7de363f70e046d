//! The owner of a task: runs it and ends it.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::ours::Ours;
use super::{AsParent, AsTask, Observer, SharedTask, TaskContext, counting};
use crate::engine::{Handle, Outcome, ParentSpec, TaskRef};
use crate::error::{BoxError, Error, ErrorCode, Result};
use crate::node::callback::{self, panic_message};
use crate::node::progress;
use crate::node::word::STARTED;
use crate::sync::{AtomicU64, Running};

/// The owner of a task.
///
/// It is `Send` and not `Sync`: the thread that has it counts without an atomic operation.
/// For other workers there are [reporters](TaskContext::reporter), for other languages
/// [`share`](Task::share). An owner that is dropped without [`finish`](Task::finish) or
/// [`fail`](Task::fail) fails its task.
///
/// ```
/// use taskmgr::{Manager, State};
///
/// let manager = Manager::builder().build()?;
/// let compaction = manager.register_module("compaction")?;
/// let job = compaction.task("major compaction").total(2, "sstables").start()?;
/// for _sstable in 0..2 {
///     job.check_abort()?;
///     job.advance(1);
/// }
/// let observer = job.observe();
/// job.finish()?;
/// assert_eq!(observer.status()?.state, State::Done);
///
/// let job = compaction.task("major compaction").start()?;
/// let observer = job.observe();
/// drop(job);
/// assert_eq!(observer.status()?.error.unwrap(), "dropped before it finished");
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[must_use = "a task that is dropped has failed"]
pub struct Task {
    context: TaskContext,
    /// Its cell is written by a load and a store, so one thread at a time may have it.
    not_sync: PhantomData<Cell<()>>,
}

impl Task {
    #[inline]
    pub(crate) fn new(task: TaskRef) -> Self {
        Self {
            context: TaskContext::new(task),
            not_sync: PhantomData,
        }
    }

    /// Where an abort was in sight at its birth.
    #[cold]
    pub(super) fn started(self) -> Result<Self> {
        self.start().map(|()| self)
    }

    fn is_created(&self) -> bool {
        !self.context.task.slot.word.load().has(STARTED)
    }

    #[inline]
    fn cell(&self) -> &'static AtomicU64 {
        &self.context.task.slot.counted
    }

    counting!(
        "# let manager = taskmgr::Manager::builder().build()?;\n# let task = manager.register_module(\"repair\")?.task(\"repair\").start()?;",
        progress::advance_alone
    );

    /// created → running.
    ///
    /// # Errors
    /// [`AlreadyStarted`](ErrorCode::AlreadyStarted);
    /// [`AlreadyFinished`](ErrorCode::AlreadyFinished);
    /// [`Aborted`](ErrorCode::Aborted) if the abort came first: the task has failed then,
    /// and its work must not be done.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let task = manager.register_module("repair")?.task("repair").create()?;
    /// task.start()?;
    /// assert!(task.start().is_err());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn start(&self) -> Result<()> {
        let TaskContext { task, seen } = &self.context;
        let end = || {
            task.engine()
                .end_task(*task, seen, Outcome::Done, Handle::Stays)
        };
        task.engine().start_task(*task, seen, end)
    }

    /// A place where the task may pause: if it was asked to suspend, this sleeps until it
    /// is resumed or aborted. Otherwise it costs a few loads.
    ///
    /// # Errors
    /// [`Aborted`](ErrorCode::Aborted) if the task was told to abort;
    /// [`WouldDeadlock`](ErrorCode::WouldDeadlock) if it would have to sleep in a callback.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let task = manager.register_module("repair")?.task("repair").abortable().start()?;
    /// let observer = task.observe();
    /// observer.suspend()?;
    /// let operator = std::thread::spawn(move || {
    ///     while observer.status()?.state != taskmgr::State::Suspended {
    ///         std::thread::yield_now();
    ///     }
    ///     observer.resume()
    /// });
    /// task.checkpoint()?; // sleeps here
    /// operator.join().unwrap()?;
    /// # task.finish()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline]
    pub fn checkpoint(&self) -> Result<()> {
        let TaskContext { task, seen } = &self.context;
        task.engine().checkpoint(*task, seen)
    }

    /// Ends the task as done. Waits for abort callbacks of it that run on other threads; not
    /// inside a callback.
    ///
    /// # Errors
    /// [`Aborted`](ErrorCode::Aborted) if it was told to abort, and
    /// [`NotStarted`](ErrorCode::NotStarted) if it was not started: it has ended as failed;
    /// [`AlreadyFinished`](ErrorCode::AlreadyFinished) if its start found an abort;
    /// [`Forked`](ErrorCode::Forked) in a forked child.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let task = manager.register_module("repair")?.task("repair").start()?;
    /// task.finish()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline(always)]
    pub fn finish(self) -> Result<()> {
        self.end(Outcome::Done)
    }

    /// Ends the task as failed, and waits as [`finish`](Self::finish) does. One that was told to
    /// abort keeps both reasons. What is kept of a text of more than 4 KiB says that it was cut.
    ///
    /// # Errors
    /// [`AlreadyFinished`](ErrorCode::AlreadyFinished) if its start found an abort;
    /// [`Forked`](ErrorCode::Forked) in a forked child.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let task = manager.register_module("repair")?.task("repair").start()?;
    /// let observer = task.observe();
    /// task.fail("no space left on device")?;
    /// assert_eq!(observer.status()?.error.unwrap(), "no space left on device");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    #[inline]
    pub fn fail(self, error: impl fmt::Display) -> Result<()> {
        self.end(Outcome::Failed(error.to_string().into()))
    }

    #[inline(always)]
    fn end(self, outcome: Outcome) -> Result<()> {
        let this = ManuallyDrop::new(self);
        let TaskContext { task, seen } = &this.context;
        task.realm().check_fork()?;
        task.engine().end_owned(*task, seen.epoch(), outcome)
    }

    /// Does the work on this thread and ends the task with it: `Ok` finishes it, an error
    /// or a panic fails it with its message and those of its causes, and is passed on.
    ///
    /// # Errors
    /// What the work returned: a [`taskmgr::Error`](Error) as it was, any other as
    /// [`TaskFailed`](ErrorCode::TaskFailed) with the error as its source; and as
    /// [`start`](Self::start) and [`finish`](Self::finish).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let task = manager.register_module("repair")?.task("repair").start()?;
    /// let observer = task.observe();
    /// let result: taskmgr::Result<()> = task.run(|task| {
    ///     task.check_abort()?;
    ///     Err("the replica is down".into())
    /// });
    /// assert_eq!(result.unwrap_err().to_string(), "the replica is down");
    /// assert_eq!(observer.status()?.error.unwrap(), "the replica is down");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn run<T>(self, work: impl FnOnce(&Task) -> Result<T, BoxError>) -> Result<T> {
        self.context.task.realm().check_fork()?;
        if self.is_created() {
            self.start()?;
        }
        let id = self.id();
        match catch_unwind(AssertUnwindSafe(|| work(&self))) {
            Ok(Ok(value)) => self.finish().map(|()| value),
            Ok(Err(error)) => {
                let error = Error::from_work(error, id);
                self.fail(format_args!("{error:#}"))?;
                Err(error)
            }
            Err(panic) => {
                // Whoever catches the panic is told; that the task had ended is no news.
                let _ = self.fail(format_args!("panicked: {}", panic_message(&*panic)));
                resume_unwind(panic)
            }
        }
    }

    /// Does the work on a thread of its own and ends the task with it, as [`run`](Self::run).
    ///
    /// # Errors
    /// [`Exhausted`](ErrorCode::Exhausted) if there is no thread to be had.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let task = manager.register_module("repair")?.task("repair").start()?;
    /// let work = task.spawn(|task| {
    ///     task.advance(1);
    ///     Ok("repaired")
    /// })?;
    /// assert_eq!(work.join()?, "repaired");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn spawn<T: Send + 'static>(
        self,
        work: impl FnOnce(&Task) -> Result<T, BoxError> + Send + 'static,
    ) -> Result<Spawned<T>> {
        let realm = self.context.task.realm();
        realm.check_fork()?;
        let observer = self.observe();
        let id = self.id();
        match Running::start("taskmgr-task", move || self.run(work)) {
            Ok(thread) => Ok(Spawned {
                thread: Ours::new(thread, realm),
                observer,
            }),
            // The task went with the closure, and has failed as dropped.
            Err(error) => Err(Error::new(
                ErrorCode::Exhausted,
                format!("no thread for task {id}: {error}"),
            )
            .with_id(id)),
        }
    }

    /// Turns the owner into one that several threads may use, for bindings to other
    /// languages. Counting becomes an atomic addition.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let task = manager.register_module("repair")?.task("repair").start()?.share();
    /// task.finish()?;
    /// assert_eq!(task.finish().unwrap_err().code(), taskmgr::ErrorCode::AlreadyFinished);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn share(self) -> SharedTask {
        SharedTask::of(self)
    }
}

impl Deref for Task {
    type Target = TaskContext;
    #[inline]
    fn deref(&self) -> &TaskContext {
        &self.context
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let TaskContext { task, seen } = &self.context;
        task.owner_goes(seen);
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Task({:?})", self.context)
    }
}

impl AsParent for Task {
    #[allow(private_interfaces)] // sealed: nobody outside can name or call it
    fn as_parent(&self) -> ParentSpec {
        self.context.as_parent()
    }
}

impl AsTask for Task {}

/// A task at work on a thread of its own.
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// # let module = manager.register_module("repair")?;
/// let repair = module.task("repair").abortable().spawn(|task| {
///     while !task.abort_requested() {
///         std::thread::yield_now();
///     }
///     Ok(task.check_abort()?)
/// })?;
/// repair.observer().abort("enough")?;
/// assert!(repair.join().unwrap_err().is_aborted());
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Debug)]
pub struct Spawned<T> {
    thread: Ours<Running<Result<T>>>,
    observer: Observer,
}

impl<T> Spawned<T> {
    /// An observer of the task.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let work = module.task("repair").spawn(|_| Ok(()))?;
    /// work.observer().wait()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn observer(&self) -> &Observer {
        &self.observer
    }

    /// Waits for the work and returns what it returned.
    ///
    /// # Errors
    /// As [`Task::run`]; a panic comes as [`TaskFailed`](ErrorCode::TaskFailed) with its
    /// message; [`WouldDeadlock`](ErrorCode::WouldDeadlock) inside a callback, if the thread
    /// is still at work.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// assert_eq!(module.task("repair").spawn(|_| Ok(7))?.join()?, 7);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn join(self) -> Result<T> {
        let id = self.observer.id();
        // In a forked child the thread is not there.
        self.observer.is_terminal()?;
        if callback::is_inside() && !self.thread.is_over() {
            return Err(Error::would_deadlock("joining a task's thread").with_id(id));
        }
        match self.thread.take().join() {
            Ok(result) => result,
            Err(panic) => {
                let said = panic_message(&*panic);
                callback::discard(panic);
                Err(Error::new(ErrorCode::TaskFailed, format!("panicked: {said}")).with_id(id))
            }
        }
    }
}
