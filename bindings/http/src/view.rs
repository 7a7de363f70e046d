//! What the library knows of a task, as it goes over the wire.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use taskmgr::{AbortInfo, ChildCounts, Listing, Missing, Stats, Status, Uuid};
use taskmgr_wire::{
    ChildId, ExtendedAbort, ExtendedCounts, ExtendedList, ExtendedStats, ExtendedStatus,
    MissingTasks, TaskStats, TaskStatus,
};

/// What a [wire type](TaskStatus) is made of: a view of the library, the `V`.
///
/// ```
/// use taskmgr_http::{ExtendedStatus, FromView, TaskStats, TaskStatus};
///
/// let stats = taskmgr::Stats::new(taskmgr::Uuid::nil(), "vacuum");
/// let wire = TaskStats::from_view(&stats);
/// assert_eq!(wire.kind, "cluster");
/// assert_eq!(wire.end_time, "1970-01-01T00:00:00Z");
///
/// let mut status = taskmgr::Status::new(taskmgr::Uuid::nil(), "vacuum");
/// status.progress.completed = 1;
/// let wire = TaskStatus::from_view(&status);
/// assert_eq!((wire.parent_id.as_str(), wire.progress_completed), ("none", 1.0));
/// assert_eq!(ExtendedStatus::from_view(&status).status, wire);
/// ```
pub trait FromView<V> {
    /// The wire type with what the view says.
    ///
    /// ```
    /// use taskmgr_http::{ExtendedCounts, FromView};
    /// let counts = ExtendedCounts::from_view(&taskmgr::ChildCounts::default());
    /// assert_eq!(counts.live, 0);
    /// ```
    fn from_view(view: &V) -> Self;
}

impl FromView<Stats> for TaskStats {
    fn from_view(stats: &Stats) -> Self {
        Self {
            task_id: stats.id.to_string(),
            type_: stats.type_.to_string(),
            kind: stats.kind.as_str().to_owned(),
            scope: stats.scope.to_string(),
            state: stats.state.as_str().to_owned(),
            sequence_number: stats.sequence_number,
            keyspace: stats.keyspace.to_string(),
            table: stats.table.to_string(),
            entity: stats.entity.to_string(),
            shard: stats.shard,
            start_time: seconds(stats.start_time),
            end_time: seconds(stats.end_time),
        }
    }
}

impl FromView<Status> for TaskStatus {
    fn from_view(status: &Status) -> Self {
        Self {
            id: status.id.to_string(),
            type_: status.type_.to_string(),
            kind: status.kind.as_str().to_owned(),
            scope: status.scope.to_string(),
            state: status.state.as_str().to_owned(),
            is_abortable: status.is_abortable,
            start_time: seconds(status.start_time),
            end_time: seconds(status.end_time),
            error: status.error.clone().unwrap_or_default(),
            parent_id: parent(status.parent_id),
            sequence_number: status.sequence_number,
            shard: status.shard,
            keyspace: status.keyspace.to_string(),
            table: status.table.to_string(),
            entity: status.entity.to_string(),
            progress_units: status.progress.units.to_string(),
            progress_total: status.progress.total as f64,
            progress_completed: status.progress.completed as f64,
            children_ids: status.children.iter().map(ChildId::from_view).collect(),
        }
    }
}

impl FromView<taskmgr::ChildId> for ChildId {
    fn from_view(child: &taskmgr::ChildId) -> Self {
        Self {
            task_id: child.task_id.to_string(),
            node: child.node.to_string(),
        }
    }
}

impl FromView<Stats> for ExtendedStats {
    fn from_view(stats: &Stats) -> Self {
        Self {
            stats: TaskStats::from_view(stats),
            internal: stats.internal,
            created_at: micros(stats.created_at),
        }
    }
}

impl FromView<Listing> for ExtendedList {
    fn from_view(listing: &Listing) -> Self {
        Self {
            tasks: listing.tasks.iter().map(ExtendedStats::from_view).collect(),
            missing: listing
                .missing
                .iter()
                .map(MissingTasks::from_view)
                .collect(),
        }
    }
}

impl FromView<Missing> for MissingTasks {
    fn from_view(missing: &Missing) -> Self {
        Self {
            module: missing.module.to_string(),
            error: missing.error.to_string(),
        }
    }
}

impl FromView<Status> for ExtendedStatus {
    fn from_view(status: &Status) -> Self {
        Self {
            status: TaskStatus::from_view(status),
            module: status.module.to_string(),
            internal: status.internal,
            user_task: status.user_task,
            settled: status.settled,
            created_at: micros(status.created_at),
            suspend_requested: status.suspend_requested,
            abort: status.abort.as_ref().map(ExtendedAbort::from_view),
            child_counts: ExtendedCounts::from_view(&status.child_counts),
            first_error: status.first_error.clone(),
        }
    }
}

impl FromView<AbortInfo> for ExtendedAbort {
    fn from_view(abort: &AbortInfo) -> Self {
        Self {
            reason: abort.reason.clone(),
            requested_at: abort.requested_at.map(micros),
            polls: abort.polls,
            last_poll: abort.last_poll.map(micros),
        }
    }
}

impl FromView<ChildCounts> for ExtendedCounts {
    fn from_view(counts: &ChildCounts) -> Self {
        Self {
            live: counts.live,
            succeeded: counts.succeeded,
            failed: counts.failed,
            not_kept: counts.not_kept,
        }
    }
}

fn parent(id: Option<Uuid>) -> String {
    id.map_or_else(|| "none".to_owned(), |id| id.to_string())
}

/// `YYYY-MM-DDThh:mm:ssZ`; an unset time is the epoch.
fn seconds(time: Option<SystemTime>) -> String {
    humantime::format_rfc3339_seconds(printable(time.unwrap_or(UNIX_EPOCH))).to_string()
}

fn micros(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(printable(time)).to_string()
}

/// A provider may give any time, and the format knows only the years 1970 to 9999.
fn printable(time: SystemTime) -> SystemTime {
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    time.clamp(UNIX_EPOCH, UNIX_EPOCH + LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_out_of_range_are_shown_at_the_end_of_the_range() {
        let before = UNIX_EPOCH - Duration::from_secs(1);
        let after = UNIX_EPOCH + Duration::from_secs(400_000_000_000);
        assert_eq!(seconds(Some(before)), "1970-01-01T00:00:00Z");
        assert_eq!(seconds(Some(after)), "9999-12-31T23:59:59Z");
        assert_eq!(seconds(None), "1970-01-01T00:00:00Z");
        assert_eq!(micros(UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
    }
}
