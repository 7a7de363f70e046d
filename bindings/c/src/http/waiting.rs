//! A wait that is parked until its task has ended.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use taskmgr_http::Waiting;

use super::process::Process;
use super::response::taskmgr_http_response;
use crate::callback::{UserData, plain, taskmgr_callback, taskmgr_destroy};
use crate::code::taskmgr_code;
use crate::failure::{Failure, invalid};
use crate::guard;
use crate::handle::{Place, get};
use crate::time::{TASKMGR_FOREVER, millis};

/// A request that waits for a task which has not ended; it costs no thread. Since 0.1.0.
pub struct taskmgr_http_waiting {
    waiting: Mutex<Option<Waiting>>,
    made_by: Process,
}

impl taskmgr_http_waiting {
    pub(crate) fn new(waiting: Waiting) -> Self {
        Self {
            waiting: Mutex::new(Some(waiting)),
            made_by: Process::this(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answered() -> Failure {
    invalid("the wait was answered before; free it")
}

/// For how long, in milliseconds, the client still wants to wait; `TASKMGR_FOREVER` for as long
/// as it takes. When that has passed, call `taskmgr_http_waiting_respond`.
///
/// Threads: any. Errors: 0, and the last error set, for NULL and once it was answered.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_waiting_time_left(waiting: Option<&taskmgr_http_waiting>) -> u64 {
    guard::value(0, || {
        let waiting = get(waiting, "waiting")?.lock();
        let deadline = waiting.as_ref().ok_or_else(answered)?.deadline();
        Ok(deadline.map_or(TASKMGR_FOREVER, |deadline| {
            millis(deadline.saturating_duration_since(Instant::now()))
        }))
    })
}

/// Whether the task has ended.
///
/// Threads: any. Errors: false, and the last error set, for NULL and once it was answered.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_waiting_is_ready(waiting: Option<&taskmgr_http_waiting>) -> bool {
    guard::value(false, || {
        let waiting = get(waiting, "waiting")?.lock();
        Ok(waiting.as_ref().ok_or_else(answered)?.is_ready())
    })
}

/// Calls `callback` once when the task has ended, on the thread that ends it, or at once if it
/// has. It must not block, and not use this wait: it tells the host's event loop to. A second
/// call replaces the first.
///
/// The user data is the library's from here on, also after an error.
/// Threads: any; the callback runs on any. Errors: INVALID_ARGUMENT once it was answered.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_waiting_on_ready(
    waiting: Option<&taskmgr_http_waiting>,
    callback: taskmgr_callback,
    user_data: *mut c_void,
    destroy: taskmgr_destroy,
) -> taskmgr_code {
    guard::code(|| {
        let user_data = UserData::new(user_data, destroy);
        let run = plain(callback, user_data)?;
        let handle = get(waiting, "waiting")?;
        handle.made_by.check()?;
        handle.lock().as_ref().ok_or_else(answered)?.on_ready(run);
        Ok(())
    })
}

/// The response: the final status, or a 408 if the task has not ended by now.
///
/// The wait is over with that, and its handle stays, to be freed. `*response` is the caller's,
/// to be freed with `taskmgr_http_response_free`; NULL after an error.
/// Threads: any. Errors: INVALID_ARGUMENT once it was answered. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_waiting_respond(
    waiting: Option<&taskmgr_http_waiting>,
    response: Option<&mut MaybeUninit<*mut taskmgr_http_response>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(response, "response")?;
        let handle = get(waiting, "waiting")?;
        handle.made_by.check()?;
        // Taken out of the lock first: it waits for a callback that is under way.
        let waiting = handle.lock().take();
        let response = waiting.ok_or_else(answered)?.into_response();
        place.give(taskmgr_http_response::new(&response));
        Ok(())
    })
}

/// Frees a wait, answered or not: a client that has hung up needs no answer.
///
/// Takes `waiting`; NULL is nothing. Threads: any, once no other call uses this handle.
/// Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_waiting_free(waiting: Option<Box<taskmgr_http_waiting>>) {
    guard::value((), || {
        drop(waiting);
        Ok(())
    });
}
