//! `/api/v1`: what the library knows beyond the wire format.

use taskmgr::State;
use taskmgr_wire::{ExtendedList, ExtendedStatus};

use super::lists::{filter, listing};
use super::reply::{empty, json};
use crate::call::Call;
use crate::response::Failure;
use crate::route::Reply;
use crate::view::FromView;

pub(crate) fn list_module_tasks(call: &Call<'_>) -> Result<Reply, Failure> {
    let mut filter = filter(call)?
        .task_type(call.text_or_empty("type")?)
        .scope(call.text_or_empty("scope")?);
    filter.state = call.optional::<State>("state")?;
    // More than can be counted is no limit.
    filter.limit = call
        .optional::<u64>("limit")?
        .and_then(|limit| usize::try_from(limit).ok());
    json(&ExtendedList::from_view(&listing(call, &filter)?))
}

pub(crate) fn task_status(call: &Call<'_>) -> Result<Reply, Failure> {
    let status = call.manager().status(call.id()?)?;
    json(&ExtendedStatus::from_view(&status))
}

pub(crate) fn task_status_recursive(call: &Call<'_>) -> Result<Reply, Failure> {
    let statuses = call.manager().status_tree(call.id()?)?;
    json(
        &statuses
            .iter()
            .map(ExtendedStatus::from_view)
            .collect::<Vec<_>>(),
    )
}

pub(crate) fn suspend_task(call: &Call<'_>) -> Result<Reply, Failure> {
    call.manager().suspend(call.id()?)?;
    empty()
}

pub(crate) fn resume_task(call: &Call<'_>) -> Result<Reply, Failure> {
    call.manager().resume(call.id()?)?;
    empty()
}
