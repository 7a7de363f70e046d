//! What every call that can fail returns.

use taskmgr::ErrorCode;

use crate::guard;
use crate::text::taskmgr_str;

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

/// The code as a word, e.g. "not_found", as the other languages name it; "unknown" for a
/// number that is none.
///
/// The text is static. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_code_name(code: taskmgr_code) -> taskmgr_str<'static> {
    guard::value(taskmgr_str::EMPTY, || {
        Ok(taskmgr_str::literal(match code {
            TASKMGR_OK => c"ok",
            TASKMGR_INVALID_ARGUMENT => c"invalid_argument",
            TASKMGR_MODULE_EXISTS => c"module_exists",
            TASKMGR_UNKNOWN_MODULE => c"unknown_module",
            TASKMGR_ID_IN_USE => c"id_in_use",
            TASKMGR_NOT_FOUND => c"not_found",
            TASKMGR_GONE => c"gone",
            TASKMGR_PARENT_TERMINAL => c"parent_terminal",
            TASKMGR_ALREADY_STARTED => c"already_started",
            TASKMGR_ALREADY_FINISHED => c"already_finished",
            TASKMGR_NOT_ABORTABLE => c"not_abortable",
            TASKMGR_ABORTED => c"aborted",
            TASKMGR_TIMEOUT => c"timeout",
            TASKMGR_NOT_SETTLED => c"not_settled",
            TASKMGR_WOULD_DEADLOCK => c"would_deadlock",
            TASKMGR_CLOSED => c"closed",
            TASKMGR_FORKED => c"forked",
            TASKMGR_PROVIDER => c"provider",
            TASKMGR_NOT_SUPPORTED => c"not_supported",
            TASKMGR_EXHAUSTED => c"exhausted",
            TASKMGR_TASK_FAILED => c"task_failed",
            TASKMGR_NOT_STARTED => c"not_started",
            TASKMGR_PANIC => c"panic",
            TASKMGR_SYSTEM => c"system",
            TASKMGR_VERSION_MISMATCH => c"version_mismatch",
            _ => c"unknown",
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_core_has_its_number_and_its_name() {
        let constants = include_str!("code.rs");
        for (at, &code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(code as i32, at as i32 + 1, "{code:?}");
            assert_eq!(taskmgr_code_name(code as i32).to_test(), code.as_str());
            let name = code.as_str().to_uppercase();
            let constant = format!("pub const TASKMGR_{name}: taskmgr_code = {};", code as i32);
            assert!(
                constants.contains(&constant),
                "the core has a code that C does not have: {constant}"
            );
        }
    }

    #[test]
    fn the_numbers_are_pinned() {
        let pinned = [
            (0, "ok"),
            (1, "invalid_argument"),
            (2, "module_exists"),
            (3, "unknown_module"),
            (4, "id_in_use"),
            (5, "not_found"),
            (6, "gone"),
            (7, "parent_terminal"),
            (8, "already_started"),
            (9, "already_finished"),
            (10, "not_abortable"),
            (11, "aborted"),
            (12, "timeout"),
            (13, "not_settled"),
            (14, "would_deadlock"),
            (15, "closed"),
            (16, "forked"),
            (17, "provider"),
            (18, "not_supported"),
            (19, "exhausted"),
            (20, "task_failed"),
            (21, "not_started"),
            (100, "panic"),
            (101, "system"),
            (102, "version_mismatch"),
        ];
        for (code, name) in pinned {
            assert_eq!(taskmgr_code_name(code).to_test(), name);
        }
        for code in [-1, 22, 99, 103, i32::MAX, i32::MIN] {
            assert_eq!(taskmgr_code_name(code).to_test(), "unknown");
        }
    }
}
