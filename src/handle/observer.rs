//! Who looks, waits and asks for an abort.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::virtual_task::Virtual;
use super::{AsParent, AsTask, DoneGuard};
use crate::arena::Held;
use crate::engine::{Engine, Found, ParentSpec, TaskRef};
use crate::error::{Error, ErrorCode, Result};
use crate::node::callback::Callback;
use crate::node::extras::DoneCallback;
use crate::provider::{Limit, limit};
use crate::snapshot;
use crate::sync::Deadline;
use crate::view::{ProviderId, Status};

/// Looks at a task, waits for it and asks for its abort, from any thread.
///
/// Its task stays readable for as long as it is held, also after the task was
/// unregistered, and after the manager is gone.
///
/// A completion callback is all that a future needs:
///
/// ```
/// use std::future::Future;
/// use std::pin::Pin;
/// use std::sync::{Arc, Mutex};
/// use std::task::{Context, Poll, Waker};
/// use taskmgr::{DoneGuard, Observer, Result, Status};
///
/// struct Done {
///     shared: Arc<Mutex<(Option<Result<Status>>, Option<Waker>)>>,
///     _guard: DoneGuard,
/// }
///
/// fn done(observer: &Observer) -> Result<Done> {
///     let shared = Arc::new(Mutex::new((None, None::<Waker>)));
///     let theirs = Arc::clone(&shared);
///     let guard = observer.on_done(move |status| {
///         let mut shared = theirs.lock().unwrap();
///         shared.0 = Some(status);
///         if let Some(waker) = shared.1.take() {
///             waker.wake();
///         }
///     })?;
///     Ok(Done { shared, _guard: guard })
/// }
///
/// impl Future for Done {
///     type Output = Result<Status>;
///     fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
///         let mut shared = self.shared.lock().unwrap();
///         match shared.0.take() {
///             Some(status) => Poll::Ready(status),
///             None => {
///                 shared.1 = Some(context.waker().clone());
///                 Poll::Pending
///             }
///         }
///     }
/// }
///
/// let manager = taskmgr::Manager::builder().build()?;
/// let task = manager.register_module("repair")?.task("repair").start()?;
/// let mut future = Box::pin(done(&task.observe())?);
/// let mut context = Context::from_waker(Waker::noop());
/// assert!(future.as_mut().poll(&mut context).is_pending());
/// task.finish()?;
/// assert!(future.as_mut().poll(&mut context).is_ready());
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone)]
pub struct Observer(Inner);

#[derive(Clone)]
enum Inner {
    Regular(Held),
    /// Boxed, so that the others, which are many, are passed on in registers.
    Virtual(Box<Virtual>),
}

impl Observer {
    pub(crate) fn regular(held: Held) -> Self {
        Self(Inner::Regular(held))
    }

    #[inline]
    pub(crate) fn of(found: Found, id: Uuid, engine: &'static Engine) -> Self {
        Self(match found {
            Found::Regular(held) => Inner::Regular(held),
            Found::Virtual(provider, registration) => {
                Inner::Virtual(Box::new(Virtual::new(id, provider, registration, engine)))
            }
        })
    }

    /// The task's id.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert_eq!(task.observe().id(), task.id());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn id(&self) -> Uuid {
        match &self.0 {
            Inner::Regular(held) => TaskRef::of(held).id(),
            Inner::Virtual(theirs) => theirs.id(),
        }
    }

    /// Which provider answers for the task; none for a regular one. For hosts that ask each
    /// provider on a thread of its own.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert_eq!(task.observe().provider(), None);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn provider(&self) -> Option<ProviderId> {
        match &self.0 {
            Inner::Regular(_) => None,
            Inner::Virtual(theirs) => Some(theirs.provider()),
        }
    }

    /// How the task is. This only looks: nothing is unregistered.
    ///
    /// # Errors
    /// [`Forked`](ErrorCode::Forked) in a forked child; for a virtual task what its
    /// provider answers, and [`Provider`](ErrorCode::Provider) if it does not.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let observer = task.observe();
    /// task.finish()?;
    /// assert_eq!(observer.status()?.state, taskmgr::State::Done);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn status(&self) -> Result<Status> {
        match &self.0 {
            Inner::Regular(held) => {
                let engine = held.engine();
                engine.realm.check_fork()?;
                Ok(snapshot::status(held, engine))
            }
            Inner::Virtual(theirs) => theirs.status(None),
        }
    }

    /// The statuses of the task and all its descendants, breadth-first, siblings in order
    /// of creation.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let child = task.child("repair").start()?;
    /// let ids: Vec<_> = task.observe().status_tree()?.iter().map(|status| status.id).collect();
    /// assert_eq!(ids, [task.id(), child.id()]);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn status_tree(&self) -> Result<Vec<Status>> {
        match &self.0 {
            Inner::Regular(held) => {
                let engine = held.engine();
                engine.realm.check_fork()?;
                snapshot::status_tree(held, engine)
            }
            Inner::Virtual(theirs) => theirs.status_tree(),
        }
    }

    /// Whether the task has ended: one load for a regular task, a question to the provider
    /// for a virtual one.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert!(!task.observe().is_terminal()?);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn is_terminal(&self) -> Result<bool> {
        match &self.0 {
            Inner::Regular(held) => {
                held.engine().realm.check_fork()?;
                Ok(Engine::has_ended(TaskRef::of(held)))
            }
            Inner::Virtual(_) => Ok(self.status()?.state.is_terminal()),
        }
    }

    /// Sleeps until the task has ended, and returns its final status. Whatever its end brings
    /// about has happened by then: it has folded or is kept, and ancestors that had ended before,
    /// and waited for it alone, have settled.
    ///
    /// A task that ends before its children has ended all the same.
    ///
    /// # Errors
    /// [`WouldDeadlock`](ErrorCode::WouldDeadlock) in a callback or a provider;
    /// [`Closed`](ErrorCode::Closed) if the manager was closed, or a virtual task's module, and the
    /// task did not end in time; [`Forked`](ErrorCode::Forked); for a virtual task what its provider says.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let work = module.task("repair").spawn(|_| Ok(()))?;
    /// assert_eq!(work.observer().wait()?.state, taskmgr::State::Done);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn wait(&self) -> Result<Status> {
        self.wait_until(&Deadline::Never)
    }

    /// The same, for no longer than this; zero asks without blocking. It times out as well while
    /// what the end brings about is under way, though a status may show the end already. A
    /// provider is asked for no longer than this either, but for 50 ms if it is less, so that zero
    /// still finds a virtual task that has ended.
    ///
    /// # Errors
    /// [`Timeout`](ErrorCode::Timeout), and as [`wait`](Self::wait).
    ///
    /// ```
    /// use std::time::Duration;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert!(task.observe().wait_timeout(Duration::ZERO).unwrap_err().is_timeout());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn wait_timeout(&self, timeout: Duration) -> Result<Status> {
        self.wait_limited(&Deadline::after(timeout), || limit(timeout))
    }

    pub(crate) fn wait_until(&self, deadline: &Deadline) -> Result<Status> {
        self.wait_limited(deadline, || None)
    }

    /// Until the deadline; a provider is asked until the limit.
    pub(crate) fn wait_limited(
        &self,
        deadline: &Deadline,
        limit: impl FnOnce() -> Limit,
    ) -> Result<Status> {
        match &self.0 {
            Inner::Regular(held) => {
                let engine = held.engine();
                engine.wait(held, deadline)?;
                Ok(snapshot::status(held, engine))
            }
            Inner::Virtual(theirs) => theirs.wait(deadline, limit()),
        }
    }

    /// Tells the task and all below it to abort. Its owner ends it when it notices. What is kept of
    /// a reason of more than 2 KiB says that it was cut.
    ///
    /// # Errors
    /// [`NotAbortable`](ErrorCode::NotAbortable) for a task that is not marked so;
    /// [`Forked`](ErrorCode::Forked); for a virtual task what its provider says.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").abortable().start()?;
    /// task.observe().abort("disk is nearly full")?;
    /// assert!(task.abort_requested());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn abort(&self, reason: &str) -> Result<()> {
        match &self.0 {
            Inner::Regular(held) => held.engine().abort(TaskRef::of(held), reason),
            Inner::Virtual(theirs) => theirs.abort(reason),
        }
    }

    /// Asks the owner to sleep at its next checkpoint. The state becomes `suspended` when
    /// it does; its children go on.
    ///
    /// # Errors
    /// [`NotSupported`](ErrorCode::NotSupported) for a virtual task;
    /// [`Forked`](ErrorCode::Forked).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// task.observe().suspend()?;
    /// assert!(task.status()?.suspend_requested);
    /// task.observe().resume()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn suspend(&self) -> Result<()> {
        let (held, engine) = self.only_regular("suspended")?;
        engine.suspend(TaskRef::of(held))
    }

    /// Takes [`suspend`](Self::suspend) back, and wakes the owner.
    ///
    /// # Errors
    /// As [`suspend`](Self::suspend).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// task.observe().suspend()?;
    /// task.observe().resume()?;
    /// task.checkpoint()?; // does not sleep
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn resume(&self) -> Result<()> {
        let (held, engine) = self.only_regular("resumed")?;
        engine.resume(TaskRef::of(held))
    }

    fn only_regular(&self, what: &str) -> Result<(&Held, &'static Engine)> {
        match &self.0 {
            Inner::Regular(held) => Ok((held, held.engine())),
            Inner::Virtual(theirs) => {
                theirs.check_fork()?;
                let id = theirs.id();
                Err(Error::new(
                    ErrorCode::NotSupported,
                    format!("task {id} is virtual and cannot be {what}; ask its provider's host"),
                )
                .with_id(id))
            }
        }
    }

    /// Calls `f` once with the final status when the task has ended, or now, if it has:
    /// on the thread that ends it, with no lock held. It is dropped unrun when the guard is.
    /// If the manager is closed, or a virtual task's module, and the task does not end in time, it
    /// gets [`Closed`](ErrorCode::Closed).
    ///
    /// Dropping the guard waits for a callback that is running on another thread; not for
    /// its own, and not inside another callback.
    ///
    /// # Errors
    /// [`Exhausted`](ErrorCode::Exhausted) if the task has a million handles;
    /// [`Forked`](ErrorCode::Forked); for a virtual task what its provider says. After an error
    /// `f` is not called any more, whatever the provider does.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let (sender, receiver) = mpsc::channel();
    /// let guard = task.observe().on_done(move |status| sender.send(status).unwrap())?;
    /// task.finish()?;
    /// assert_eq!(receiver.recv().unwrap()?.state, taskmgr::State::Done);
    /// # drop(guard);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn on_done(&self, f: impl FnOnce(Result<Status>) + Send + 'static) -> Result<DoneGuard> {
        self.register_done(f, None)
    }

    /// The same, where the provider of a virtual task has no longer than this to take the
    /// callback, or 50 ms if it is less. A regular task takes it at once.
    ///
    /// # Errors
    /// [`Timeout`](ErrorCode::Timeout), and as [`on_done`](Self::on_done).
    ///
    /// ```
    /// use std::time::Duration;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let guard = task.observe().on_done_within(Duration::ZERO, |status| println!("{status:?}"))?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn on_done_within(
        &self,
        timeout: Duration,
        f: impl FnOnce(Result<Status>) + Send + 'static,
    ) -> Result<DoneGuard> {
        self.register_done(f, limit(timeout))
    }

    fn register_done(
        &self,
        f: impl FnOnce(Result<Status>) + Send + 'static,
        limit: Limit,
    ) -> Result<DoneGuard> {
        let callback: DoneCallback = Arc::new(Callback::new(f));
        match &self.0 {
            Inner::Regular(held) => {
                let number = held.engine().on_done(held, Arc::clone(&callback))?;
                Ok(DoneGuard::regular(held.clone(), callback, number))
            }
            Inner::Virtual(theirs) => theirs.on_done(callback, limit),
        }
    }

    /// What has to be unregistered once it was read.
    pub(crate) fn registered(&self) -> Option<(&Held, &'static Engine)> {
        match &self.0 {
            Inner::Regular(held) => Some((held, held.engine())),
            Inner::Virtual(_) => None,
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Observer({})", self.id())
    }
}

impl AsParent for Observer {
    #[allow(private_interfaces)] // sealed: nobody outside can name or call it
    fn as_parent(&self) -> ParentSpec {
        match &self.0 {
            Inner::Regular(held) => ParentSpec::Task(TaskRef::of(held)),
            Inner::Virtual(theirs) => ParentSpec::Id(theirs.id()),
        }
    }
}

impl AsTask for Observer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_small_and_observers_are_returned_in_registers() {
        assert_eq!(size_of::<crate::Task>(), 3 * size_of::<usize>());
        assert_eq!(size_of::<Observer>(), 2 * size_of::<usize>());
        assert_eq!(size_of::<Result<Observer>>(), 2 * size_of::<usize>());
    }
}
