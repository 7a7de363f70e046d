//! What an owner of a task is.

use std::mem::ManuallyDrop;

use taskmgr::{RawTask, SharedTask, Task};

use crate::failure::Failure;
use crate::handle::{self, Place, get};

/// The owner of a task: runs it and ends it. All calls on one handle may come from several
/// threads at once, and what they count is added atomically. Freed without
/// `taskmgr_task_finish` or `taskmgr_task_fail` it fails its task. Since 0.1.0.
pub struct taskmgr_task(RawTask);

// Nothing but what it is made of, so that the address of one is that of the other. (It is not
// `repr(transparent)`: the header would name what is in it.)
const _: () = assert!(size_of::<taskmgr_task>() == size_of::<RawTask>());

impl taskmgr_task {
    #[inline]
    pub(crate) fn give(place: Place<'_, Self>, task: Task) {
        place.lend(Self::of(task.share()));
    }

    #[inline]
    pub(crate) fn of(task: SharedTask) -> &'static Self {
        // SAFETY: it has one field, and its size.
        unsafe { handle::wrapped(task.leak()) }
    }

    /// The Rust handle that it is.
    ///
    /// # Safety
    /// It has not been used up; once the result is dropped, it is.
    #[inline]
    pub(crate) unsafe fn handle(&'static self) -> SharedTask {
        // SAFETY: as the caller promises.
        unsafe { handle::reclaimed(&self.0) }
    }
}

/// The owner, for a call that runs none of the host's code, or, as an end does, sees to that
/// itself.
#[inline]
pub(crate) fn owner(
    task: Option<&'static taskmgr_task>,
) -> Result<ManuallyDrop<SharedTask>, Failure> {
    // SAFETY: the C program promises that the handle is valid while the call runs, and it is
    // not let go of here.
    get(task, "task").map(|task| ManuallyDrop::new(unsafe { task.handle() }))
}

/// A handle of its own for a call that may run a callback, which may free the very handle whose
/// call runs it.
pub(crate) fn kept(task: Option<&'static taskmgr_task>) -> Result<SharedTask, Failure> {
    owner(task).map(|task| SharedTask::clone(&task))
}
