//! A virtual task, as a provider describes it.

use taskmgr::{ChildId, Error, Kind, Progress, State, Stats, Status};

use crate::failure::{Failure, invalid};
use crate::id::taskmgr_id;
use crate::state::{given_state, taskmgr_state};
use crate::text::taskmgr_str;
use crate::time::{given_time, taskmgr_time_ns};
use crate::versioned::{Versioned, read};

/// A child of a virtual task: its id, and the address of the node that runs it. Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taskmgr_child<'a> {
    /// The child's id.
    pub id: taskmgr_id,
    /// The address of its node.
    pub node: taskmgr_str<'a>,
}

/// How a virtual task is, as a provider tells it. `TASKMGR_VIRTUAL_TASK(id, "type")`
/// initializes it as one that runs. Texts and children are borrowed for the call to which it
/// is given. Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taskmgr_virtual_task<'a> {
    /// `sizeof(taskmgr_virtual_task)`.
    pub size: usize,
    /// The task's id.
    pub id: taskmgr_id,
    /// Its parent, or the nil id.
    pub parent_id: taskmgr_id,
    /// What operation it covers.
    pub r#type: taskmgr_str<'a>,
    /// For which part of the operation it is responsible.
    pub scope: taskmgr_str<'a>,
    /// The keyspace that it works on.
    pub keyspace: taskmgr_str<'a>,
    /// The table that it works on.
    pub table: taskmgr_str<'a>,
    /// What else tells it from its siblings.
    pub entity: taskmgr_str<'a>,
    /// Why it failed.
    pub error: taskmgr_str<'a>,
    /// What its progress counts.
    pub progress_units: taskmgr_str<'a>,
    /// How many units are done.
    pub progress_completed: u64,
    /// How many units there are; `TASKMGR_TOTAL_UNKNOWN` if that is not known.
    pub progress_total: u64,
    /// The number of its tree, from 1; 0 for none.
    pub sequence_number: u64,
    /// When it was made; `TASKMGR_NO_TIME` for when it started.
    pub created_at: taskmgr_time_ns,
    /// When it started; `TASKMGR_NO_TIME` if it has not.
    pub start_time: taskmgr_time_ns,
    /// When it ended; `TASKMGR_NO_TIME` if it has not.
    pub end_time: taskmgr_time_ns,
    /// `children_len` children, or NULL. Local tasks that name this one as their parent are
    /// added to them by the library.
    pub children: *const taskmgr_child<'a>,
    /// How many children there are.
    pub children_len: usize,
    /// The shard that it runs on.
    pub shard: u32,
    /// Where it is in its life.
    pub state: taskmgr_state,
    /// Not 0: `abort` of its provider may be called.
    pub abortable: u8,
    /// Not 0: lists leave it out unless asked.
    pub internal: u8,
    /// Not 0: a user started it.
    pub user_task: u8,
    /// 0.
    pub reserved: [u8; 5],
}

// SAFETY: integers, texts and a pointer of C without padding: 8 + 2 * 16 + 7 * 16 + 6 * 8 +
// 2 * 8 + 2 * 4 + 8 bytes.
unsafe impl Versioned for taskmgr_virtual_task<'_> {
    const NAME: &'static str = "taskmgr_virtual_task";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
    const RESERVED: usize = 5;

    fn defaults() -> Self {
        Self {
            size: size_of::<Self>(),
            id: taskmgr_id::NIL,
            parent_id: taskmgr_id::NIL,
            r#type: taskmgr_str::EMPTY,
            scope: taskmgr_str::EMPTY,
            keyspace: taskmgr_str::EMPTY,
            table: taskmgr_str::EMPTY,
            entity: taskmgr_str::EMPTY,
            error: taskmgr_str::EMPTY,
            progress_units: taskmgr_str::EMPTY,
            progress_completed: 0,
            progress_total: u64::MAX,
            sequence_number: 0,
            created_at: 0,
            start_time: 0,
            end_time: 0,
            children: std::ptr::null(),
            children_len: 0,
            shard: 0,
            state: crate::state::TASKMGR_STATE_RUNNING,
            abortable: 0,
            internal: 0,
            user_task: 0,
            reserved: [0; 5],
        }
    }
}

/// The status that a provider describes.
///
/// # Safety
///
/// As [`read`], and `children` is null or points to `children_len` children.
pub(crate) unsafe fn status(task: *const taskmgr_virtual_task<'_>) -> Result<Status, Failure> {
    // SAFETY: promised by the caller.
    let task = unsafe { read(task, "task") }?;
    let stats = task.stats()?;
    let mut status = Status::new(stats.id, stats.type_);
    status.scope = stats.scope;
    status.state = stats.state;
    status.is_abortable = task.abortable != 0;
    status.start_time = stats.start_time;
    status.end_time = stats.end_time;
    let error = task.error.get("the virtual task's error")?;
    status.error =
        Some(error.to_owned()).filter(|error| !error.is_empty() || status.state == State::Failed);
    status.parent_id = task.parent_id.given();
    status.sequence_number = stats.sequence_number;
    status.shard = stats.shard;
    status.keyspace = stats.keyspace;
    status.table = stats.table;
    status.entity = stats.entity;
    status.progress = task.progress()?;
    // SAFETY: promised by the caller.
    status.children = unsafe { task.children() }?;
    status.internal = stats.internal;
    status.user_task = task.user_task != 0;
    status.created_at = stats.created_at;
    Ok(status)
}

/// The stats that a provider describes.
///
/// # Safety
///
/// As [`read`].
pub(crate) unsafe fn stats(task: *const taskmgr_virtual_task<'_>) -> Result<Stats, Failure> {
    // SAFETY: promised by the caller.
    unsafe { read(task, "task") }?.stats()
}

impl taskmgr_virtual_task<'_> {
    fn stats(&self) -> Result<Stats, Failure> {
        let id = self.id.given().ok_or_else(|| {
            invalid("the virtual task has the nil id; every task has an id of its own")
        })?;
        let state = given_state(self.state)?.ok_or_else(|| {
            invalid("the virtual task has no state; set one of TASKMGR_STATE_CREATED and so on")
        })?;
        let mut stats = Stats::new(id, self.r#type.get("the virtual task's type")?);
        stats.kind = Kind::Cluster;
        stats.state = state;
        stats.scope = self.scope.get("the virtual task's scope")?.into();
        stats.keyspace = self.keyspace.get("the virtual task's keyspace")?.into();
        stats.table = self.table.get("the virtual task's table")?.into();
        stats.entity = self.entity.get("the virtual task's entity")?.into();
        stats.sequence_number = self.sequence_number;
        stats.shard = self.shard;
        stats.start_time = given_time(self.start_time);
        stats.end_time = given_time(self.end_time);
        if let Some(created) = given_time(self.created_at).or(stats.start_time) {
            stats.created_at = created;
        }
        stats.internal = self.internal != 0;
        Ok(stats)
    }

    fn progress(&self) -> Result<Progress, Failure> {
        let known = self.progress_total != u64::MAX;
        let completed = self.progress_completed;
        let total = match known {
            true => self.progress_total.max(completed),
            false => completed.max(1),
        };
        Ok(Progress {
            completed,
            total,
            total_known: known,
            units: self
                .progress_units
                .get("the virtual task's progress_units")?
                .into(),
        })
    }

    /// # Safety
    ///
    /// `children` is null or points to `children_len` children.
    unsafe fn children(&self) -> Result<Vec<ChildId>, Failure> {
        // SAFETY: promised by the caller.
        let children = unsafe { crate::handle::slice(self.children, self.children_len) };
        let children = children.ok_or_else(|| {
            let len = self.children_len;
            invalid(format!(
                "children is a null pointer of length {len}; without any it is 0"
            ))
        })?;
        let each = children.iter().map(|child| {
            Ok(ChildId {
                task_id: child.id.uuid(),
                node: child.node.get("the address of a child's node")?.into(),
            })
        });
        each.collect()
    }
}

/// What those hear who wait for a task whose final status makes no sense.
pub(crate) fn unusable(failure: &Failure) -> Error {
    Error::new(
        taskmgr::ErrorCode::Provider,
        format!("the provider described no task: {}", failure.message()),
    )
}
