//! What every surface shows of a task: plain owned data.

mod filter;
mod listing;
mod name;
mod tree;

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::error::Error;

pub use filter::Filter;
pub use listing::{Listing, Missing, ProviderId};
pub use name::Name;
pub(crate) use name::{not_printable, same_text};
pub use tree::Tree;

/// Where a task is in its life.
///
/// ```
/// use taskmgr::State;
/// assert!(State::Failed.is_terminal());
/// assert_eq!("running".parse::<State>()?, State::Running);
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Made, and not yet started.
    Created,
    /// At work.
    Running,
    /// Its owner sleeps in a checkpoint until it is resumed or aborted.
    Suspended,
    /// Ended with success.
    Done,
    /// Ended with an error.
    Failed,
}

impl State {
    /// Whether nothing leaves this state.
    ///
    /// ```
    /// assert!(!taskmgr::State::Suspended.is_terminal());
    /// ```
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }

    /// The state as a word.
    ///
    /// ```
    /// assert_eq!(taskmgr::State::Done.as_str(), "done");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [
            Self::Created,
            Self::Running,
            Self::Suspended,
            Self::Done,
            Self::Failed,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| {
            Error::invalid(format!(
                "{text:?} is no state; the states are created, running, suspended, done, failed"
            ))
        })
    }
}

/// Who answers for a task.
///
/// ```
/// assert_eq!(taskmgr::Kind::Cluster.as_str(), "cluster");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular task, held in memory by this manager.
    Node,
    /// A virtual task, answered on demand by a provider of the host.
    Cluster,
}

impl Kind {
    /// The kind as a word.
    ///
    /// ```
    /// assert_eq!(taskmgr::Kind::Node.as_str(), "node");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Cluster => "cluster",
        }
    }
}

/// How far a task is: `completed` of `total` in `units`.
///
/// `completed` is never above `total`. Where the total is not known, `total` follows
/// `completed`.
///
/// A parent with no progress of its own shows the sum over its children; where their units
/// differ, how many of them are done, in units `children`. A task with neither units nor
/// children shows 0 of 1, and 1 of 1 once it is done. What failed or was aborted is never done.
///
/// ```
/// let manager = taskmgr::Manager::builder().build()?;
/// let task = manager.register_module("repair")?.task("repair").total(256, "ranges").start()?;
/// task.advance(64);
/// let progress = task.status()?.progress;
/// assert_eq!((progress.completed, progress.total), (64, 256));
/// assert_eq!(progress.units, "ranges");
/// # task.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub completed: u64,
    /// Units there are; at least `completed`.
    pub total: u64,
    /// Whether `total` was told, rather than following `completed`.
    pub total_known: bool,
    /// What is counted.
    pub units: Name,
}

/// A child, and the address of the node that runs it.
///
/// ```
/// # let manager = taskmgr::Manager::builder().node("10.0.0.1").build()?;
/// # let parent = manager.register_module("repair")?.task("repair").start()?;
/// let child = parent.child("repair").start()?;
/// let listed = parent.status()?.children;
/// assert_eq!(listed[0].task_id, child.id());
/// assert_eq!(listed[0].node, "10.0.0.1");
/// # child.finish()?; parent.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildId {
    /// The child's id.
    pub task_id: Uuid,
    /// The address of the child's node.
    pub node: Name,
}

/// The short view of a task, as lists show it.
///
/// ```
/// let stats = taskmgr::Stats::new(taskmgr::Uuid::new_v4(), "topology change");
/// assert_eq!(stats.kind, taskmgr::Kind::Cluster);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// The task's id.
    pub id: Uuid,
    /// What operation the task covers.
    pub type_: Name,
    /// Who answers for it.
    pub kind: Kind,
    /// For which part of the operation it is responsible.
    pub scope: Name,
    /// Where it is in its life.
    pub state: State,
    /// The number of its tree in (module, shard), from 1.
    pub sequence_number: u64,
    /// The keyspace it works on, or "".
    pub keyspace: Name,
    /// The table it works on, or "".
    pub table: Name,
    /// What else tells it from its siblings, or "".
    pub entity: Name,
    /// The shard it runs on.
    pub shard: u32,
    /// When it started.
    pub start_time: Option<SystemTime>,
    /// When it ended.
    pub end_time: Option<SystemTime>,
    /// When it was made.
    pub created_at: SystemTime,
    /// Whether lists leave it out unless asked.
    pub internal: bool,
}

impl ChildCounts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.live += other.live;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.not_kept += other.not_kept;
    }
}

impl Stats {
    /// The stats of a virtual task that runs, for a provider to fill in further.
    ///
    /// ```
    /// let mut stats = taskmgr::Stats::new(taskmgr::Uuid::new_v4(), "vacuum");
    /// stats.table = "events".into();
    /// ```
    pub fn new(id: Uuid, type_: impl Into<Name>) -> Self {
        Self {
            id,
            type_: type_.into(),
            kind: Kind::Cluster,
            scope: Name::EMPTY,
            state: State::Running,
            sequence_number: 0,
            keyspace: Name::EMPTY,
            table: Name::EMPTY,
            entity: Name::EMPTY,
            shard: 0,
            start_time: None,
            end_time: None,
            created_at: UNIX_EPOCH,
            internal: false,
        }
    }
}

/// The full view of a task.
///
/// ```
/// let status = taskmgr::Status::new(taskmgr::Uuid::new_v4(), "topology change");
/// assert!(!status.state.is_terminal());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// The task's id.
    pub id: Uuid,
    /// What operation the task covers.
    pub type_: Name,
    /// Who answers for it.
    pub kind: Kind,
    /// The module that it belongs to.
    pub module: Name,
    /// For which part of the operation it is responsible.
    pub scope: Name,
    /// Where it is in its life.
    pub state: State,
    /// Whether an observer may abort it.
    pub is_abortable: bool,
    /// When it started.
    pub start_time: Option<SystemTime>,
    /// When it ended.
    pub end_time: Option<SystemTime>,
    /// Why it failed.
    pub error: Option<String>,
    /// Its parent, regular or virtual.
    pub parent_id: Option<Uuid>,
    /// The number of its tree in (module, shard), from 1.
    pub sequence_number: u64,
    /// The shard it runs on.
    pub shard: u32,
    /// The keyspace it works on, or "".
    pub keyspace: Name,
    /// The table it works on, or "".
    pub table: Name,
    /// What else tells it from its siblings, or "".
    pub entity: Name,
    /// How far it is.
    pub progress: Progress,
    /// Its children, live and kept, in order of creation.
    pub children: Vec<ChildId>,
    /// Whether lists leave it out unless asked.
    pub internal: bool,
    /// Whether a user started it, so that `user_task_ttl` counts for it.
    pub user_task: bool,
    /// Whether it has ended with every descendant.
    pub settled: bool,
    /// When it was made.
    pub created_at: SystemTime,
    /// Whether it was asked to sleep at its next checkpoint.
    pub suspend_requested: bool,
    /// The abort that reaches it, if one was asked for.
    pub abort: Option<AbortInfo>,
    /// How many children it has and had.
    pub child_counts: ChildCounts,
    /// The first error of everything that has folded into it, in order of folding.
    pub first_error: Option<String>,
}

impl Status {
    /// The status of a virtual task that runs, for a provider to fill in further.
    ///
    /// ```
    /// let mut status = taskmgr::Status::new(taskmgr::Uuid::new_v4(), "vacuum");
    /// status.progress.total = 40;
    /// ```
    pub fn new(id: Uuid, type_: impl Into<Name>) -> Self {
        Self {
            id,
            type_: type_.into(),
            kind: Kind::Cluster,
            module: Name::EMPTY,
            scope: Name::EMPTY,
            state: State::Running,
            is_abortable: false,
            start_time: None,
            end_time: None,
            error: None,
            parent_id: None,
            sequence_number: 0,
            shard: 0,
            keyspace: Name::EMPTY,
            table: Name::EMPTY,
            entity: Name::EMPTY,
            progress: Progress {
                completed: 0,
                total: 1,
                total_known: false,
                units: Name::EMPTY,
            },
            children: Vec::new(),
            internal: false,
            user_task: false,
            settled: false,
            created_at: UNIX_EPOCH,
            suspend_requested: false,
            abort: None,
            child_counts: ChildCounts::default(),
            first_error: None,
        }
    }
}

/// An abort that was asked for, and how the work took it.
///
/// ```
/// let manager = taskmgr::Manager::builder().build()?;
/// let task = manager.register_module("repair")?.task("repair").abortable().start()?;
/// task.observe().abort("node is shutting down")?;
/// assert!(task.abort_requested());
/// let abort = task.status()?.abort.unwrap();
/// assert_eq!((abort.reason.as_str(), abort.polls), ("node is shutting down", 1));
/// # assert!(task.finish().unwrap_err().is_aborted());
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbortInfo {
    /// The reason that was given first.
    pub reason: String,
    /// When it was asked for.
    pub requested_at: Option<SystemTime>,
    /// How often the work has looked since.
    pub polls: u32,
    /// When it last looked.
    pub last_poll: Option<SystemTime>,
}

/// The children of a task, counted.
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// # let parent = manager.register_module("repair")?.task("repair").start()?;
/// parent.child("repair").start()?.finish()?;
/// assert_eq!(parent.status()?.child_counts.succeeded, 1);
/// # parent.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChildCounts {
    /// Children that have not folded yet.
    pub live: u64,
    /// Children that ended as done.
    pub succeeded: u64,
    /// Children that ended as failed.
    pub failed: u64,
    /// Finished descendants that are counted but no longer listed, because a bound was reached.
    pub not_kept: u64,
}

/// What closing a module or a manager has left behind.
///
/// ```
/// use std::time::Duration;
/// let manager = taskmgr::Manager::builder().build()?;
/// assert!(manager.close(Duration::from_secs(1))?.is_complete());
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CloseReport {
    /// Tasks that had not ended by the deadline.
    pub still_running: Vec<Stats>,
}

impl CloseReport {
    /// Whether everything has ended.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// let report = manager.close(std::time::Duration::ZERO)?;
    /// assert!(report.is_complete());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn is_complete(&self) -> bool {
        self.still_running.is_empty()
    }
}
