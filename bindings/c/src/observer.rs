//! Who looks, waits and asks for an abort.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use taskmgr::{Observer, Status};

use crate::callback::{
    UserData, register_done, taskmgr_destroy, taskmgr_done_callback, taskmgr_done_guard,
};
use crate::code::taskmgr_code;
use crate::failure::Failure;
use crate::guard;
use crate::handle::{Kept, Place, ValuePlace, get};
use crate::id::taskmgr_id;
use crate::status::{taskmgr_status, taskmgr_status_list};
use crate::text::taskmgr_str;
use crate::time::{TASKMGR_FOREVER, duration};

/// Looks at a task, waits for it and asks for its abort. Its task stays readable for as long
/// as it is held, also after the task was unregistered and the manager freed. Since 0.1.0.
pub struct taskmgr_observer(Kept<Observer>);

impl taskmgr_observer {
    pub(crate) fn new(observer: Observer) -> Self {
        Self(Kept::new(observer))
    }

    /// In a forked child this is refused, like whatever could be asked of it.
    pub(crate) fn of(observer: Observer) -> Result<Self, Failure> {
        observer.is_terminal()?;
        Ok(Self::new(observer))
    }

    pub(crate) fn as_parent(&self) -> &Observer {
        &self.0
    }
}

fn looker(observer: Option<&taskmgr_observer>) -> Result<&Observer, Failure> {
    get(observer, "observer").map(|observer| &*observer.0)
}

/// A copy, for calls that may run callbacks: one of those may free the handle.
fn kept(observer: Option<&taskmgr_observer>) -> Result<Observer, Failure> {
    get(observer, "observer").map(|observer| observer.0.keep())
}

/// Waits as long as C says, and gives the final status to whoever wants it.
pub(crate) fn wait(
    observer: &Observer,
    timeout_ms: u64,
    place: Option<Place<'_, taskmgr_status>>,
) -> Result<(), Failure> {
    let status: Status = match timeout_ms {
        TASKMGR_FOREVER => observer.wait()?,
        timeout => observer.wait_timeout(duration(timeout))?,
    };
    if let Some(place) = place {
        place.give(taskmgr_status::one(status));
    }
    Ok(())
}

/// The task's id.
///
/// Threads: any. Errors: the nil id for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_id(observer: Option<&taskmgr_observer>) -> taskmgr_id {
    guard::value(taskmgr_id::NIL, || Ok(looker(observer)?.id().into()))
}

/// How the task is. This only looks: nothing is unregistered.
///
/// `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
/// Threads: any. Errors: for a virtual task what its provider answers, and PROVIDER if it does
/// not; WOULD_DEADLOCK for a virtual task in a callback. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_status(
    observer: Option<&taskmgr_observer>,
    status: Option<&mut MaybeUninit<*mut taskmgr_status>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(status, "status")?;
        place.give(taskmgr_status::one(looker(observer)?.status()?));
        Ok(())
    })
}

/// The statuses of the task and all its descendants, breadth-first, siblings in order of
/// creation.
///
/// `*tree` is the caller's, to be freed with `taskmgr_status_list_free`; NULL after an error.
/// Threads: any. Errors: those of `taskmgr_observer_status`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_status_tree(
    observer: Option<&taskmgr_observer>,
    tree: Option<&mut MaybeUninit<*mut taskmgr_status_list>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(tree, "tree")?;
        place.give(taskmgr_status_list::new(looker(observer)?.status_tree()?));
        Ok(())
    })
}

/// Whether the task has ended: one load for a regular task, a question to the provider for a
/// virtual one.
///
/// `*is_terminal` is a plain value; false after an error. Threads: any. Errors: those of
/// `taskmgr_observer_status`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_is_terminal(
    observer: Option<&taskmgr_observer>,
    is_terminal: Option<&mut MaybeUninit<bool>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = ValuePlace::new(is_terminal, false, "is_terminal")?;
        place.give(looker(observer)?.is_terminal()?);
        Ok(())
    })
}

/// Sleeps until the task has ended, for no longer than this: 0 asks without blocking,
/// `TASKMGR_FOREVER` waits without end. A task that ends before its children has ended all the
/// same.
///
/// `*status`, the final one, is the caller's, to be freed with `taskmgr_status_free`; NULL
/// after an error. `status` may be NULL. Threads: any. Errors: TIMEOUT; WOULD_DEADLOCK in a
/// callback or a provider; CLOSED if the manager was closed and the task did not end in time;
/// for a virtual task what its provider answers. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_wait(
    observer: Option<&taskmgr_observer>,
    timeout_ms: u64,
    status: Option<&mut MaybeUninit<*mut taskmgr_status>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::optional(status);
        wait(looker(observer)?, timeout_ms, place)
    })
}

/// Tells the task and all below it to abort. Its owner ends it when it notices. The first
/// reason is kept; aborting twice, or what has ended, is no error.
///
/// Threads: any. Errors: NOT_ABORTABLE for a task that is not marked so; for a virtual task
/// what its provider answers. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_abort(
    observer: Option<&taskmgr_observer>,
    reason: taskmgr_str<'_>,
) -> taskmgr_code {
    guard::code(|| Ok(kept(observer)?.abort(reason.get("the reason")?)?))
}

/// Asks the owner to sleep at its next checkpoint. Its children go on.
///
/// Threads: any. Errors: NOT_SUPPORTED for a virtual task. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_suspend(observer: Option<&taskmgr_observer>) -> taskmgr_code {
    guard::code(|| Ok(looker(observer)?.suspend()?))
}

/// Takes `taskmgr_observer_suspend` back, and wakes the owner.
///
/// Threads: any. Errors: NOT_SUPPORTED for a virtual task. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_resume(observer: Option<&taskmgr_observer>) -> taskmgr_code {
    guard::code(|| Ok(looker(observer)?.resume()?))
}

/// Calls `callback` once with the final status when the task has ended, on the thread that
/// ends it, or now, if it has. It is destroyed unrun when the guard is freed first. If the
/// manager is closed and the task does not end in time, it gets CLOSED.
/// Freeing the guard waits for a callback that is running on another thread; not for its own,
/// and not inside another callback.
///
/// The user data is the library's from here on, also after an error. `*guard` is the caller's,
/// to be given to `taskmgr_done_guard_free` or `_forget`; NULL after an error. `guard` may be
/// NULL: the callback then stays until it has run.
/// Threads: any; the callback runs on any. Errors: for a virtual task what its provider
/// answers, and WOULD_DEADLOCK in a callback. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_on_done(
    observer: Option<&taskmgr_observer>,
    callback: taskmgr_done_callback,
    user_data: *mut c_void,
    destroy: taskmgr_destroy,
    guard: Option<&mut MaybeUninit<*mut taskmgr_done_guard>>,
) -> taskmgr_code {
    guard::code(|| {
        let user_data = UserData::new(user_data, destroy);
        register_done(callback, user_data, guard, |run| {
            Ok(kept(observer)?.on_done(run)?)
        })
    })
}

/// Makes one more observer of the same task.
///
/// `*copy` is the caller's, to be freed with `taskmgr_observer_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_clone(
    observer: Option<&taskmgr_observer>,
    copy: Option<&mut MaybeUninit<*mut taskmgr_observer>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(copy, "copy")?;
        place.give(taskmgr_observer::new(kept(observer)?));
        Ok(())
    })
}

/// Frees an observer; its task does not notice.
///
/// Takes `observer`; NULL is nothing. Threads: any, once no other call uses this handle; a
/// callback that such a call runs may. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_observer_free(observer: Option<Box<taskmgr_observer>>) {
    guard::value((), || {
        drop(observer);
        Ok(())
    });
}
