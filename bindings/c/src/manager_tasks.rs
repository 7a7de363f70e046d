//! What a manager is asked about a task by its id.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::callback::{
    UserData, register_done, taskmgr_destroy, taskmgr_done_callback, taskmgr_done_guard,
};
use crate::code::taskmgr_code;
use crate::guard;
use crate::handle::Place;
use crate::id::taskmgr_id;
use crate::manager::{kept, node_manager, taskmgr_manager};
use crate::observer::{taskmgr_observer, wait};
use crate::status::{taskmgr_status, taskmgr_status_list};
use crate::text::taskmgr_str;
use crate::time::{TASKMGR_FOREVER, duration};

/// An observer of the task of this id, regular or virtual.
///
/// `*observer` is the caller's, to be freed with `taskmgr_observer_free`; NULL after an error.
/// Threads: any. Errors: NOT_FOUND; GONE if it was there, with the reason and the final state
/// to be asked of the last error; PROVIDER if no regular task has the id and a provider could
/// not say; WOULD_DEADLOCK if one would have to be asked in a callback; CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_observe(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
    observer: Option<&mut MaybeUninit<*mut taskmgr_observer>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(observer, "observer")?;
        let found = node_manager(manager)?.observe(id.uuid())?;
        place.give(taskmgr_observer::new(found));
        Ok(())
    })
}

/// How the task is. This only looks.
///
/// `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
/// Threads: any. Errors: those of `taskmgr_manager_observe`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_status(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
    status: Option<&mut MaybeUninit<*mut taskmgr_status>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(status, "status")?;
        let status = node_manager(manager)?.status(id.uuid())?;
        place.give(taskmgr_status::one(status));
        Ok(())
    })
}

/// How the settled root has ended; it is unregistered with that.
///
/// `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
/// Threads: any. Errors: NOT_SETTLED if it or a
/// descendant is at work, NOT_SUPPORTED for a virtual task, and those of `taskmgr_manager_observe`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_take_status(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
    status: Option<&mut MaybeUninit<*mut taskmgr_status>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(status, "status")?;
        let status = node_manager(manager)?.take_status(id.uuid())?;
        place.give(taskmgr_status::one(status));
        Ok(())
    })
}

/// What the REST API answers: the status, and a settled root is unregistered with that unless
/// the manager was made with `keep_on_read`.
///
/// `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
/// Threads: any. Errors: those of `taskmgr_manager_observe`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_read_status(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
    status: Option<&mut MaybeUninit<*mut taskmgr_status>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(status, "status")?;
        let status = node_manager(manager)?.read_status(id.uuid())?;
        place.give(taskmgr_status::one(status));
        Ok(())
    })
}

/// The statuses of the task and all its descendants, breadth-first.
///
/// `*tree` is the caller's, to be freed with `taskmgr_status_list_free`; NULL after an error.
/// Threads: any. Errors: those of `taskmgr_manager_observe`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_status_tree(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
    tree: Option<&mut MaybeUninit<*mut taskmgr_status_list>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(tree, "tree")?;
        let all = node_manager(manager)?.status_tree(id.uuid())?;
        place.give(taskmgr_status_list::new(all));
        Ok(())
    })
}

/// The statuses of a settled root and all its descendants; it is unregistered with that.
///
/// `*tree` is the caller's, to be freed with `taskmgr_status_list_free`; NULL after an error.
/// Threads: any. Errors: those of `taskmgr_manager_take_status`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_take_status_tree(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
    tree: Option<&mut MaybeUninit<*mut taskmgr_status_list>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(tree, "tree")?;
        let all = node_manager(manager)?.take_status_tree(id.uuid())?;
        place.give(taskmgr_status_list::new(all));
        Ok(())
    })
}

/// What the REST API answers for a whole tree: as `taskmgr_manager_read_status`.
///
/// `*tree` is the caller's, to be freed with `taskmgr_status_list_free`; NULL after an error.
/// Threads: any. Errors: those of `taskmgr_manager_observe`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_read_status_tree(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
    tree: Option<&mut MaybeUninit<*mut taskmgr_status_list>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(tree, "tree")?;
        let all = node_manager(manager)?.read_status_tree(id.uuid())?;
        place.give(taskmgr_status_list::new(all));
        Ok(())
    })
}

/// Tells the task and all below it to abort, as `taskmgr_observer_abort` does.
///
/// Threads: any. Errors: NOT_ABORTABLE, and those of `taskmgr_manager_observe`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_abort(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
    reason: taskmgr_str<'_>,
) -> taskmgr_code {
    guard::code(|| {
        let reason = reason.get("the reason")?;
        Ok(kept(manager)?.abort(id.uuid(), reason)?)
    })
}

/// Asks the task's owner to sleep at its next checkpoint.
///
/// Threads: any. Errors: NOT_SUPPORTED for a virtual task, and those of
/// `taskmgr_manager_observe`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_suspend(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
) -> taskmgr_code {
    guard::code(|| Ok(node_manager(manager)?.suspend(id.uuid())?))
}

/// Takes `taskmgr_manager_suspend` back, and wakes the owner.
///
/// Threads: any. Errors: those of `taskmgr_manager_suspend`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_resume(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
) -> taskmgr_code {
    guard::code(|| Ok(node_manager(manager)?.resume(id.uuid())?))
}

/// Sleeps until the task has ended, as `taskmgr_observer_wait` does.
///
/// `*status`, the final one, is the caller's, to be freed with `taskmgr_status_free`; NULL
/// after an error. `status` may be NULL. Threads: any. Errors: those of
/// `taskmgr_manager_observe` and of `taskmgr_observer_wait`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_wait(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
    timeout_ms: u64,
    status: Option<&mut MaybeUninit<*mut taskmgr_status>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::optional(status);
        let (manager, id) = (node_manager(manager)?, id.uuid());
        let observer = match timeout_ms {
            TASKMGR_FOREVER => manager.observe(id)?,
            timeout => manager.observe_within(id, duration(timeout))?,
        };
        wait(&observer, timeout_ms, place)
    })
}

/// Calls `callback` once with the final status when the task has ended, as
/// `taskmgr_observer_on_done` does.
///
/// The user data is the library's from here on, also after an error. `*guard` is the caller's,
/// to be given to `taskmgr_done_guard_free` or `_forget`; NULL after an error. `guard` may be
/// NULL: the callback then stays until it has run.
/// Threads: any; the callback runs on any. Errors: those of `taskmgr_manager_observe` and of
/// `taskmgr_observer_on_done`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_manager_on_done(
    manager: Option<&taskmgr_manager>,
    id: taskmgr_id,
    callback: taskmgr_done_callback,
    user_data: *mut c_void,
    destroy: taskmgr_destroy,
    guard: Option<&mut MaybeUninit<*mut taskmgr_done_guard>>,
) -> taskmgr_code {
    guard::code(|| {
        let user_data = UserData::new(user_data, destroy);
        register_done(callback, user_data, guard, |run| {
            Ok(kept(manager)?.on_done(id.uuid(), run)?)
        })
    })
}
