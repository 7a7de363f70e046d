//! `/task_manager`: the wire format of ScyllaDB.

use std::time::Duration;

use taskmgr_wire::{TaskStats, TaskStatus};

use super::lists::{filter, listing};
use super::reply::{empty, json};
use crate::call::Call;
use crate::response::{Failure, Response};
use crate::route::Reply;
use crate::view::FromView;
use crate::wait::Waiting;

pub(crate) fn list_modules(call: &Call<'_>) -> Result<Reply, Failure> {
    json(&call.manager().modules()?)
}

pub(crate) fn list_module_tasks(call: &Call<'_>) -> Result<Reply, Failure> {
    let tasks = listing(call, &filter(call)?)?.tasks;
    json(&tasks.iter().map(TaskStats::from_view).collect::<Vec<_>>())
}

pub(crate) fn task_status(call: &Call<'_>) -> Result<Reply, Failure> {
    let status = call.manager().read_status(call.id()?)?;
    json(&TaskStatus::from_view(&status))
}

pub(crate) fn task_status_recursive(call: &Call<'_>) -> Result<Reply, Failure> {
    let statuses = call.manager().read_status_tree(call.id()?)?;
    json(
        &statuses
            .iter()
            .map(TaskStatus::from_view)
            .collect::<Vec<_>>(),
    )
}

pub(crate) fn abort_task(call: &Call<'_>) -> Result<Reply, Failure> {
    call.manager()
        .abort(call.id()?, "asked for through the REST API")?;
    empty()
}

pub(crate) fn wait_task(call: &Call<'_>) -> Result<Reply, Failure> {
    let timeout = call.optional("timeout")?.map(Duration::from_secs);
    // A timeout beyond what the clock can tell is none.
    let deadline = timeout.and_then(|timeout| call.arrived.checked_add(timeout));
    let id = call.id()?;
    Ok(Reply::Waiting(Waiting::park(
        call.manager(),
        id,
        deadline,
        &call.context.pending,
    )?))
}

pub(crate) fn ttl(call: &Call<'_>) -> Result<Reply, Failure> {
    refuse_value(call, "ttl")?;
    json(&call.manager().task_ttl().as_secs())
}

pub(crate) fn set_ttl(call: &Call<'_>) -> Result<Reply, Failure> {
    let ttl = Duration::from_secs(call.required("ttl")?);
    json(&call.manager().set_task_ttl(ttl)?.as_secs())
}

pub(crate) fn user_ttl(call: &Call<'_>) -> Result<Reply, Failure> {
    refuse_value(call, "user_ttl")?;
    json(&call.manager().user_task_ttl().as_secs())
}

pub(crate) fn set_user_ttl(call: &Call<'_>) -> Result<Reply, Failure> {
    let ttl = Duration::from_secs(call.required("user_ttl")?);
    json(&call.manager().set_user_task_ttl(ttl)?.as_secs())
}

/// A GET that carries a new value meant to set it, and must not pass as if it had.
fn refuse_value(call: &Call<'_>, name: &str) -> Result<(), Response> {
    match call.given(name)? {
        None => Ok(()),
        Some(value) => Err(Response::error(
            400,
            format!(
                "parameter {name} is {value:?} in a GET, which only reads; \
                 it should be in a POST, or not be given"
            ),
        )),
    }
}

pub(crate) fn drain(call: &Call<'_>) -> Result<Reply, Failure> {
    call.manager().drain(call.text_or_empty("module")?)?;
    empty()
}
