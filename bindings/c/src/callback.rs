//! Callbacks of the host, their user data, and the guards that keep them registered.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use taskmgr::{AbortGuard, DoneGuard, Error, Status};

use crate::code::{TASKMGR_OK, taskmgr_code};
use crate::failure::{Failure, null};
use crate::guard;
use crate::handle::Place;
use crate::last_error::keep;
use crate::status::taskmgr_status;

/// A function of the host. It must not throw or jump out. In it no call may block: what would
/// returns `TASKMGR_WOULD_DEADLOCK`. Since 0.1.0.
pub type taskmgr_callback = Option<extern "C" fn(user_data: *mut c_void)>;

/// Destroys the user data of a callback: called exactly once, when the callback has run or
/// will not run any more, also when the call that was to register it fails. Since 0.1.0.
pub type taskmgr_destroy = Option<extern "C" fn(user_data: *mut c_void)>;

/// A function of the host that is told how a task has ended. `code` is `TASKMGR_OK` with the
/// final status, which is borrowed for the call (`taskmgr_status_clone` keeps one); any other
/// with a null `status` and the thread's last error set. The rules of `taskmgr_callback` hold.
/// Since 0.1.0.
pub type taskmgr_done_callback = Option<
    extern "C" fn(user_data: *mut c_void, code: taskmgr_code, status: Option<&taskmgr_status>),
>;

/// What the host gave with a callback; destroyed exactly once, whatever becomes of the call.
pub(crate) struct UserData {
    data: *mut c_void,
    destroy: taskmgr_destroy,
}

// SAFETY: whoever registers a callback promises that its functions may be called with its data
// on any thread: the header says on which they are.
unsafe impl Send for UserData {}
// SAFETY: as above; providers and routes, which several threads share, are documented so.
unsafe impl Sync for UserData {}

impl UserData {
    pub(crate) fn new(data: *mut c_void, destroy: taskmgr_destroy) -> Self {
        Self { data, destroy }
    }

    /// By a method, so that a closure that uses it holds all of it and not just the pointer.
    pub(crate) fn get(&self) -> *mut c_void {
        self.data
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            destroy(self.data);
        }
    }
}

/// A callback without further arguments, ready to be run once.
pub(crate) fn plain(
    callback: taskmgr_callback,
    user_data: UserData,
) -> Result<impl FnOnce() + Send + 'static, Failure> {
    let callback = callback.ok_or_else(|| null("the callback"))?;
    Ok(move || callback(user_data.get()))
}

/// A completion callback, ready to be run once.
pub(crate) fn done(
    callback: taskmgr_done_callback,
    user_data: UserData,
) -> Result<impl FnOnce(Result<Status, Error>) + Send + 'static, Failure> {
    let callback = callback.ok_or_else(|| null("the callback"))?;
    Ok(move |ended: Result<Status, Error>| match ended {
        Ok(status) => {
            let status = taskmgr_status::one(status);
            callback(user_data.get(), TASKMGR_OK, Some(&status));
        }
        Err(error) => callback(user_data.get(), keep(error.into()), None),
    })
}

/// Keeps an abort callback registered. Since 0.1.0.
pub struct taskmgr_abort_guard(AbortGuard);

/// Keeps a completion callback registered. Since 0.1.0.
pub struct taskmgr_done_guard(DoneGuard);

/// Without a place for it the guard's callback stays for as long as it can.
pub(crate) fn give_abort_guard(guard: AbortGuard, place: Option<Place<'_, taskmgr_abort_guard>>) {
    match place {
        Some(place) => place.give(taskmgr_abort_guard(guard)),
        None => guard.forget(),
    }
}

pub(crate) fn give_done_guard(guard: DoneGuard, place: Option<Place<'_, taskmgr_done_guard>>) {
    match place {
        Some(place) => place.give(taskmgr_done_guard(guard)),
        None => guard.forget(),
    }
}

/// Unregisters an abort callback and frees its guard. Waits for a callback that is running on
/// another thread; not for its own, and not inside another callback.
///
/// Takes `guard`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_abort_guard_free(guard: Option<Box<taskmgr_abort_guard>>) {
    guard::value((), || {
        drop(guard);
        Ok(())
    });
}

/// Frees an abort callback's guard and leaves the callback registered until the task ends.
///
/// Takes `guard`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_abort_guard_forget(guard: Option<Box<taskmgr_abort_guard>>) {
    guard::value((), || {
        if let Some(guard) = guard {
            guard.0.forget();
        }
        Ok(())
    });
}

/// Unregisters a completion callback and frees its guard. Waits for a callback that is running
/// on another thread; not for its own, and not inside another callback.
///
/// Takes `guard`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_done_guard_free(guard: Option<Box<taskmgr_done_guard>>) {
    guard::value((), || {
        drop(guard);
        Ok(())
    });
}

/// Frees a completion callback's guard and leaves the callback registered until it has run.
///
/// Takes `guard`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_done_guard_forget(guard: Option<Box<taskmgr_done_guard>>) {
    guard::value((), || {
        if let Some(guard) = guard {
            guard.0.forget();
        }
        Ok(())
    });
}

/// Runs `work` at once on this thread as if inside a callback: calls that would block return
/// `TASKMGR_WOULD_DEADLOCK` in it. For threads that serve many, such as an event loop.
///
/// `user_data` stays the caller's. Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_nonblocking(
    work: taskmgr_callback,
    user_data: *mut c_void,
) -> taskmgr_code {
    guard::code(|| {
        let work = work.ok_or_else(|| null("work"))?;
        taskmgr::nonblocking(|| work(user_data));
        Ok(())
    })
}

/// What `on_abort` of every handle does: the user data is taken before anything can fail.
pub(crate) fn register_abort(
    callback: taskmgr_callback,
    user_data: UserData,
    guard: Option<&mut MaybeUninit<*mut taskmgr_abort_guard>>,
    register: impl FnOnce(Box<dyn FnOnce() + Send>) -> Result<AbortGuard, Failure>,
) -> Result<(), Failure> {
    let place = Place::optional(guard);
    let guard = register(Box::new(plain(callback, user_data)?))?;
    give_abort_guard(guard, place);
    Ok(())
}

/// What `on_done` of every handle does.
pub(crate) fn register_done(
    callback: taskmgr_done_callback,
    user_data: UserData,
    guard: Option<&mut MaybeUninit<*mut taskmgr_done_guard>>,
    register: impl FnOnce(BoxedDone) -> Result<DoneGuard, Failure>,
) -> Result<(), Failure> {
    let place = Place::optional(guard);
    let guard = register(Box::new(done(callback, user_data)?))?;
    give_done_guard(guard, place);
    Ok(())
}

type BoxedDone = Box<dyn FnOnce(Result<Status, Error>) + Send>;
