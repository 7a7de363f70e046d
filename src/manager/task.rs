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
            None => self.find(id)?.status(),
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
        self.take(id, Observer::status)
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
        self.find(id)?.status_tree()
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
        self.take(id, Observer::status_tree)
    }

    fn take<T>(&self, id: Uuid, read: impl FnOnce(&Observer) -> Result<T>) -> Result<T> {
        let observer = self.find(id)?;
        let Some((held, engine)) = observer.registered() else {
            return Err(Error::new(
                ErrorCode::NotSupported,
                format!("task {id} is virtual; its provider decides for how long it is there"),
            )
            .with_id(id));
        };
        // A settled root does not change any more, so what is read now is what is taken.
        engine.check_settled(held)?;
        let taken = read(&observer)?;
        engine.take(held)?;
        Ok(taken)
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
        self.read(id, Self::take_status, Self::status)
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
        self.read(id, Self::take_status_tree, Self::status_tree)
    }

    fn read<T>(
        &self,
        id: Uuid,
        take: impl FnOnce(&Self, Uuid) -> Result<T>,
        look: impl FnOnce(&Self, Uuid) -> Result<T>,
    ) -> Result<T> {
        if self.keep_on_read() {
            return look(self, id);
        }
        match take(self, id) {
            Err(error)
                if matches!(
                    error.code(),
                    ErrorCode::NotSettled | ErrorCode::NotSupported
                ) =>
            {
                look(self, id)
            }
            taken => taken,
        }
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
