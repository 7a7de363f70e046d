//! Virtual tasks: answered on demand by a provider of the host.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use uuid::Uuid;

use crate::error::{BoxError, Error, ErrorCode, Result};
use crate::node::callback::{self, Came};
use crate::sync::{fork_depth, start_thread};
use crate::view::{Stats, Status};

/// Answers for tasks that live elsewhere: in the whole cluster, in another process.
///
/// Every call is made on a thread of its own and given up after the manager's provider
/// deadline; one that fails, panics or takes too long spoils its own answer only.
///
/// ```
/// use taskmgr::{BoxError, Completion, Manager, Provider, Stats, Status, Uuid};
///
/// struct Topology(Uuid);
///
/// impl Provider for Topology {
///     fn list(&self) -> Result<Vec<Stats>, BoxError> {
///         Ok(vec![Stats::new(self.0, "topology change")])
///     }
///     fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
///         Ok((id == self.0).then(|| Status::new(id, "topology change")))
///     }
///     fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
///         Err("a topology change cannot be stopped".into())
///     }
///     fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
///         Err("not in this example".into())
///     }
/// }
///
/// let manager = Manager::builder().build()?;
/// let module = manager.register_module("node_ops")?;
/// let id = Uuid::new_v4();
/// module.register_provider(Topology(id))?;
/// assert_eq!(manager.status(id)?.type_, "topology change");
/// # Ok::<(), taskmgr::Error>(())
/// ```
pub trait Provider: Send + Sync + 'static {
    /// The stats of all its tasks.
    fn list(&self) -> Result<Vec<Stats>, BoxError>;

    /// The status of one of its tasks; `None` for an id that is not its own.
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError>;

    /// Aborts one of its tasks; called only if its status says that it is abortable.
    fn abort(&self, id: Uuid, reason: &str) -> Result<(), BoxError>;

    /// Calls `done` once when the task has ended, at once if it has already. It must not
    /// wait for that itself.
    fn watch(&self, id: Uuid, done: Completion) -> Result<(), BoxError>;

    /// Whether an id is its own.
    fn contains(&self, id: Uuid) -> Result<bool, BoxError> {
        Ok(self.status(id)?.is_some())
    }
}

/// Tells those who wait for a virtual task how it has ended.
///
/// Dropped without that, it tells them that the provider has lost it.
///
/// ```
/// use taskmgr::{Completion, Status};
/// fn ended(done: Completion, status: Status) {
///     done.complete(Ok(status));
/// }
/// ```
pub struct Completion {
    done: Option<Box<dyn FnOnce(Result<Status>) + Send>>,
    cancelled: Arc<AtomicBool>,
}

impl Completion {
    pub(crate) fn new(
        cancelled: Arc<AtomicBool>,
        done: impl FnOnce(Result<Status>) + Send + 'static,
    ) -> Self {
        Self {
            done: Some(Box::new(done)),
            cancelled,
        }
    }

    /// The task has ended, with this final status.
    ///
    /// ```
    /// # fn ended(done: taskmgr::Completion, status: taskmgr::Status) {
    /// done.complete(Ok(status));
    /// # }
    /// ```
    pub fn complete(mut self, status: Result<Status>) {
        if let Some(done) = self.done.take() {
            done(status);
        }
    }

    /// Whether nobody waits any more, so that the provider may stop watching.
    ///
    /// ```
    /// # fn look(done: &taskmgr::Completion) {
    /// if done.is_cancelled() {
    ///     println!("nobody waits");
    /// }
    /// # }
    /// ```
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            done(Err(Error::new(
                ErrorCode::Provider,
                "the provider dropped the watch without telling how the task ended",
            )));
        }
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Completion")
    }
}

/// A provider and the calls to it that are under way.
#[derive(Clone)]
pub(crate) struct Hosted {
    provider: Arc<dyn Provider>,
    under_way: Arc<AtomicUsize>,
    deadline: Duration,
}

/// Calls to one provider at a time, those included that were given up: one that hangs for
/// ever must not take a thread for every question.
const MAX_UNDER_WAY: usize = 16;

impl Hosted {
    pub(crate) fn new(provider: impl Provider, deadline: Duration) -> Self {
        Self {
            provider: Arc::new(provider),
            under_way: Arc::default(),
            deadline,
        }
    }

    /// Asks on a thread of its own, and waits no longer than the deadline.
    pub(crate) fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Provider) -> Result<R, BoxError> + Send + 'static,
    ) -> Result<R> {
        if callback::is_inside() {
            return Err(Error::would_deadlock("asking a provider"));
        }
        if self.under_way.fetch_add(1, Ordering::AcqRel) >= MAX_UNDER_WAY {
            self.under_way.fetch_sub(1, Ordering::AcqRel);
            return Err(failed(format!(
                "{MAX_UNDER_WAY} calls to the provider have not come back"
            )));
        }
        let (provider, under_way) = (Arc::clone(&self.provider), Arc::clone(&self.under_way));
        let (sender, receiver) = mpsc::sync_channel(1);
        let started = start_thread("taskmgr-provider", move || {
            let depth = fork_depth();
            let answer = callback::call(|| question(&*provider));
            if !Came::back_from(depth).is_ours() {
                // A child forked by the provider; who asked is not there.
                return std::mem::forget((sender, answer));
            }
            under_way.fetch_sub(1, Ordering::AcqRel);
            // Nobody listens any more when the deadline has passed.
            let _ = sender.send(answer);
        });
        if let Err(error) = started {
            self.under_way.fetch_sub(1, Ordering::AcqRel);
            return Err(failed(format!("no thread for the provider: {error}")));
        }
        match receiver.recv_timeout(self.deadline) {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(match error.downcast::<Error>() {
                Ok(error) => *error,
                Err(error) => failed(format!("the provider failed: {error}")),
            }),
            Ok(Err(panic)) => Err(failed(format!(
                "the provider panicked: {}",
                panic_message(&*panic)
            ))),
            Err(_) => Err(failed(format!(
                "the provider took longer than {:?}",
                self.deadline
            ))),
        }
    }
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}

fn failed(message: String) -> Error {
    Error::new(ErrorCode::Provider, message)
}

/// What a panic said, as far as it said it in words.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
