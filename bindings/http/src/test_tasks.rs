//! The tasks that a test harness makes and ends over REST.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use taskmgr::{AbortGuard, Error, SharedTask, Uuid};

/// The test tasks that run: this is their owner.
#[derive(Default)]
pub(crate) struct TestTasks(Mutex<HashMap<Uuid, TestTask>>);

pub(crate) struct TestTask {
    pub(crate) task: Arc<SharedTask>,
    /// Set once it is registered; the abort may come before.
    on_abort: Option<AbortGuard>,
}

impl TestTasks {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, TestTask>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self, id: Uuid) -> Option<TestTask> {
        self.lock().remove(&id)
    }

    /// Keeps a task until it is told to finish, or to abort, upon which it ends at once:
    /// nothing works in it that would notice.
    pub(crate) fn keep(self: &Arc<Self>, task: Arc<SharedTask>) -> Result<(), Error> {
        let id = task.id();
        self.lock().insert(
            id,
            TestTask {
                task: Arc::clone(&task),
                on_abort: None,
            },
        );
        let (tasks, theirs) = (Arc::downgrade(self), Arc::clone(&task));
        let guard = task.on_abort(move || {
            // It ends as failed by the abort, whatever `finish` says of that.
            let _ = theirs.finish();
            // Never dropped under the lock: dropping a guard may wait for a callback.
            drop(Weak::upgrade(&tasks).and_then(|tasks| tasks.take(id)));
        });
        match guard {
            Ok(guard) => {
                if let Some(kept) = self.lock().get_mut(&id) {
                    kept.on_abort = Some(guard);
                }
                Ok(())
            }
            Err(error) => {
                drop(self.take(id));
                Err(error)
            }
        }
    }
}
