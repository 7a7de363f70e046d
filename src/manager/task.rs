//! Questions about one task, and requests to it, by its id.

use std::time::Duration;

use uuid::Uuid;

use super::Manager;
use crate::error::{Error, ErrorCode, Result};
use crate::handle::{DoneGuard, Observer};
use crate::provider::limit;
use crate::snapshot;
use crate::sync::Deadline;
use crate::view::Status;

/// What becomes of a root that is read.
#[derive(Clone, Copy)]
enum Way {
    /// It stays.
    Keep,
    /// It has to have settled, and is unregistered.
    Take,
    /// It is unregistered if it has settled, and stays otherwise, as a virtual task does.
    TakeIfSettled,
}

fn not_ours(id: Uuid) -> Error {
    let text = format!("task {id} is virtual; its provider decides for how long it is there");
    Error::new(ErrorCode::NotSupported, text).with_id(id)
}

impl Manager {
    /// How the task is. This only looks.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert_eq!(manager.status(task.id())?.state, taskmgr::State::Running);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn status(&self, id: Uuid) -> Result<Status> {
        match snapshot::glance(self.engine(), id) {
            Some(plain) => Ok(plain.into_status(id)),
            None => self.read(id, Way::Keep, Observer::status),
        }
    }

    /// How the settled root has ended; it is unregistered with that.
    ///
    /// # Errors
    /// [`NotSettled`](ErrorCode::NotSettled) if it or a descendant is at work;
    /// [`NotSupported`](ErrorCode::NotSupported) for a virtual task; and as
    /// [`observe`](Self::observe).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").user_task().start()?;
    /// let id = task.id();
    /// assert!(manager.take_status(id).is_err());
    /// task.finish()?;
    /// assert_eq!(manager.take_status(id)?.state, taskmgr::State::Done);
    /// assert!(manager.take_status(id).unwrap_err().is_gone());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn take_status(&self, id: Uuid) -> Result<Status> {
        self.read(id, Way::Take, Observer::status)
    }

    /// The statuses of the task and all its descendants, breadth-first.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let child = task.child("repair").start()?;
    /// assert_eq!(manager.status_tree(task.id())?.len(), 2);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn status_tree(&self, id: Uuid) -> Result<Vec<Status>> {
        self.read(id, Way::Keep, Observer::status_tree)
    }

    /// The same of a settled root, which is unregistered with that.
    ///
    /// # Errors
    /// As [`take_status`](Self::take_status).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").user_task().start()?;
    /// let id = task.id();
    /// task.finish()?;
    /// assert_eq!(manager.take_status_tree(id)?.len(), 1);
    /// assert!(manager.status(id).unwrap_err().is_gone());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn take_status_tree(&self, id: Uuid) -> Result<Vec<Status>> {
        self.read(id, Way::Take, Observer::status_tree)
    }

    /// What the REST API answers: the status, and a settled root is unregistered with that
    /// unless the manager was built with [`keep_on_read`](crate::ManagerBuilder::keep_on_read).
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").user_task().start()?;
    /// let id = task.id();
    /// assert!(manager.read_status(id).is_ok()); // still running: nothing is unregistered
    /// task.finish()?;
    /// assert!(manager.read_status(id).is_ok());
    /// assert!(manager.read_status(id).unwrap_err().is_gone());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn read_status(&self, id: Uuid) -> Result<Status> {
        match snapshot::glance(self.engine(), id) {
            // It has not settled, so that it is not taken in either way.
            Some(plain) => Ok(plain.into_status(id)),
            None => self.read(id, self.way(), Observer::status),
        }
    }

    /// The same for the statuses of a whole tree.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().keep_on_read(true).build()?;
    /// # let task = manager.register_module("repair")?.task("repair").user_task().start()?;
    /// let id = task.id();
    /// task.finish()?;
    /// assert_eq!(manager.read_status_tree(id)?.len(), 1);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn read_status_tree(&self, id: Uuid) -> Result<Vec<Status>> {
        self.read(id, self.way(), Observer::status_tree)
    }

    /// How the REST API reads.
    fn way(&self) -> Way {
        match self.keep_on_read() {
            true => Way::Keep,
            false => Way::TakeIfSettled,
        }
    }

    /// Finds the task once, and looks once whether it is taken.
    fn read<T>(&self, id: Uuid, way: Way, look: impl FnOnce(&Observer) -> Result<T>) -> Result<T> {
        let observer = self.find(id)?;
        let taken = match (way, observer.registered()) {
            (Way::Keep, _) | (Way::TakeIfSettled, None) => None,
            (Way::Take, None) => return Err(not_ours(id)),
            (_, Some((held, engine))) if engine.is_settled(held) => Some((held, engine)),
            (Way::TakeIfSettled, Some(_)) => None,
            (Way::Take, Some((held, engine))) => return Err(engine.not_settled(held)),
        };
        // A settled root does not change any more, so what is read now is what is taken.
        let status = look(&observer)?;
        if let Some((held, engine)) = taken {
            engine.take(held)?;
        }
        Ok(status)
    }

    /// Tells the task and all below it to abort.
    ///
    /// # Errors
    /// As [`observe`](Self::observe) and [`Observer::abort`].
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").abortable().start()?;
    /// manager.abort(task.id(), "disk is nearly full")?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn abort(&self, id: Uuid, reason: &str) -> Result<()> {
        self.find(id)?.abort(reason)
    }

    /// Asks the task's owner to sleep at its next checkpoint.
    ///
    /// # Errors
    /// As [`observe`](Self::observe) and [`Observer::suspend`].
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// manager.suspend(task.id())?;
    /// manager.resume(task.id())?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn suspend(&self, id: Uuid) -> Result<()> {
        self.find(id)?.suspend()
    }

    /// Takes that back.
    ///
    /// # Errors
    /// As [`suspend`](Self::suspend).
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// manager.resume(task.id())?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn resume(&self, id: Uuid) -> Result<()> {
        self.find(id)?.resume()
    }

    /// Sleeps until the task has ended, and returns its final status.
    ///
    /// # Errors
    /// As [`observe`](Self::observe) and [`Observer::wait`].
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let module = manager.register_module("repair")?;
    /// let work = module.task("repair").user_task().spawn(|_| Ok(()))?;
    /// assert_eq!(manager.wait(work.observer().id())?.state, taskmgr::State::Done);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn wait(&self, id: Uuid) -> Result<Status> {
        self.find(id)?.wait()
    }

    /// The same, for no longer than this.
    ///
    /// # Errors
    /// As [`observe`](Self::observe) and [`Observer::wait_timeout`].
    ///
    /// ```
    /// use std::time::Duration;
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// assert!(manager.wait_timeout(task.id(), Duration::ZERO).unwrap_err().is_timeout());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn wait_timeout(&self, id: Uuid, timeout: Duration) -> Result<Status> {
        if let Some(held) = self.engine().find_unsettled(id) {
            return Observer::regular(held).wait_timeout(timeout);
        }
        let (deadline, _) = Deadline::after(timeout).begin();
        let limit = limit(timeout);
        let observer = self.find_within(id, limit)?;
        observer.wait_limited(&deadline, || limit)
    }

    /// Calls `f` once with the final status when the task has ended.
    ///
    /// # Errors
    /// As [`observe`](Self::observe) and [`Observer::on_done`].
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let guard = manager.on_done(task.id(), |status| println!("{status:?}"))?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn on_done(
        &self,
        id: Uuid,
        f: impl FnOnce(Result<Status>) + Send + 'static,
    ) -> Result<DoneGuard> {
        self.find(id)?.on_done(f)
    }
}
