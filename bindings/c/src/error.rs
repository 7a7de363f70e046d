//! The last error of each thread.

use std::cell::RefCell;

use taskmgr::{BoxError, Error, ErrorCode};

use crate::code::{TASKMGR_OK, TASKMGR_PANIC, core_code, taskmgr_code};
use crate::guard;
use crate::id::taskmgr_id;
use crate::state::{gone_reason, state, taskmgr_gone_reason, taskmgr_state};
use crate::text::taskmgr_str;
use crate::texts::{Span, Texts};

/// Why a call has failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Core(Error),
    /// With a code that the core does not have.
    OfC(taskmgr_code, String),
}

impl Failure {
    pub(crate) fn code(&self) -> taskmgr_code {
        match self {
            Self::Core(error) => error.code() as taskmgr_code,
            Self::OfC(code, _) => *code,
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::Core(error) => error.to_string(),
            Self::OfC(_, message) => message.clone(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

#[cold]
pub(crate) fn invalid(message: impl Into<String>) -> Failure {
    Failure::Core(Error::new(ErrorCode::InvalidArgument, message))
}

/// Out of the way of calls that have but a few instructions to do.
#[cold]
#[inline(never)]
pub(crate) fn null(what: &str) -> Failure {
    invalid(format!("{what} is a null pointer; it must not be"))
}

struct Last {
    failure: Failure,
    texts: Texts,
    message: Span,
}

thread_local! {
    static LAST: RefCell<Option<Box<Last>>> = const { RefCell::new(None) };
}

/// Keeps a failure as this thread's last; returns its code.
#[cold]
pub(crate) fn keep(failure: Failure) -> taskmgr_code {
    let code = failure.code();
    // C reads up to a NUL, which a text of the host's may have.
    let (texts, message) = Texts::one(&failure.message().replace('\0', "\\0"));
    let last = Box::new(Last {
        failure,
        texts,
        message,
    });
    // At the end of a thread there is nowhere to keep it any more; the code says enough.
    let _ = LAST.try_with(|place| place.replace(Some(last)));
    code
}

fn with_last<T>(read: impl FnOnce(&Last) -> T) -> Option<T> {
    LAST.try_with(|last| last.borrow().as_deref().map(read))
        .ok()
        .flatten()
}

/// The message of the last call that failed on this thread; "" if none has. It says what was
/// asked, what was found and what to do. A NUL in a text of the host's is shown as `\0`.
///
/// The text is of the library, and lives until the next call on this thread fails, or
/// `taskmgr_clear_error`; a call that does not fail leaves it. A callback that runs on this
/// thread may change it. Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_last_error() -> *const std::ffi::c_char {
    guard::value(taskmgr_str::EMPTY.as_ptr(), || {
        // The text stays where it is until this thread keeps another failure.
        let text = with_last(|last| last.texts.get(last.message).as_ptr());
        Ok(text.unwrap_or(taskmgr_str::EMPTY.as_ptr()))
    })
}

/// The code of the last call that failed on this thread; `TASKMGR_OK` if none has.
///
/// Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_last_error_code() -> taskmgr_code {
    guard::value(TASKMGR_PANIC, || {
        Ok(with_last(|last| last.failure.code()).unwrap_or(TASKMGR_OK))
    })
}

/// The task that this thread's last error is about; the nil id if it is about none.
///
/// Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_last_error_id() -> taskmgr_id {
    guard::value(taskmgr_id::NIL, || {
        let id = core_error(Error::id);
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
        Ok(core_error(Error::gone).map_or(0, |(reason, _)| gone_reason(reason)))
    })
}

/// How the task had ended that is gone and that this thread's last error is about; 0 if that
/// was another error than `TASKMGR_GONE`.
///
/// Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_last_error_final_state() -> taskmgr_state {
    guard::value(0, || {
        Ok(core_error(Error::gone).map_or(0, |(_, ended_as)| state(ended_as)))
    })
}

fn core_error<T>(read: impl FnOnce(&Error) -> Option<T>) -> Option<T> {
    with_last(|last| match &last.failure {
        Failure::Core(error) => read(error),
        Failure::OfC(..) => None,
    })
    .flatten()
}

/// Forgets the last error of this thread.
///
/// Threads: any; each has its own. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_clear_error() {
    guard::value((), || {
        let _ = LAST.try_with(|place| place.replace(None));
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
    guard::code(|| Err(given(code, message)?.into()))
}

/// The error of a code and a message from C.
pub(crate) fn given(code: taskmgr_code, message: taskmgr_str<'_>) -> Result<Error, Failure> {
    let message = message.get("the message")?;
    let core = core_code(code).ok_or_else(|| {
        invalid(format!(
            "{code} is no code of an error that a provider can have; give e.g. TASKMGR_PROVIDER"
        ))
    })?;
    Ok(match message {
        "" => Error::new(core, format!("{} (no message was given)", core.as_str())),
        message => Error::new(core, message),
    })
}

/// Calls a function of the host that answers with a code, and gets the message that it set.
pub(crate) fn of_host(call: impl FnOnce() -> taskmgr_code) -> Result<(), BoxError> {
    // What failed earlier on this thread is not why this call fails.
    let _ = LAST.try_with(|place| place.replace(None));
    let code = call();
    if code == TASKMGR_OK {
        return Ok(());
    }
    let said = core_error(|error| (error.code() as taskmgr_code == code).then(|| error.clone()));
    Err(match (said, core_code(code)) {
        (Some(error), _) => error.into(),
        (None, Some(core)) => {
            let name = core.as_str();
            Error::new(
                core,
                format!("the provider returned {name} and set no error"),
            )
            .into()
        }
        (None, None) => format!("it returned the code {code}").into(),
    })
}
