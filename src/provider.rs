//! Virtual tasks: answered on demand by a provider of the host.

mod asked;
mod line;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use uuid::Uuid;

use crate::error::{BoxError, Error, ErrorCode, Result, chain};
use crate::node::callback;
use crate::sync::Roster;
use crate::view::{ProviderId, Stats, Status};

pub(crate) use asked::{Asked, Limit, limit};
use line::Line;

/// Answers for tasks that live elsewhere: in the whole cluster, in another process.
///
/// Every call is made on a thread that is not the asker's, up to 16 at a time; further ones wait
/// for their turn. An asker gives up after the manager's provider deadline, with the wait for
/// the turn in it; a call that fails, panics or takes too long spoils its own answer only. A
/// provider that let a call pass the deadline is asked by one caller at a time until one of its
/// calls comes back, and lists go without it meanwhile. The text of an error, and of its causes,
/// is made on the provider's thread, within the deadline.
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
    done: Option<Done>,
    cancelled: Arc<AtomicBool>,
}

/// Gets `None` where the completion was dropped.
type Done = Box<dyn FnOnce(Option<Result<Status>>) + Send>;

impl Completion {
    pub(crate) fn new(
        cancelled: Arc<AtomicBool>,
        done: impl FnOnce(Option<Result<Status>>) + Send + 'static,
    ) -> Self {
        Self {
            done: Some(Box::new(done)),
            cancelled,
        }
    }

    /// The task has ended, with this final status, or nobody can say how. What the error has of
    /// the host's own is turned into text here.
    ///
    /// ```
    /// # fn ended(done: taskmgr::Completion, status: taskmgr::Status) {
    /// done.complete(Ok(status));
    /// # }
    /// ```
    pub fn complete(mut self, status: Result<Status>) {
        if let Some(done) = self.done.take() {
            done(Some(status.map_err(in_words)));
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
            done(None);
        }
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Completion")
    }
}

/// A provider and the line of those who ask it.
#[derive(Clone, Debug)]
pub(crate) struct Hosted(Arc<Line>);

impl Hosted {
    /// Asked on threads of this roster, for this manager.
    pub(crate) fn new(
        provider: impl Provider,
        deadline: Duration,
        threads: (&'static Roster, u32),
    ) -> Self {
        Self(Arc::new(Line::new(Box::new(provider), deadline, threads)))
    }

    /// Asks, and waits no longer than the provider's deadline and the limit.
    pub(crate) fn ask<R: Send + 'static>(
        &self,
        limit: Limit,
        question: impl FnOnce(&dyn Provider) -> Result<R, BoxError> + Send + 'static,
    ) -> Result<R> {
        check_may_ask()?;
        let mut asked = Asked::nobody(limit, |_| true);
        asked.ask(self, question);
        asked.wait();
        asked.into_answers().remove(0)
    }

    /// Asks all whether an id is theirs; one that says so is enough. It does not wait.
    pub(crate) fn ask_whose<'a>(
        all: impl Iterator<Item = &'a Self>,
        id: Uuid,
        limit: Limit,
    ) -> Asked<bool> {
        let mut asked = Asked::nobody(limit, |is_theirs| *is_theirs);
        for provider in all {
            asked.ask(provider, move |provider| provider.contains(id));
        }
        asked
    }

    /// The tasks of each, or why there are none. Who is late is not waited for.
    pub(crate) fn ask_lists(all: &[Self]) -> Vec<Result<Vec<Stats>>> {
        let mut asked = Asked::nobody(None, |_: &Vec<Stats>| false);
        let in_time: Vec<bool> = all.iter().map(|provider| !provider.is_late()).collect();
        for (provider, in_time) in all.iter().zip(&in_time) {
            match in_time {
                true => asked.ask(provider, |provider| provider.list()),
                false => provider.probe(),
            }
        }
        asked.wait();
        let mut answers = asked.into_answers().into_iter();
        let all = all.iter().zip(in_time);
        all.map(
            |(provider, in_time)| match in_time.then(|| answers.next()) {
                Some(Some(answer)) => answer,
                _ => Err(provider.late()),
            },
        )
        .collect()
    }

    /// Whether it let a call pass its deadline, and has answered none since.
    pub(crate) fn is_late(&self) -> bool {
        self.0.is_late()
    }

    /// Finds out whether a late provider answers again, for whoever comes next.
    fn probe(&self) {
        if self.0.wants_a_probe() {
            let mut asked = Asked::nobody(None, |_: &Vec<Stats>| true);
            asked.ask(self, |provider| provider.list());
        }
    }

    fn late(&self) -> Error {
        failed(format!(
            "the provider let a call pass its deadline of {:?} and has answered none since; it \
             is not waited for until it does",
            self.0.deadline
        ))
    }

    /// Which provider it is.
    pub(crate) fn id(&self) -> ProviderId {
        ProviderId::new(self.0.number)
    }
}

/// Nobody waits for a provider inside a callback or another provider.
pub(crate) fn check_may_ask() -> Result<()> {
    match callback::is_inside() {
        true => Err(Error::would_deadlock("asking a provider")),
        false => Ok(()),
    }
}

pub(crate) fn failed(message: String) -> Error {
    Error::new(ErrorCode::Provider, message)
}

/// For those who wait for a task of which the provider will not say how it has ended.
pub(crate) fn lost() -> Error {
    failed("the provider dropped the watch without telling how the task ended".to_owned())
}

/// What the host's code says of its failure, in words; runs the host's code.
fn told(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error.without_source(),
        Err(error) => failed(format!("the provider failed: {}", chain(&*error))),
    }
}

/// The same of an error that is the library's outside, whatever the host's code does.
fn in_words(error: Error) -> Error {
    callback::guarded(|| error.without_source())
        .unwrap_or_else(|said| failed(format!("the provider's error panicked: {said}")))
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;
    use crate::{Manager, Module};

    const ID: Uuid = Uuid::from_u128(0xc1);

    /// A provider with which the watches of its task go.
    #[derive(Default)]
    struct Keeper(Mutex<Vec<Completion>>);

    impl Provider for Keeper {
        fn list(&self) -> Result<Vec<Stats>, BoxError> {
            Ok(vec![Stats::new(ID, "topology change")])
        }

        fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
            Ok((id == ID).then(|| Status::new(id, "topology change")))
        }

        fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
            Ok(())
        }

        fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
            self.0.lock().unwrap().push(done);
            Ok(())
        }
    }

    #[test]
    fn virt_1_watches_that_go_with_a_closed_provider_are_told_that_it_is_closed() {
        let ends: [fn(Manager, Module); 3] = [
            |_, module| assert!(module.close(Duration::ZERO).unwrap().is_complete()),
            |manager, _| assert!(manager.close(Duration::ZERO).unwrap().is_complete()),
            |manager, _| drop(manager),
        ];
        for end in ends {
            let manager = Manager::builder().build().unwrap();
            let module = manager.register_module("m").unwrap();
            module.register_provider(Keeper::default()).unwrap();
            let line = Arc::downgrade(&module.registration.core.providers.lock()[0].0);
            let (sender, told) = mpsc::channel();
            let tell = move |status| sender.send(status).unwrap();
            let _guard = manager.on_done(ID, tell).unwrap();
            // Until the threads that asked have let go, so that it goes with the close.
            while line.strong_count() > 1 {
                std::thread::yield_now();
            }
            end(manager, module);
            let error = told.recv().unwrap().unwrap_err();
            assert!(error.is_closed(), "{error}");
        }
    }
}
