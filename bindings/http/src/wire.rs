//! What goes over the wire, field by field, for servers and clients alike.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use taskmgr::{AbortInfo, ChildCounts, Listing, Missing, Stats, Status, Uuid};
use utoipa::ToSchema;

/// The short view of a task, as lists show it.
///
/// ```
/// let stats = taskmgr::Stats::new(taskmgr::Uuid::nil(), "vacuum");
/// let wire = taskmgr_http::TaskStats::from(&stats);
/// assert_eq!(wire.kind, "cluster");
/// assert_eq!(wire.end_time, "1970-01-01T00:00:00Z");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskStats {
    /// The task's id.
    pub task_id: String,
    /// What operation the task covers.
    #[serde(rename = "type")]
    pub type_: String,
    /// Who answers for it: `node` (a regular task) or `cluster` (a virtual one).
    pub kind: String,
    /// For which part of the operation it is responsible.
    pub scope: String,
    /// `created`, `running`, `suspended`, `done` or `failed`.
    pub state: String,
    /// The number of its tree in (module, shard), from 1.
    pub sequence_number: u64,
    /// The keyspace it works on, or an empty string.
    pub keyspace: String,
    /// The table it works on, or an empty string.
    pub table: String,
    /// What else tells it from its siblings, or an empty string.
    pub entity: String,
    /// The shard it runs on.
    pub shard: u32,
    /// When it started, in UTC; the epoch if it has not.
    pub start_time: String,
    /// When it ended, in UTC; the epoch if it has not.
    pub end_time: String,
}

/// The full view of a task.
///
/// ```
/// let mut status = taskmgr::Status::new(taskmgr::Uuid::nil(), "vacuum");
/// status.progress.completed = 1;
/// let wire = taskmgr_http::TaskStatus::from(&status);
/// assert_eq!((wire.parent_id.as_str(), wire.progress_completed), ("none", 1.0));
/// let json = serde_json::to_string(&wire)?;
/// assert_eq!(serde_json::from_str::<taskmgr_http::TaskStatus>(&json)?, wire);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskStatus {
    /// The task's id.
    pub id: String,
    /// What operation the task covers.
    #[serde(rename = "type")]
    pub type_: String,
    /// Who answers for it: `node` (a regular task) or `cluster` (a virtual one).
    pub kind: String,
    /// For which part of the operation it is responsible.
    pub scope: String,
    /// `created`, `running`, `suspended`, `done` or `failed`.
    pub state: String,
    /// Whether it can be aborted through this API.
    pub is_abortable: bool,
    /// When it started, in UTC; the epoch if it has not.
    pub start_time: String,
    /// When it ended, in UTC; the epoch if it has not.
    pub end_time: String,
    /// Why it failed, or an empty string.
    pub error: String,
    /// The id of its parent, or `none`.
    pub parent_id: String,
    /// The number of its tree in (module, shard), from 1.
    pub sequence_number: u64,
    /// The shard it runs on.
    pub shard: u32,
    /// The keyspace it works on, or an empty string.
    pub keyspace: String,
    /// The table it works on, or an empty string.
    pub table: String,
    /// What else tells it from its siblings, or an empty string.
    pub entity: String,
    /// What its progress counts.
    pub progress_units: String,
    /// Units there are.
    pub progress_total: f64,
    /// Units done.
    pub progress_completed: f64,
    /// Its children, in order of creation.
    pub children_ids: Vec<ChildId>,
}

/// A child of a task.
///
/// ```
/// let child: taskmgr_http::ChildId =
///     serde_json::from_str(r#"{"task_id": "6fbf2a3c-…", "node": "10.0.0.1"}"#)?;
/// assert_eq!(child.node, "10.0.0.1");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChildId {
    /// The child's id.
    pub task_id: String,
    /// The address of the node that runs it, or an empty string.
    pub node: String,
}

/// What an error looks like.
///
/// ```
/// let refused = taskmgr_http::Response::error(400, "no module has the name nowhere");
/// let body: taskmgr_http::ErrorBody = serde_json::from_slice(&refused.body)?;
/// assert_eq!(body.code, 400);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What was asked, what was found, and what to do.
    pub message: String,
    /// The HTTP status.
    pub code: u16,
}

/// The short view of a task with what the library knows beyond the wire format; served under
/// `/api/v1/` only.
///
/// ```
/// let stats = taskmgr::Stats::new(taskmgr::Uuid::nil(), "vacuum");
/// assert!(!taskmgr_http::ExtendedStats::from(&stats).internal);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExtendedStats {
    /// The wire format.
    #[serde(flatten)]
    pub stats: TaskStats,
    /// Whether lists leave it out unless asked.
    pub internal: bool,
    /// When it was made, in UTC.
    pub created_at: String,
}

/// The tasks of a module with what the library knows beyond the wire format; served under
/// `/api/v1/` only.
///
/// ```
/// let list: taskmgr_http::ExtendedList = serde_json::from_str(r#"{"tasks": [], "missing": []}"#)?;
/// assert!(list.missing.is_empty(), "the list is complete");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExtendedList {
    /// The tasks, in order of creation.
    pub tasks: Vec<ExtendedStats>,
    /// The providers whose virtual tasks are not among them; empty if the list is complete.
    pub missing: Vec<MissingTasks>,
}

/// A provider whose virtual tasks are missing in a list.
///
/// ```
/// let missing: taskmgr_http::MissingTasks =
///     serde_json::from_str(r#"{"module": "node_ops", "error": "no quorum"}"#)?;
/// assert_eq!(missing.module, "node_ops");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissingTasks {
    /// The module with which it is registered.
    pub module: String,
    /// Why it gave no answer.
    pub error: String,
}

/// The full view of a task with what the library knows beyond the wire format; served under
/// `/api/v1/` only.
///
/// ```
/// let status = taskmgr::Status::new(taskmgr::Uuid::nil(), "vacuum");
/// let extended = taskmgr_http::ExtendedStatus::from(&status);
/// assert_eq!(extended.abort, None);
/// assert_eq!(extended.status.type_, "vacuum");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExtendedStatus {
    /// The wire format.
    #[serde(flatten)]
    pub status: TaskStatus,
    /// The module that it belongs to.
    pub module: String,
    /// Whether lists leave it out unless asked.
    pub internal: bool,
    /// Whether a user started it, so that the TTL of user tasks counts for it.
    pub user_task: bool,
    /// Whether it has ended with every descendant.
    pub settled: bool,
    /// When it was made, in UTC.
    pub created_at: String,
    /// Whether it was asked to sleep at its next checkpoint.
    pub suspend_requested: bool,
    /// The abort that reaches it, if one was asked for.
    pub abort: Option<ExtendedAbort>,
    /// How many children it has and had.
    pub child_counts: ExtendedCounts,
    /// The first error of everything that has folded into it.
    pub first_error: Option<String>,
}

/// An abort that was asked for, and how the work took it.
///
/// ```
/// let abort: taskmgr_http::ExtendedAbort = serde_json::from_str(
///     r#"{"reason": "shutdown", "requested_at": null, "polls": 0, "last_poll": null}"#,
/// )?;
/// assert_eq!(abort.reason, "shutdown");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExtendedAbort {
    /// The reason that was given first.
    pub reason: String,
    /// When it was asked for, in UTC.
    pub requested_at: Option<String>,
    /// How often the work has looked since.
    pub polls: u32,
    /// When it last looked, in UTC.
    pub last_poll: Option<String>,
}

/// The children of a task, counted.
///
/// ```
/// let counts = taskmgr_http::ExtendedCounts::from(&taskmgr::ChildCounts::default());
/// assert_eq!(counts.live, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExtendedCounts {
    /// Those that have not folded yet.
    pub live: u64,
    /// Those that have folded as done.
    pub succeeded: u64,
    /// Those that have folded as failed, or with a failed descendant.
    pub failed: u64,
    /// Those that have folded and are counted only.
    pub not_kept: u64,
}

impl From<&Stats> for TaskStats {
    fn from(stats: &Stats) -> Self {
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

impl From<&Status> for TaskStatus {
    fn from(status: &Status) -> Self {
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
            children_ids: status.children.iter().map(ChildId::from).collect(),
        }
    }
}

impl From<&taskmgr::ChildId> for ChildId {
    fn from(child: &taskmgr::ChildId) -> Self {
        Self {
            task_id: child.task_id.to_string(),
            node: child.node.to_string(),
        }
    }
}

impl From<&Stats> for ExtendedStats {
    fn from(stats: &Stats) -> Self {
        Self {
            stats: TaskStats::from(stats),
            internal: stats.internal,
            created_at: micros(stats.created_at),
        }
    }
}

impl From<&Listing> for ExtendedList {
    fn from(listing: &Listing) -> Self {
        Self {
            tasks: listing.tasks.iter().map(ExtendedStats::from).collect(),
            missing: listing.missing.iter().map(MissingTasks::from).collect(),
        }
    }
}

impl From<&Missing> for MissingTasks {
    fn from(missing: &Missing) -> Self {
        Self {
            module: missing.module.to_string(),
            error: missing.error.to_string(),
        }
    }
}

impl From<&Status> for ExtendedStatus {
    fn from(status: &Status) -> Self {
        Self {
            status: TaskStatus::from(status),
            module: status.module.to_string(),
            internal: status.internal,
            user_task: status.user_task,
            settled: status.settled,
            created_at: micros(status.created_at),
            suspend_requested: status.suspend_requested,
            abort: status.abort.as_ref().map(ExtendedAbort::from),
            child_counts: ExtendedCounts::from(&status.child_counts),
            first_error: status.first_error.clone(),
        }
    }
}

impl From<&AbortInfo> for ExtendedAbort {
    fn from(abort: &AbortInfo) -> Self {
        Self {
            reason: abort.reason.clone(),
            requested_at: abort.requested_at.map(micros),
            polls: abort.polls,
            last_poll: abort.last_poll.map(micros),
        }
    }
}

impl From<&ChildCounts> for ExtendedCounts {
    fn from(counts: &ChildCounts) -> Self {
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
