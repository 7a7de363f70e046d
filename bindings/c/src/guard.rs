//! The one place where panics are caught: every export goes through it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::code::{TASKMGR_OK, TASKMGR_PANIC, taskmgr_code};
use crate::failure::Failure;
use crate::last_error;

/// Runs a call that answers with a code, and keeps its failure as the thread's last error.
#[inline]
pub(crate) fn code(call: impl FnOnce() -> Result<(), Failure>) -> taskmgr_code {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => TASKMGR_OK,
        Ok(Err(failure)) => last_error::keep(failure),
        Err(payload) => panicked(payload),
    }
}

/// Runs a call that answers with a value, and with `fallback` if it fails.
#[inline]
pub(crate) fn value<T>(fallback: T, call: impl FnOnce() -> Result<T, Failure>) -> T {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => value,
        Ok(Err(failure)) => {
            last_error::keep(failure);
            fallback
        }
        Err(payload) => {
            panicked(payload);
            fallback
        }
    }
}

#[cold]
fn panicked(payload: Box<dyn Any + Send>) -> taskmgr_code {
    let said = match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "no message".to_owned(),
    };
    // What a panic carries may panic when it is dropped.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    let message = format!("the library panicked: {said}; this is an error in taskmgr");
    last_error::keep(Failure::OfC(TASKMGR_PANIC, message))
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::error::{taskmgr_last_error, taskmgr_last_error_code};
    use crate::failure::invalid;

    fn last_message() -> String {
        // SAFETY: the text lives until this thread's next failure, and is copied before.
        unsafe { CStr::from_ptr(taskmgr_last_error()) }
            .to_string_lossy()
            .into_owned()
    }

    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("and again");
        }
    }

    #[test]
    fn a_panic_becomes_a_code_and_a_message() {
        assert_eq!(code(|| panic!("at {}", 7)), TASKMGR_PANIC);
        assert_eq!(taskmgr_last_error_code(), TASKMGR_PANIC);
        assert!(last_message().contains("at 7"), "{}", last_message());
        assert_eq!(value(5, || panic!("plain")), 5);
        assert!(last_message().contains("plain"), "{}", last_message());
        assert_eq!(code(|| std::panic::panic_any(Bomb)), TASKMGR_PANIC);
        assert!(last_message().contains("no message"), "{}", last_message());
    }

    #[test]
    fn a_failure_is_kept_and_a_success_leaves_it() {
        assert_eq!(code(|| Err(invalid("no such thing"))), 1);
        assert_eq!(code(|| Ok(())), TASKMGR_OK);
        assert_eq!(last_message(), "no such thing");
    }
}
