//! What a new task shall be.

use taskmgr::{Module, TaskBuilder};

use crate::failure::{Failure, invalid};
use crate::id::taskmgr_id;
use crate::module::taskmgr_module;
use crate::observer::taskmgr_observer;
use crate::text::taskmgr_str;
use crate::versioned::{Versioned, read};

/// The total of a task that is not known.
pub const TASKMGR_TOTAL_UNKNOWN: u64 = u64::MAX;
/// The shard of a task that is not told: its parent's, and 0 for a root.
pub const TASKMGR_SHARD_OF_PARENT: u32 = u32::MAX;

/// What a new task shall be. `TASKMGR_TASK_SPEC("type")` initializes it; nothing else is
/// needed. Texts and handles are borrowed for the call. Names are at most 255 bytes and
/// printable: not of blanks alone, and without control characters, line separators,
/// noncharacters, bidirectional controls and what does not show at all. Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taskmgr_task_spec<'a> {
    /// `sizeof(taskmgr_task_spec)`.
    pub size: usize,
    /// What operation the task covers; the only field that is needed.
    pub r#type: taskmgr_str<'a>,
    /// For which part of the operation it is responsible, e.g. "keyspace".
    pub scope: taskmgr_str<'a>,
    /// The keyspace that it works on.
    pub keyspace: taskmgr_str<'a>,
    /// The table that it works on.
    pub table: taskmgr_str<'a>,
    /// What else tells it from its siblings, e.g. a token range.
    pub entity: taskmgr_str<'a>,
    /// What its progress counts, e.g. "sstables".
    pub units: taskmgr_str<'a>,
    /// How many units there are; `TASKMGR_TOTAL_UNKNOWN` if that is not known.
    pub total: u64,
    /// An id of the host's own; the nil id (all zero) to get one.
    pub id: taskmgr_id,
    /// The parent's id, which may be a virtual task's; the nil id for none. Only where the call
    /// names no parent itself.
    pub parent_id: taskmgr_id,
    /// The parent by a handle, or NULL. Only where the call names no parent itself.
    pub parent: Option<&'a taskmgr_observer>,
    /// For a child, the module it goes into; NULL for its parent's. Only where the call names
    /// no module itself.
    pub module: Option<&'a taskmgr_module>,
    /// The shard that it runs on; `TASKMGR_SHARD_OF_PARENT` if it is not told.
    pub shard: u32,
    /// Not 0: observers, and so operators, may abort it.
    pub abortable: u8,
    /// Not 0: lists leave it out unless asked, and as a root it is forgotten as soon as it has
    /// settled. A child of a regular task always is internal.
    pub internal: u8,
    /// Not 0: a user started it, and it is kept for the TTL of user tasks.
    pub user_task: u8,
    /// 0.
    pub reserved: u8,
}

// SAFETY: integers, texts and handles of C without padding: 8 + 6 * 16 + 8 + 2 * 16 + 2 * 8 +
// 4 + 4 bytes. That a handle is null or valid is what C promises for every handle.
unsafe impl Versioned for taskmgr_task_spec<'_> {
    const NAME: &'static str = "taskmgr_task_spec";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
    const RESERVED: usize = 1;

    fn defaults() -> Self {
        Self {
            size: size_of::<Self>(),
            r#type: taskmgr_str::EMPTY,
            scope: taskmgr_str::EMPTY,
            keyspace: taskmgr_str::EMPTY,
            table: taskmgr_str::EMPTY,
            entity: taskmgr_str::EMPTY,
            units: taskmgr_str::EMPTY,
            total: TASKMGR_TOTAL_UNKNOWN,
            id: taskmgr_id::NIL,
            parent_id: taskmgr_id::NIL,
            parent: None,
            module: None,
            shard: TASKMGR_SHARD_OF_PARENT,
            abortable: 0,
            internal: 0,
            user_task: 0,
            reserved: 0,
        }
    }
}

/// The spec of a call that names a module itself.
///
/// # Safety
///
/// As [`read`].
pub(crate) unsafe fn in_module<'a>(
    module: &Module,
    spec: *const taskmgr_task_spec<'a>,
) -> Result<TaskBuilder<'a>, Failure> {
    // SAFETY: promised by the caller.
    let spec = unsafe { read(spec, "spec") }?;
    if spec.module.is_some() {
        return Err(invalid(
            "the spec names a module, and so does the call; leave the spec's module NULL",
        ));
    }
    let texts = spec.texts()?;
    let task = spec.describe(&texts, module.task(texts.type_));
    Ok(match (spec.parent, spec.parent_id.given()) {
        (Some(_), Some(_)) => {
            return Err(invalid(
                "the spec names a parent by its handle and by its id; give one of them",
            ));
        }
        (Some(parent), None) => task.parent(parent.as_parent()),
        (None, Some(parent)) => task.parent_id(parent),
        (None, None) => task,
    })
}

/// The spec of a call that names the parent itself.
///
/// # Safety
///
/// As [`read`].
#[inline(always)]
pub(crate) unsafe fn under_parent<'a>(
    child: impl FnOnce(&'a str) -> TaskBuilder<'a>,
    spec: *const taskmgr_task_spec<'a>,
) -> Result<TaskBuilder<'a>, Failure> {
    // SAFETY: promised by the caller.
    let spec = unsafe { read(spec, "spec") }?;
    if spec.parent.is_some() || spec.parent_id.given().is_some() {
        return Err(invalid(
            "the spec names a parent, and so does the call; leave the spec's parent empty",
        ));
    }
    let texts = spec.texts()?;
    let task = spec.describe(&texts, child(texts.type_));
    Ok(match spec.module {
        Some(module) => task.module(&module.module),
        None => task,
    })
}

impl<'a> taskmgr_task_spec<'a> {
    #[inline(always)]
    fn texts(&self) -> Result<Texts<'a>, Failure> {
        Ok(Texts {
            type_: self.r#type.get("the type")?,
            scope: self.scope.get("the scope")?,
            keyspace: self.keyspace.get("the keyspace")?,
            table: self.table.get("the table")?,
            entity: self.entity.get("the entity")?,
            units: self.units.get("the units")?,
        })
    }

    /// Nothing in it can fail, so that the builder stays in registers.
    #[inline(always)]
    fn describe(&self, texts: &Texts<'a>, task: TaskBuilder<'a>) -> TaskBuilder<'a> {
        let mut task = task
            .scope(texts.scope)
            .keyspace(texts.keyspace)
            .table(texts.table)
            .entity(texts.entity);
        task = match self.total {
            TASKMGR_TOTAL_UNKNOWN => task.units(texts.units),
            total => task.total(total, texts.units),
        };
        if self.shard != TASKMGR_SHARD_OF_PARENT {
            task = task.shard(self.shard);
        }
        if let Some(id) = self.id.given() {
            task = task.id(id);
        }
        if self.abortable != 0 {
            task = task.abortable();
        }
        if self.internal != 0 {
            task = task.internal();
        }
        if self.user_task != 0 {
            task = task.user_task();
        }
        task
    }
}

/// The texts of a spec, looked at.
struct Texts<'a> {
    type_: &'a str,
    scope: &'a str,
    keyspace: &'a str,
    table: &'a str,
    entity: &'a str,
    units: &'a str,
}
