//! What an observer does with a virtual task: it asks the provider.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use uuid::Uuid;

use super::DoneGuard;
use super::ours::Ours;
use crate::engine::{Engine, Registration};
use crate::error::{Error, Result};
use crate::node::callback::Callback;
use crate::node::extras::DoneCallback;
use crate::provider::{Completion, Hosted, Limit, lost};
use crate::snapshot;
use crate::sync::{Condvar, Deadline, Lock};
use crate::view::{ProviderId, Status};

/// A virtual task, and who answers for it.
#[derive(Clone)]
pub(super) struct Virtual {
    id: Uuid,
    provider: Ours<Hosted>,
    registration: Registration,
    engine: &'static Engine,
}

impl Virtual {
    pub(super) fn new(
        id: Uuid,
        provider: Hosted,
        registration: Registration,
        engine: &'static Engine,
    ) -> Self {
        Self {
            id,
            provider: Ours::new(provider, engine.realm),
            registration,
            engine,
        }
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    pub(super) fn provider(&self) -> ProviderId {
        self.provider.id()
    }

    pub(super) fn check_fork(&self) -> Result<()> {
        self.engine.realm.check_fork()
    }

    pub(super) fn status(&self, limit: Limit) -> Result<Status> {
        self.check_fork()?;
        snapshot::virtual_status(
            self.engine,
            &self.provider,
            &self.registration,
            self.id,
            limit,
        )
    }

    pub(super) fn status_tree(&self) -> Result<Vec<Status>> {
        self.check_fork()?;
        snapshot::virtual_tree(self.engine, &self.provider, &self.registration, self.id)
    }

    pub(super) fn abort(&self, reason: &str) -> Result<()> {
        let status = self.status(None)?;
        if status.state.is_terminal() {
            return Ok(());
        }
        if !status.is_abortable {
            return Err(Error::not_abortable(self.id));
        }
        let (id, reason) = (self.id, reason.to_owned());
        self.provider
            .ask(None, move |provider| provider.abort(id, &reason))
    }

    /// Sleeps until the provider says that the task has ended. The provider has until the limit,
    /// which may lie beyond the deadline, for each answer.
    pub(super) fn wait(&self, deadline: &Deadline, limit: Limit) -> Result<Status> {
        let (deadline, _) = deadline.begin();
        let status = self.status(limit)?;
        if status.state.is_terminal() {
            return Ok(status);
        }
        if deadline.has_passed() {
            return Err(Error::timeout(self.id));
        }
        let latch = Arc::new((Lock::new(None), Condvar::default()));
        let theirs = Arc::clone(&latch);
        let tell = move |status| {
            *theirs.0.lock() = Some(status);
            theirs.1.notify_all();
        };
        let _guard = self.on_done(Arc::new(Callback::new(tell)), limit)?;
        let mut answer = latch.0.lock();
        loop {
            if let Some(status) = answer.take() {
                return status;
            }
            if deadline.has_passed() {
                return Err(Error::timeout(self.id));
            }
            answer = latch.1.wait(answer, &deadline);
        }
    }

    /// Has the provider watch the task. The callback either may run, or there is an error and it
    /// never does.
    pub(super) fn on_done(&self, callback: DoneCallback, limit: Limit) -> Result<DoneGuard> {
        let Self { id, engine, .. } = *self;
        let of = self.registration.clone();
        engine.realm.check_fork()?;
        let cancelled = Arc::new(AtomicBool::new(false));
        let number = engine.watch(&of, &callback);
        let tell = {
            let callback = Arc::clone(&callback);
            move |ended: Option<Result<Status>>| {
                engine.unwatch(number);
                let ended = ended.unwrap_or_else(|| {
                    let closed = engine.keeps_nobody(&of);
                    Err(closed.unwrap_or_else(lost))
                });
                let complete = |status| snapshot::complete_virtual(engine, status, &of, id);
                callback.run(ended.map(complete));
            }
        };
        let watch = Arc::new(Lock::new(Watch::Begun(Box::new(tell))));
        let theirs = Arc::clone(&watch);
        let completion = Completion::new(Arc::clone(&cancelled), move |told| {
            if engine.realm.is_forked() {
                // Left alone, as a handle is.
                return std::mem::forget(theirs);
            }
            end(&theirs, told);
        });
        // Kept here, so that a question that is withdrawn does not take it for dropped.
        let completion = Arc::new(Lock::new(Some(completion)));
        let given = Arc::clone(&completion);
        let asked = self.provider.ask(limit, move |provider| {
            let completion = given.lock().take();
            completion.map_or(Ok(()), |completion| provider.watch(id, completion))
        });
        match asked {
            Ok(()) => accept(&watch),
            Err(error) if callback.disarm_unrun() => {
                engine.unwatch(number);
                cancelled.store(true, Ordering::Release);
                let unused = std::mem::replace(&mut *watch.lock(), Watch::Over);
                drop(unused);
                let unused = completion.lock().take();
                drop(unused);
                return Err(error);
            }
            // The task had ended, and the callback was told, before anything went wrong.
            Err(_) => {}
        }
        Ok(DoneGuard::cluster(engine, callback, cancelled, number))
    }
}

/// How far a provider's watch has come. A completion that is dropped while the provider is being
/// asked is no news yet: most likely the provider refuses.
enum Watch {
    Begun(Tell),
    /// Dropped meanwhile.
    Dropped(Tell),
    Accepted(Tell),
    Over,
}

/// Gets `None` where the completion was dropped.
type Tell = Box<dyn FnOnce(Option<Result<Status>>) + Send>;

/// The completion was used, or dropped.
fn end(watch: &Lock<Watch>, told: Option<Result<Status>>) {
    let tell = {
        let mut watch = watch.lock();
        match std::mem::replace(&mut *watch, Watch::Over) {
            Watch::Begun(tell) if told.is_none() => {
                *watch = Watch::Dropped(tell);
                return;
            }
            Watch::Begun(tell) | Watch::Dropped(tell) | Watch::Accepted(tell) => tell,
            Watch::Over => return,
        }
    };
    tell(told);
}

/// The provider watches.
fn accept(watch: &Lock<Watch>) {
    let tell = {
        let mut watch = watch.lock();
        match std::mem::replace(&mut *watch, Watch::Over) {
            Watch::Begun(tell) => {
                *watch = Watch::Accepted(tell);
                return;
            }
            Watch::Dropped(tell) => tell,
            over => {
                *watch = over;
                return;
            }
        }
    };
    tell(None);
}
