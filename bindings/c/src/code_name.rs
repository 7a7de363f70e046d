//! Codes as words.

use crate::code::{
    TASKMGR_ABORTED, TASKMGR_ALREADY_FINISHED, TASKMGR_ALREADY_STARTED, TASKMGR_CLOSED,
    TASKMGR_EXHAUSTED, TASKMGR_FORKED, TASKMGR_GONE, TASKMGR_ID_IN_USE, TASKMGR_INVALID_ARGUMENT,
    TASKMGR_MODULE_EXISTS, TASKMGR_NOT_ABORTABLE, TASKMGR_NOT_FOUND, TASKMGR_NOT_SETTLED,
    TASKMGR_NOT_STARTED, TASKMGR_NOT_SUPPORTED, TASKMGR_OK, TASKMGR_PANIC, TASKMGR_PARENT_TERMINAL,
    TASKMGR_PROVIDER, TASKMGR_SYSTEM, TASKMGR_TASK_FAILED, TASKMGR_TIMEOUT, TASKMGR_UNKNOWN_MODULE,
    TASKMGR_VERSION_MISMATCH, TASKMGR_WOULD_DEADLOCK, taskmgr_code,
};
use crate::guard;
use crate::text::taskmgr_str;

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
    use taskmgr::ErrorCode;

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
