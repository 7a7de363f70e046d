//! What a status says, one function for each field.

use crate::guard;
use crate::handle::get;
use crate::id::taskmgr_id;
use crate::state::{kind, state, taskmgr_kind, taskmgr_state};
use crate::status::taskmgr_status;
use crate::strings::at;
use crate::text::taskmgr_str;
use crate::time::{taskmgr_time_ns, time_ns};

/// The task's id.
///
/// Threads: any. Errors: the nil id for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_id(status: Option<&taskmgr_status>) -> taskmgr_id {
    guard::value(taskmgr_id::NIL, || {
        let status = &get(status, "status")?.status;
        Ok(status.id.into())
    })
}

/// What operation the task covers.
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_type(status: Option<&taskmgr_status>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(status.names.type_))
    })
}

/// Who answers for it: `TASKMGR_KIND_NODE` or `TASKMGR_KIND_CLUSTER`.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_kind(status: Option<&taskmgr_status>) -> taskmgr_kind {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(kind(status.kind))
    })
}

/// For which part of the operation it is responsible.
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_scope(status: Option<&taskmgr_status>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(status.names.scope))
    })
}

/// Where it is in its life.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_state(status: Option<&taskmgr_status>) -> taskmgr_state {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(state(status.state))
    })
}

/// The number of its tree in its module and shard, from 1.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_sequence_number(status: Option<&taskmgr_status>) -> u64 {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(status.sequence_number)
    })
}

/// The keyspace that it works on, or "".
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_keyspace(status: Option<&taskmgr_status>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(status.names.keyspace))
    })
}

/// The table that it works on, or "".
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_table(status: Option<&taskmgr_status>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(status.names.table))
    })
}

/// What else tells it from its siblings, or "".
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_entity(status: Option<&taskmgr_status>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(status.names.entity))
    })
}

/// The shard that it runs on.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_shard(status: Option<&taskmgr_status>) -> u32 {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(status.shard)
    })
}

/// When it started; `TASKMGR_NO_TIME` if it has not.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_start_time(status: Option<&taskmgr_status>) -> taskmgr_time_ns {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(time_ns(status.start_time))
    })
}

/// When it ended; `TASKMGR_NO_TIME` if it has not.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_end_time(status: Option<&taskmgr_status>) -> taskmgr_time_ns {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(time_ns(status.end_time))
    })
}

/// When it was made.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_created_at(status: Option<&taskmgr_status>) -> taskmgr_time_ns {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(time_ns(Some(status.created_at)))
    })
}

/// Whether lists leave it out unless asked.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_internal(status: Option<&taskmgr_status>) -> bool {
    guard::value(false, || {
        let status = &get(status, "status")?.status;
        Ok(status.internal)
    })
}

/// The module that it belongs to.
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_module(status: Option<&taskmgr_status>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(status.names.module))
    })
}

/// Whether an observer may abort it.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_is_abortable(status: Option<&taskmgr_status>) -> bool {
    guard::value(false, || {
        let status = &get(status, "status")?.status;
        Ok(status.is_abortable)
    })
}

/// Why it failed; "" if it has not.
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_error(status: Option<&taskmgr_status>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(status.names.error))
    })
}

/// Its parent, regular or virtual; the nil id for a root.
///
/// Threads: any. Errors: the nil id for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_parent_id(status: Option<&taskmgr_status>) -> taskmgr_id {
    guard::value(taskmgr_id::NIL, || {
        let status = &get(status, "status")?.status;
        Ok(status.parent_id.map_or(taskmgr_id::NIL, taskmgr_id::from))
    })
}

/// What its progress counts, or "".
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_progress_units(
    status: Option<&taskmgr_status>,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(status.names.units))
    })
}

/// How many units are done.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_progress_completed(status: Option<&taskmgr_status>) -> u64 {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(status.progress.completed)
    })
}

/// How many units there are; at least as many as are done.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_progress_total(status: Option<&taskmgr_status>) -> u64 {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(status.progress.total)
    })
}

/// Whether the total was told, rather than following what is done.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_progress_total_known(status: Option<&taskmgr_status>) -> bool {
    guard::value(false, || {
        let status = &get(status, "status")?.status;
        Ok(status.progress.total_known)
    })
}

/// Whether a user started it, so that the TTL of user tasks counts for it.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_user_task(status: Option<&taskmgr_status>) -> bool {
    guard::value(false, || {
        let status = &get(status, "status")?.status;
        Ok(status.user_task)
    })
}

/// Whether it has ended with every descendant.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_settled(status: Option<&taskmgr_status>) -> bool {
    guard::value(false, || {
        let status = &get(status, "status")?.status;
        Ok(status.settled)
    })
}

/// Whether it was asked to sleep at its next checkpoint.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_suspend_requested(status: Option<&taskmgr_status>) -> bool {
    guard::value(false, || {
        let status = &get(status, "status")?.status;
        Ok(status.suspend_requested)
    })
}

/// Whether an abort was asked for that reaches it.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_abort_requested(status: Option<&taskmgr_status>) -> bool {
    guard::value(false, || {
        let status = &get(status, "status")?.status;
        Ok(status.abort.is_some())
    })
}

/// The reason of the abort that came first, or "".
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_abort_reason(status: Option<&taskmgr_status>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(status.names.reason))
    })
}

/// When the abort was asked for; `TASKMGR_NO_TIME` if none was.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_abort_requested_at(
    status: Option<&taskmgr_status>,
) -> taskmgr_time_ns {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(time_ns(
            status.abort.as_ref().and_then(|abort| abort.requested_at),
        ))
    })
}

/// How often its work has looked for an abort since.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_abort_polls(status: Option<&taskmgr_status>) -> u32 {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(status.abort.as_ref().map_or(0, |abort| abort.polls))
    })
}

/// When its work last looked; `TASKMGR_NO_TIME` if it has not.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_abort_last_poll(
    status: Option<&taskmgr_status>,
) -> taskmgr_time_ns {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(time_ns(
            status.abort.as_ref().and_then(|abort| abort.last_poll),
        ))
    })
}

/// How many of its children have not folded yet.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_children_live(status: Option<&taskmgr_status>) -> u64 {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(status.child_counts.live)
    })
}

/// How many of its children ended as done.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_children_succeeded(status: Option<&taskmgr_status>) -> u64 {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(status.child_counts.succeeded)
    })
}

/// How many of its children ended as failed.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_children_failed(status: Option<&taskmgr_status>) -> u64 {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(status.child_counts.failed)
    })
}

/// How many finished descendants are counted but no longer listed, because a bound was reached.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_children_not_kept(status: Option<&taskmgr_status>) -> u64 {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(status.child_counts.not_kept)
    })
}

/// The first error of everything that has folded into it, or "".
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_first_error(status: Option<&taskmgr_status>) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(status.names.first_error))
    })
}

/// How many children are listed: those that live and those that are kept.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_children_len(status: Option<&taskmgr_status>) -> usize {
    guard::value(0, || {
        let status = &get(status, "status")?.status;
        Ok(status.children.len())
    })
}

/// The id of the child at `index`, counted from 0 in order of creation.
///
/// Threads: any. Errors: the nil id, and the last error INVALID_ARGUMENT, where there is none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_child_id(
    status: Option<&taskmgr_status>,
    index: usize,
) -> taskmgr_id {
    guard::value(taskmgr_id::NIL, || {
        let status = get(status, "status")?;
        Ok(at(&status.status.children, index)?.task_id.into())
    })
}

/// The address of the node of the child at `index`.
///
/// The text is borrowed from `status`. Threads: any. Errors: empty text, and the last error
/// INVALID_ARGUMENT, where there is none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_status_child_node(
    status: Option<&taskmgr_status>,
    index: usize,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let status = get(status, "status")?;
        Ok(status.texts.get(*at(&status.nodes, index)?))
    })
}
