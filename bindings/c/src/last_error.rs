//! The last error of each thread: how it is kept, and what is asked of it.

use std::cell::RefCell;
use std::ffi::c_char;

use taskmgr::{BoxError, Error};

use crate::code::{TASKMGR_OK, core_code, taskmgr_code};
use crate::failure::{Failure, invalid};
use crate::text::taskmgr_str;
use crate::texts::{Span, Texts};

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

/// Looks at the last one, if there is one.
fn with_last<T>(read: impl FnOnce(&Last) -> T) -> Option<T> {
    LAST.try_with(|last| last.borrow().as_deref().map(read))
        .ok()
        .flatten()
}

/// The message of the last one. It stays where it is until this thread keeps another failure.
pub(crate) fn message() -> Option<*const c_char> {
    with_last(|last| last.texts.get(last.message).as_ptr())
}

pub(crate) fn code() -> Option<taskmgr_code> {
    with_last(|last| last.failure.code())
}

/// What the last one says if it is an error of the core.
pub(crate) fn core_error<T>(read: impl FnOnce(&Error) -> Option<T>) -> Option<T> {
    with_last(|last| match &last.failure {
        Failure::Core(error) => read(error),
        Failure::OfC(..) => None,
    })
    .flatten()
}

pub(crate) fn clear() {
    let _ = LAST.try_with(|place| place.replace(None));
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
    clear();
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
