//! Which tasks a list shows.

use taskmgr::Filter;

use crate::failure::Failure;
use crate::state::{given_state, taskmgr_state};
use crate::text::taskmgr_str;
use crate::versioned::{Versioned, read};

/// The limit of a list without one; cbindgen.toml has it for C.
pub const TASKMGR_NO_LIMIT: usize = usize::MAX;

/// Which tasks of a module to list. `TASKMGR_FILTER` initializes it, and with nothing else set
/// it lets all tasks through that are not internal. Texts are borrowed for the call; an absent
/// one is no filter. Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taskmgr_filter<'a> {
    /// `sizeof(taskmgr_filter)`.
    pub size: usize,
    /// Only tasks on this keyspace.
    pub keyspace: taskmgr_str<'a>,
    /// Only tasks on this table.
    pub table: taskmgr_str<'a>,
    /// Only tasks of this type.
    pub r#type: taskmgr_str<'a>,
    /// Only tasks of this scope.
    pub scope: taskmgr_str<'a>,
    /// At most so many, the oldest first.
    pub limit: usize,
    /// Only tasks in this state; `TASKMGR_STATE_ANY` for all.
    pub state: taskmgr_state,
    /// Not 0: internal tasks too.
    pub internal: u8,
    /// 0.
    pub reserved: [u8; 3],
}

// SAFETY: integers and texts of C without padding: 8 + 4 * 16 + 8 + 4 + 1 + 3 bytes.
unsafe impl Versioned for taskmgr_filter<'_> {
    const NAME: &'static str = "taskmgr_filter";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
    const RESERVED: usize = 3;

    fn defaults() -> Self {
        Self {
            size: size_of::<Self>(),
            keyspace: taskmgr_str::EMPTY,
            table: taskmgr_str::EMPTY,
            r#type: taskmgr_str::EMPTY,
            scope: taskmgr_str::EMPTY,
            limit: TASKMGR_NO_LIMIT,
            state: 0,
            internal: 0,
            reserved: [0; 3],
        }
    }
}

/// The filter that a null pointer or a struct asks for.
///
/// # Safety
///
/// As [`read`].
pub(crate) unsafe fn given(filter: *const taskmgr_filter<'_>) -> Result<Filter, Failure> {
    if filter.is_null() {
        return Ok(Filter::new());
    }
    // SAFETY: promised by the caller.
    let given = unsafe { read(filter, "filter") }?;
    let mut filter = Filter::new()
        .keyspace(given.keyspace.get("the filter's keyspace")?)
        .table(given.table.get("the filter's table")?)
        .task_type(given.r#type.get("the filter's type")?)
        .scope(given.scope.get("the filter's scope")?)
        .internal(given.internal != 0);
    filter.state = given_state(given.state)?;
    filter.limit = Some(given.limit).filter(|limit| *limit != TASKMGR_NO_LIMIT);
    Ok(filter)
}
