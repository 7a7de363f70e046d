//! `/task_manager_test`: a harness makes and ends tasks over REST.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use taskmgr::{AbortGuard, Error, ErrorCode, SharedTask, TaskBuilder, Uuid};

use crate::call::Call;
use crate::handlers::{empty, json};
use crate::response::{Failure, Response};
use crate::routes::Reply;

const MODULE: &str = "test";

/// Far beyond what ending a test task takes, since nothing works in one.
const CLOSING: Duration = Duration::from_secs(5);

/// The test tasks that run: this is their owner.
#[derive(Default)]
pub(crate) struct TestTasks(Mutex<HashMap<Uuid, TestTask>>);

struct TestTask {
    task: Arc<SharedTask>,
    /// Set once it is registered; the abort may come before.
    on_abort: Option<AbortGuard>,
}

impl TestTasks {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, TestTask>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, id: Uuid) -> Option<TestTask> {
        self.lock().remove(&id)
    }

    /// Keeps a task until it is told to finish, or to abort, upon which it ends at once:
    /// nothing works in it that would notice.
    fn keep(self: &Arc<Self>, task: Arc<SharedTask>) -> Result<(), Error> {
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

pub(crate) fn register_module(call: &Call<'_>) -> Result<Reply, Failure> {
    call.manager().register_module(MODULE)?;
    empty()
}

pub(crate) fn unregister_module(call: &Call<'_>) -> Result<Reply, Failure> {
    let report = call.manager().close_module(MODULE, CLOSING)?;
    if report.is_complete() {
        return empty();
    }
    Err(Failure::Refused(Response::error(
        500,
        format!(
            "{} tasks of module {MODULE} have not ended",
            report.still_running.len()
        ),
    )))
}

pub(crate) fn start_task(call: &Call<'_>) -> Result<Reply, Failure> {
    let module = call.manager().module(MODULE)?;
    let mut task: TaskBuilder<'_> = module
        .task("test")
        .scope("test")
        .shard(call.optional("shard")?.unwrap_or(0))
        .keyspace(call.text_or_empty("keyspace")?)
        .table(call.text_or_empty("table")?)
        .entity(call.text_or_empty("entity")?);
    if let Some(id) = call.optional("task_id")? {
        task = task.id(id);
    }
    if let Some(parent) = call.optional("parent_id")? {
        task = task.parent_id(parent);
    }
    if call.optional("user_task")?.unwrap_or(false) {
        task = task.user_task();
    }
    let task = Arc::new(task.start()?.share());
    call.api.test_tasks.keep(Arc::clone(&task))?;
    json(&task.id().to_string())
}

pub(crate) fn finish_task(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.required("task_id")?;
    let Some(kept) = call.api.test_tasks.take(id) else {
        return Err(no_test_task(call, id));
    };
    ended(match call.given("error")? {
        Some(error) => kept.task.fail(error),
        None => kept.task.finish(),
    })?;
    empty()
}

pub(crate) fn unregister_task(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.required("task_id")?;
    match call.api.test_tasks.take(id) {
        Some(kept) => ended(kept.task.finish())?,
        // It may have finished before, and wait for its time to live to pass.
        None if is_ended_test_task(call, id) => {}
        None => return Err(no_test_task(call, id)),
    }
    match call.manager().take_status(id) {
        Err(error) if !(error.is_not_found() || error.is_gone()) => Err(error.into()),
        _ => empty(),
    }
}

/// A task that an abort has ended meanwhile has ended all the same.
fn ended(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(e) if matches!(e.code(), ErrorCode::Aborted | ErrorCode::AlreadyFinished) => Ok(()),
        result => result,
    }
}

fn is_ended_test_task(call: &Call<'_>, id: Uuid) -> bool {
    call.manager()
        .status(id)
        .is_ok_and(|status| status.module == MODULE && status.state.is_terminal())
}

/// Says what is known of the id, so that a typing error differs from a late call.
fn no_test_task(call: &Call<'_>, id: Uuid) -> Failure {
    match call.manager().status(id) {
        Ok(status) => Failure::Refused(Response::error(
            400,
            format!(
                "task {id} of module {:?} is {}; it should be a test task that runs",
                &*status.module,
                status.state.as_str()
            ),
        )),
        Err(error) => error.into(),
    }
}
