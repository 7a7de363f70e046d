//! The last error of each thread.

use taskmgr::Error;

use crate::code::{TASKMGR_OK, TASKMGR_PANIC, taskmgr_code};
use crate::guard;
use crate::id::taskmgr_id;
use crate::last_error;
use crate::state::{gone_reason, state, taskmgr_gone_reason, taskmgr_state};
use crate::text::taskmgr_str;

/// The message of the last call that failed on this thread; "" if none has. It says what was
/// asked, what was found and what to do. A NUL in a text of the host's is shown as `\0`.
///
/// The text is of the library, and lives until the next call on this thread fails, or
/// `taskmgr_clear_error`; a call that does not fail leaves it. A callback that runs on this
/// thread may change it. Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_last_error() -> *const std::ffi::c_char {
    guard::value(taskmgr_str::EMPTY.as_ptr(), || {
        Ok(last_error::message().unwrap_or(taskmgr_str::EMPTY.as_ptr()))
    })
}

/// The code of the last call that failed on this thread; `TASKMGR_OK` if none has.
///
/// Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_last_error_code() -> taskmgr_code {
    guard::value(TASKMGR_PANIC, || {
        Ok(last_error::code().unwrap_or(TASKMGR_OK))
    })
}

/// The task that this thread's last error is about; the nil id if it is about none.
///
/// Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_last_error_id() -> taskmgr_id {
    guard::value(taskmgr_id::NIL, || {
        let id = last_error::core_error(Error::id);
        Ok(id.map_or(taskmgr_id::NIL, taskmgr_id::from))
    })
}

/// Why the task is gone that this thread's last error is about; 0 if that was another error
/// than `TASKMGR_GONE`.
///
/// Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_last_error_gone_reason() -> taskmgr_gone_reason {
    guard::value(0, || {
        Ok(last_error::core_error(Error::gone).map_or(0, |(reason, _)| gone_reason(reason)))
    })
}

/// How the task had ended that is gone and that this thread's last error is about; 0 if that
/// was another error than `TASKMGR_GONE`.
///
/// Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_last_error_final_state() -> taskmgr_state {
    guard::value(0, || {
        Ok(last_error::core_error(Error::gone).map_or(0, |(_, ended_as)| state(ended_as)))
    })
}

/// Forgets the last error of this thread.
///
/// Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_clear_error() {
    guard::value((), || {
        last_error::clear();
        Ok(())
    });
}

/// Sets the last error of this thread and returns `code`: how a function of a
/// `taskmgr_provider` says why it fails. `return taskmgr_set_error(TASKMGR_PROVIDER,
/// TASKMGR_STR("the coordinator is away"));`
///
/// The text is copied; where it is empty, the message says that none was given. Threads: any;
/// each has its own. Errors: a code that is none, or `TASKMGR_OK`, or text that is not UTF-8,
/// becomes `TASKMGR_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_set_error(code: taskmgr_code, message: taskmgr_str<'_>) -> taskmgr_code {
    guard::code(|| Err(last_error::given(code, message)?.into()))
}
