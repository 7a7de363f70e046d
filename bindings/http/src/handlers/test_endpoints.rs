//! `/task_manager_test`: a harness makes and ends tasks over REST.

use std::sync::Arc;
use std::time::Duration;

use taskmgr::{Error, ErrorCode, TaskBuilder, Uuid};

use super::reply::{empty, json};
use crate::call::Call;
use crate::response::{Failure, Response};
use crate::route::Reply;

const MODULE: &str = "test";

/// Far beyond what ending a test task takes, since nothing works in one.
const CLOSING: Duration = Duration::from_secs(5);

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
    call.context.test_tasks.keep(Arc::clone(&task))?;
    json(&task.id().to_string())
}

pub(crate) fn finish_task(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id()?;
    let Some(kept) = call.context.test_tasks.take(id) else {
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
    match call.context.test_tasks.take(id) {
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
