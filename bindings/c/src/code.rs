//! What every call that can fail returns.

use taskmgr::ErrorCode;

/// What a call has come to: `TASKMGR_OK` or the kind of an error. The numbers never change,
/// and further ones may come with later versions. `taskmgr_last_error` has the message.
///
/// Any call may return `TASKMGR_INVALID_ARGUMENT` for a null pointer where a handle or a place
/// for a result belongs, for text that is not UTF-8, and for a struct of a size that is none;
/// `TASKMGR_FORKED` in a forked child; `TASKMGR_PANIC` for an error in the library itself.
/// These three are not named again below. Since 0.1.0.
pub type taskmgr_code = i32;

/// The call has done what was asked.
pub const TASKMGR_OK: taskmgr_code = 0;
/// A null pointer, a name, a number, a duration or a struct that cannot be.
pub const TASKMGR_INVALID_ARGUMENT: taskmgr_code = 1;
/// A module of that name is registered already, or still closing.
pub const TASKMGR_MODULE_EXISTS: taskmgr_code = 2;
/// No module of that name is registered.
pub const TASKMGR_UNKNOWN_MODULE: taskmgr_code = 3;
/// The id lives already.
pub const TASKMGR_ID_IN_USE: taskmgr_code = 4;
/// No task has that id, nor is one remembered that had it.
pub const TASKMGR_NOT_FOUND: taskmgr_code = 5;
/// The task was there and is no longer; `taskmgr_last_error_gone_reason` tells why.
pub const TASKMGR_GONE: taskmgr_code = 6;
/// A task that has ended takes no children.
pub const TASKMGR_PARENT_TERMINAL: taskmgr_code = 7;
/// The task was started before.
pub const TASKMGR_ALREADY_STARTED: taskmgr_code = 8;
/// The task has ended before.
pub const TASKMGR_ALREADY_FINISHED: taskmgr_code = 9;
/// The task is not marked abortable.
pub const TASKMGR_NOT_ABORTABLE: taskmgr_code = 10;
/// The task was told to abort.
pub const TASKMGR_ABORTED: taskmgr_code = 11;
/// The time given to a wait has passed.
pub const TASKMGR_TIMEOUT: taskmgr_code = 12;
/// The task, or a descendant of it, is still at work.
pub const TASKMGR_NOT_SETTLED: taskmgr_code = 13;
/// The call would have to block inside a callback or a provider.
pub const TASKMGR_WOULD_DEADLOCK: taskmgr_code = 14;
/// The module or the manager is closed.
pub const TASKMGR_CLOSED: taskmgr_code = 15;
/// The process was forked since the manager was made.
pub const TASKMGR_FORKED: taskmgr_code = 16;
/// The provider of a virtual task failed or took too long.
pub const TASKMGR_PROVIDER: taskmgr_code = 17;
/// The call makes no sense for this kind of task.
pub const TASKMGR_NOT_SUPPORTED: taskmgr_code = 18;
/// More tasks, forks, threads or handles than there is room for.
pub const TASKMGR_EXHAUSTED: taskmgr_code = 19;
/// The work that a task tracked has failed.
pub const TASKMGR_TASK_FAILED: taskmgr_code = 20;
/// The task was finished before it was started: it has failed.
pub const TASKMGR_NOT_STARTED: taskmgr_code = 21;
/// An error in the library itself; nothing is known of what the call has done. Of C alone.
pub const TASKMGR_PANIC: taskmgr_code = 100;
/// The system refused, e.g. an address that is taken. Of C alone.
pub const TASKMGR_SYSTEM: taskmgr_code = 101;
/// The library is older than the header that the program was built with, or of another major
/// version. Of C alone.
pub const TASKMGR_VERSION_MISMATCH: taskmgr_code = 102;

/// The core's code of this number.
pub(crate) fn core_code(code: taskmgr_code) -> Option<ErrorCode> {
    ErrorCode::ALL
        .iter()
        .copied()
        .find(|core| *core as i32 == code)
}
