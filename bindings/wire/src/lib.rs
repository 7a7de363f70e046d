//! What goes over the wire of taskmgr's REST API, field by field, for servers and clients alike.
//!
//! Types alone: neither the library that tracks the tasks nor one that sends requests comes with
//! them. `taskmgr-http` makes them of what a manager tells, and a client reads them:
//!
//! ```
//! let answer = r#"{"message": "no module has the name nowhere", "code": 400}"#;
//! let refused: taskmgr_wire::ErrorBody = serde_json::from_str(answer)?;
//! assert_eq!(refused.code, 400);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! Fields that a type does not know are skipped, so that an older client reads what a newer server
//! sends. Requests have no types: they have no body, and a path and a query are text.
//!
//! The feature `schema` gives each type its schema for OpenAPI.

use serde::{Deserialize, Serialize};

/// The short view of a task, as lists show it.
///
/// ```
/// let stats: taskmgr_wire::TaskStats = serde_json::from_str(
///     r#"{"task_id": "6fbf2a3c-…", "type": "vacuum", "kind": "node", "scope": "table",
///         "state": "running", "sequence_number": 1, "keyspace": "ks", "table": "t",
///         "entity": "", "shard": 0, "start_time": "2026-01-01T00:00:00Z",
///         "end_time": "1970-01-01T00:00:00Z"}"#,
/// )?;
/// assert_eq!((stats.type_.as_str(), stats.state.as_str()), ("vacuum", "running"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
/// fn percent(status: &taskmgr_wire::TaskStatus) -> Option<f64> {
///     (status.progress_total > 0.0)
///         .then(|| 100.0 * status.progress_completed / status.progress_total)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
/// let child: taskmgr_wire::ChildId =
///     serde_json::from_str(r#"{"task_id": "6fbf2a3c-…", "node": "10.0.0.1"}"#)?;
/// assert_eq!(child.node, "10.0.0.1");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChildId {
    /// The child's id.
    pub task_id: String,
    /// The address of the node that runs it, or an empty string.
    pub node: String,
}

/// What an error looks like.
///
/// ```
/// let body: taskmgr_wire::ErrorBody =
///     serde_json::from_str(r#"{"message": "no module has the name nowhere", "code": 400}"#)?;
/// assert_eq!(body.code, 400);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
/// fn is_shown(task: &taskmgr_wire::ExtendedStats) -> bool {
///     !task.internal && task.stats.state != "created"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
/// let list: taskmgr_wire::ExtendedList = serde_json::from_str(r#"{"tasks": [], "missing": []}"#)?;
/// assert!(list.missing.is_empty(), "the list is complete");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExtendedList {
    /// The tasks, in order of creation.
    pub tasks: Vec<ExtendedStats>,
    /// The providers whose virtual tasks are not among them; empty if the list is complete.
    pub missing: Vec<MissingTasks>,
}

/// A provider whose virtual tasks are missing in a list.
///
/// ```
/// let missing: taskmgr_wire::MissingTasks =
///     serde_json::from_str(r#"{"module": "node_ops", "error": "no quorum"}"#)?;
/// assert_eq!(missing.module, "node_ops");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
/// fn works_on(task: &taskmgr_wire::ExtendedStatus) -> bool {
///     task.status.state == "running" && task.abort.is_some()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
/// let abort: taskmgr_wire::ExtendedAbort = serde_json::from_str(
///     r#"{"reason": "shutdown", "requested_at": null, "polls": 0, "last_poll": null}"#,
/// )?;
/// assert_eq!(abort.reason, "shutdown");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
/// let counts: taskmgr_wire::ExtendedCounts =
///     serde_json::from_str(r#"{"live": 1, "succeeded": 2, "failed": 0, "not_kept": 0}"#)?;
/// assert_eq!(counts.live + counts.succeeded, 3);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
