//! Who looks, waits and asks for an abort.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use uuid::Uuid;

use super::ours::Ours;
use super::{AsParent, AsTask, DoneGuard};
use crate::arena::Held;
use crate::engine::{Engine, Found, ModuleCore, ParentSpec, TaskRef};
use crate::error::{Error, ErrorCode, Result};
use crate::node::callback::{self, Callback};
use crate::node::extras::DoneCallback;
use crate::provider::{Completion, Hosted};
use crate::snapshot;
use crate::sync::{Condvar, Deadline, Lock};
use crate::view::{Name, Status};

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

#[derive(Clone)]
struct Virtual {
    id: Uuid,
    provider: Ours<Hosted>,
    module: &'static ModuleCore,
    engine: &'static Engine,
}

impl Virtual {
    /// What the provider answers, in a process where it can.
    fn ask<T>(
        &self,
        question: impl FnOnce(&'static Engine, &Hosted, &Name, Uuid) -> Result<T>,
    ) -> Result<T> {
        self.engine.realm.check_fork()?;
        question(
            self.engine,
            &self.provider,
            &self.module.group.name,
            self.id,
        )
    }
}

impl Observer {
    pub(crate) fn regular(held: Held) -> Self {
        Self(Inner::Regular(held))
    }

    #[inline]
    pub(crate) fn of(found: Found, id: Uuid, engine: &'static Engine) -> Self {
        Self(match found {
            Found::Regular(held) => Inner::Regular(held),
            Found::Virtual(provider, module) => Inner::Virtual(Box::new(Virtual {
                id,
                provider: Ours::new(provider, engine.realm),
                module,
                engine,
            })),
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
            Inner::Virtual(theirs) => theirs.id,
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
            Inner::Virtual(theirs) => theirs.ask(snapshot::virtual_status),
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
                Ok(snapshot::status_tree(held, engine))
            }
            Inner::Virtual(theirs) => theirs.ask(snapshot::virtual_tree),
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
    /// [`Closed`](ErrorCode::Closed) if the manager was closed and the task did not end in
    /// time; [`Forked`](ErrorCode::Forked); for a virtual task what its provider says.
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
    /// what the end brings about is under way, though a status may show the end already.
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
        self.wait_until(&Deadline::after(timeout))
    }

    pub(crate) fn wait_until(&self, deadline: &Deadline) -> Result<Status> {
        match &self.0 {
            Inner::Regular(held) => {
                let engine = held.engine();
                engine.wait(held, deadline)?;
                Ok(snapshot::status(held, engine))
            }
            Inner::Virtual(_) => self.wait_for_virtual(deadline),
        }
    }

    fn wait_for_virtual(&self, deadline: &Deadline) -> Result<Status> {
        let (deadline, _) = deadline.begin();
        let status = self.status()?;
        if status.state.is_terminal() {
            return Ok(status);
        }
        if deadline.has_passed() {
            return Err(Error::timeout(status.id));
        }
        if callback::is_inside() {
            return Err(Error::would_deadlock("waiting for a task"));
        }
        let latch = Arc::new((Lock::new(None), Condvar::default()));
        let theirs = Arc::clone(&latch);
        let _guard = self.on_done(move |status| {
            *theirs.0.lock() = Some(status);
            theirs.1.notify_all();
        })?;
        let mut answer = latch.0.lock();
        loop {
            if let Some(status) = answer.take() {
                return status;
            }
            if deadline.has_passed() {
                return Err(Error::timeout(self.id()));
            }
            answer = latch.1.wait(answer, &deadline);
        }
    }

    /// Tells the task and all below it to abort. Its owner ends it when it notices.
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
            Inner::Virtual(theirs) => {
                let status = self.status()?;
                if status.state.is_terminal() {
                    return Ok(());
                }
                if !status.is_abortable {
                    return Err(Error::not_abortable(theirs.id));
                }
                let (id, reason) = (theirs.id, reason.to_owned());
                theirs
                    .provider
                    .ask(move |provider| provider.abort(id, &reason))
            }
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
                theirs.engine.realm.check_fork()?;
                let id = theirs.id;
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
    /// If the manager is closed and the task does not end in time, it gets
    /// [`Closed`](ErrorCode::Closed).
    ///
    /// Dropping the guard waits for a callback that is running on another thread; not for
    /// its own, and not inside another callback.
    ///
    /// # Errors
    /// [`Exhausted`](ErrorCode::Exhausted) if the task has a million handles;
    /// [`Forked`](ErrorCode::Forked); for a virtual task what its provider says.
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
        let callback: DoneCallback = Arc::new(Callback::new(f));
        match &self.0 {
            Inner::Regular(held) => {
                let number = held.engine().on_done(held, Arc::clone(&callback))?;
                Ok(DoneGuard::regular(held.clone(), callback, number))
            }
            Inner::Virtual(asked) => {
                let Virtual {
                    id,
                    ref provider,
                    module,
                    engine,
                } = **asked;
                engine.realm.check_fork()?;
                let cancelled = Arc::new(AtomicBool::new(false));
                let theirs = Arc::clone(&callback);
                let number = engine.watch(&callback);
                let completion = Completion::new(Arc::clone(&cancelled), move |status| {
                    if engine.realm.is_forked() {
                        // Left alone, as a handle is.
                        return std::mem::forget(theirs);
                    }
                    engine.unwatch(number);
                    let complete =
                        |status| snapshot::complete_virtual(engine, status, &module.group.name, id);
                    theirs.run(status.map(complete));
                });
                provider
                    .ask(move |provider| provider.watch(id, completion))
                    .inspect_err(|_| engine.unwatch(number))?;
                Ok(DoneGuard::cluster(engine, callback, cancelled, number))
            }
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
            Inner::Virtual(theirs) => ParentSpec::Id(theirs.id),
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
