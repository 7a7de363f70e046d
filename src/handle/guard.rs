//! Guards of callbacks: as long as one is held, its callback may run.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::arena::Held;
use crate::engine::{Engine, TaskRef};
use crate::node::extras::{AbortTicket, DoneCallback};

/// Keeps an abort callback registered: see [`TaskContext::on_abort`](crate::TaskContext::on_abort).
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// # let task = manager.register_module("repair")?.task("repair").start()?;
/// let guard = task.on_abort(|| println!("interrupting the query"))?;
/// drop(guard); // from here on the callback does not run any more
/// # task.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[must_use = "dropping the guard unregisters the callback"]
pub struct AbortGuard {
    held: Held,
    /// None if the task had ended, or the callback is to stay.
    ticket: Option<AbortTicket>,
}

impl AbortGuard {
    pub(super) fn new(task: TaskRef, ticket: Option<AbortTicket>) -> Self {
        let held = Held::retain(task.slot);
        Self { held, ticket }
    }

    /// Leaves the callback registered until the task ends.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// task.on_abort(|| println!("interrupting the query"))?.forget();
    /// # task.finish()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn forget(mut self) {
        self.ticket = None;
    }
}

impl Drop for AbortGuard {
    fn drop(&mut self) {
        let engine = self.held.engine();
        if let Some(ticket) = self.ticket
            && !engine.realm.is_forked()
        {
            engine.forget_abort(TaskRef::of(&self.held), ticket);
        }
    }
}

impl fmt::Debug for AbortGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AbortGuard({:?})", self.held)
    }
}

/// Keeps a completion callback registered: see [`Observer::on_done`](crate::Observer::on_done).
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// # let task = manager.register_module("repair")?.task("repair").start()?;
/// let guard = task.observe().on_done(|status| println!("{:?}", status.map(|s| s.state)))?;
/// task.finish()?; // prints Ok(Done)
/// # drop(guard);
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[must_use = "dropping the guard unregisters the callback"]
pub struct DoneGuard {
    callback: DoneCallback,
    of: Of,
    forgotten: bool,
}

enum Of {
    Regular {
        held: Held,
        number: u64,
    },
    Virtual {
        cancelled: Arc<AtomicBool>,
        engine: &'static Engine,
        number: u64,
    },
}

impl DoneGuard {
    pub(super) fn regular(held: Held, callback: DoneCallback, number: u64) -> Self {
        Self {
            callback,
            of: Of::Regular { held, number },
            forgotten: false,
        }
    }

    pub(super) fn cluster(
        engine: &'static Engine,
        callback: DoneCallback,
        cancelled: Arc<AtomicBool>,
        number: u64,
    ) -> Self {
        Self {
            callback,
            of: Of::Virtual {
                cancelled,
                engine,
                number,
            },
            forgotten: false,
        }
    }

    /// Leaves the callback registered until it has run.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// task.observe().on_done(|_| println!("over"))?.forget();
    /// task.finish()?;
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn forget(mut self) {
        self.forgotten = true;
    }
}

impl Drop for DoneGuard {
    fn drop(&mut self) {
        if self.forgotten {
            return;
        }
        match &self.of {
            Of::Regular { held, .. } if held.engine().realm.is_forked() => {}
            Of::Regular { held, number } => {
                held.engine().forget_done(held, &self.callback, *number);
            }
            Of::Virtual { engine, .. } if engine.realm.is_forked() => {}
            Of::Virtual {
                cancelled,
                engine,
                number,
            } => {
                engine.unwatch(*number);
                cancelled.store(true, Ordering::Release);
                self.callback.cancel();
            }
        }
    }
}

impl fmt::Debug for DoneGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            Of::Regular { held, .. } => write!(f, "DoneGuard({held:?})"),
            Of::Virtual { .. } => f.write_str("DoneGuard(virtual)"),
        }
    }
}
