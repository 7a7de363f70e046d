//! What an owner of a task does.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use taskmgr::SharedTask;

use crate::callback::{
    UserData, register_abort, taskmgr_abort_guard, taskmgr_callback, taskmgr_destroy,
};
use crate::code::taskmgr_code;
use crate::guard;
use crate::handle::{self, Place, get};
use crate::id::taskmgr_id;
use crate::module::taskmgr_module;
use crate::observer::taskmgr_observer;
use crate::owner::{kept, owner, taskmgr_task};
use crate::reporter::taskmgr_reporter;
use crate::status::taskmgr_status;
use crate::task_spec::{self, taskmgr_task_spec};
use crate::text::taskmgr_str;

/// Makes a task of a module and starts it. The spec may name a parent.
///
/// `*task` is the caller's, to be ended and then freed with `taskmgr_task_free`; NULL after an
/// error. Threads: any. Errors: INVALID_ARGUMENT for a name or an id that cannot be, ID_IN_USE,
/// NOT_FOUND or GONE for the parent's id, PARENT_TERMINAL, ABORTED under a parent that was told
/// to abort, PROVIDER, EXHAUSTED, CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_task_start(
    module: Option<&taskmgr_module>,
    spec: *const taskmgr_task_spec<'_>,
    task: Option<&mut MaybeUninit<*mut taskmgr_task>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(task, "task")?;
        let module = get(module, "module")?;
        // SAFETY: the C program promises that the spec is as large as it says.
        let spec = unsafe { task_spec::in_module(&module.module, spec) }?;
        taskmgr_task::give(place, spec.start()?);
        Ok(())
    })
}

/// Makes a task of a module in the state `created`; `taskmgr_task_start_created` starts it.
/// The spec may name a parent.
///
/// `*task` is the caller's, to be freed with `taskmgr_task_free`; NULL after an error.
/// Threads: any. Errors: those of `taskmgr_task_start` but ABORTED. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_task_create(
    module: Option<&taskmgr_module>,
    spec: *const taskmgr_task_spec<'_>,
    task: Option<&mut MaybeUninit<*mut taskmgr_task>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(task, "task")?;
        let module = get(module, "module")?;
        // SAFETY: the C program promises that the spec is as large as it says.
        let spec = unsafe { task_spec::in_module(&module.module, spec) }?;
        taskmgr_task::give(place, spec.create()?);
        Ok(())
    })
}

/// Makes a child of this task and starts it: of its module unless the spec names another, and
/// on its shard unless the spec names one.
///
/// `*child` is the caller's, to be ended and then freed with `taskmgr_task_free`; NULL after an
/// error. It does not need the handle of its parent any more. Threads: any.
/// Errors: INVALID_ARGUMENT for a name or an id that cannot be, ID_IN_USE, PARENT_TERMINAL,
/// ABORTED if the task was told to abort, EXHAUSTED, CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_task_child_start(
    task: Option<&'static taskmgr_task>,
    spec: *const taskmgr_task_spec<'_>,
    child: Option<&mut MaybeUninit<*mut taskmgr_task>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(child, "child")?;
        let parent = owner(task)?;
        // SAFETY: the C program promises that the spec is as large as it says.
        let spec = unsafe { task_spec::under_parent(|type_| parent.child(type_), spec) }?;
        taskmgr_task::give(place, spec.start()?);
        Ok(())
    })
}

/// Makes a child of this task in the state `created`, as `taskmgr_task_child_start` does.
///
/// `*child` is the caller's, to be freed with `taskmgr_task_free`; NULL after an error.
/// Threads: any. Errors: those of `taskmgr_task_child_start` but ABORTED. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_task_child_create(
    task: Option<&'static taskmgr_task>,
    spec: *const taskmgr_task_spec<'_>,
    child: Option<&mut MaybeUninit<*mut taskmgr_task>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(child, "child")?;
        let parent = owner(task)?;
        // SAFETY: the C program promises that the spec is as large as it says.
        let spec = unsafe { task_spec::under_parent(|type_| parent.child(type_), spec) }?;
        taskmgr_task::give(place, spec.create()?);
        Ok(())
    })
}

/// Starts a task that was made by a `_create` function.
///
/// Threads: any; of several that start it one wins. Errors: ALREADY_STARTED, ALREADY_FINISHED,
/// ABORTED if an abort came first: the task has failed then, and its work must not be done.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_start_created(task: Option<&'static taskmgr_task>) -> taskmgr_code {
    guard::code(|| Ok(kept(task)?.start()?))
}

/// Ends the task as done.
///
/// The handle stays, to be freed. Threads: any; of several that end it one wins, and the others
/// return once it has ended; inside a callback at once.
/// Errors: ABORTED if it was told to abort, and NOT_STARTED if it was not started: it has ended
/// as failed; ALREADY_FINISHED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_finish(task: Option<&'static taskmgr_task>) -> taskmgr_code {
    guard::code(|| Ok(owner(task)?.finish()?))
}

/// Ends the task as failed, with this error. One that was told to abort keeps both reasons.
///
/// The handle stays, to be freed. Threads: any; of several that end it one wins, and the others
/// return once it has ended; inside a callback at once.
/// Errors: ALREADY_FINISHED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_fail(
    task: Option<&'static taskmgr_task>,
    error: taskmgr_str<'_>,
) -> taskmgr_code {
    guard::code(|| Ok(owner(task)?.fail(error.get("the error")?)?))
}

/// Counts `n` further units as done: one atomic addition. Amounts are capped at 2^53.
///
/// Threads: any, also several at once. Errors: nothing is counted for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_advance(task: Option<&'static taskmgr_task>, n: u64) {
    guard::value((), || {
        owner(task)?.advance(n);
        Ok(())
    });
}

/// Counts `n` further units as done, and refuses what cannot be.
///
/// Threads: any, also several at once. Errors: INVALID_ARGUMENT above 2^53. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_try_advance(
    task: Option<&'static taskmgr_task>,
    n: u64,
) -> taskmgr_code {
    guard::code(|| Ok(owner(task)?.try_advance(n)?))
}

/// Sets what this owner has counted; never lowers it.
///
/// Threads: any, also several at once. Errors: nothing is set for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_set_completed(task: Option<&'static taskmgr_task>, n: u64) {
    guard::value((), || {
        owner(task)?.set_completed(n);
        Ok(())
    });
}

/// Tells how many units there are. One below what was counted follows it when shown.
///
/// Threads: any, also several at once. Errors: nothing is set for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_set_total(task: Option<&'static taskmgr_task>, total: u64) {
    guard::value((), || {
        owner(task)?.set_total(total);
        Ok(())
    });
}

/// Names the units that the task counts, where that was not known when it was made.
///
/// Once the task has ended this does nothing. Threads: any. Errors: INVALID_ARGUMENT for a name
/// that cannot be, EXHAUSTED in a process that has more combinations of names than it keeps,
/// FORKED. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_set_units(
    task: Option<&'static taskmgr_task>,
    units: taskmgr_str<'_>,
) -> taskmgr_code {
    guard::code(|| Ok(owner(task)?.set_units(units.get("units")?)?))
}

/// Whether the task was told to abort: a few loads, made for the inner loop.
///
/// Threads: any, also several at once. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_abort_requested(task: Option<&'static taskmgr_task>) -> bool {
    guard::value(false, || Ok(owner(task)?.abort_requested()))
}

/// The same as a code to return.
///
/// Threads: any, also several at once. Errors: ABORTED, and the reason in the message.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_check_abort(task: Option<&'static taskmgr_task>) -> taskmgr_code {
    guard::code(|| Ok(owner(task)?.check_abort()?))
}

/// A place where the task may pause: if it was asked to suspend, this sleeps until it is
/// resumed or aborted. Otherwise it costs a few loads.
///
/// Threads: any, also several at once. Errors: ABORTED; WOULD_DEADLOCK if it would have to
/// sleep in a callback; ALREADY_FINISHED if another thread ended the task. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_checkpoint(task: Option<&'static taskmgr_task>) -> taskmgr_code {
    guard::code(|| Ok(owner(task)?.checkpoint()?))
}

/// Tells the task and all below it to abort; its owner may always do that. The first reason is
/// kept.
///
/// Threads: any, also several at once. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_abort(
    task: Option<&'static taskmgr_task>,
    reason: taskmgr_str<'_>,
) -> taskmgr_code {
    guard::code(|| Ok(kept(task)?.abort(reason.get("the reason")?)?))
}

/// Calls `callback` when the task is told to abort: at most once, on the thread that aborts, or
/// now, if that came first. It is destroyed unrun when the guard is freed, or the task ends.
/// Freeing the guard, and ending the task, wait for a callback that is running on another
/// thread; not for their own, and not inside another callback.
///
/// The user data is the library's from here on, also after an error. `*guard` is the caller's,
/// to be given to `taskmgr_abort_guard_free` or `_forget`; NULL after an error. `guard` may be
/// NULL: the callback then stays until the task ends.
/// Threads: any; the callback runs on any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_on_abort(
    task: Option<&'static taskmgr_task>,
    callback: taskmgr_callback,
    user_data: *mut c_void,
    destroy: taskmgr_destroy,
    guard: Option<&mut MaybeUninit<*mut taskmgr_abort_guard>>,
) -> taskmgr_code {
    guard::code(|| {
        let user_data = UserData::new(user_data, destroy);
        register_abort(callback, user_data, guard, |run| {
            Ok(kept(task)?.on_abort(run)?)
        })
    })
}

/// The task's id.
///
/// Threads: any. Errors: the nil id for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_id(task: Option<&'static taskmgr_task>) -> taskmgr_id {
    guard::value(taskmgr_id::NIL, || Ok(owner(task)?.id().into()))
}

/// How the task is.
///
/// `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_status(
    task: Option<&'static taskmgr_task>,
    status: Option<&mut MaybeUninit<*mut taskmgr_status>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(status, "status")?;
        place.give(taskmgr_status::one(owner(task)?.status()?));
        Ok(())
    })
}

/// Makes a handle that can look, wait and ask for an abort.
///
/// `*observer` is the caller's, to be freed with `taskmgr_observer_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_observe(
    task: Option<&'static taskmgr_task>,
    observer: Option<&mut MaybeUninit<*mut taskmgr_observer>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(observer, "observer")?;
        place.give(taskmgr_observer::of(owner(task)?.observe())?);
        Ok(())
    })
}

/// Makes one more handle of the task for another worker; it counts in a cell of its own.
///
/// `*reporter` is the caller's, to be freed with `taskmgr_reporter_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_reporter(
    task: Option<&'static taskmgr_task>,
    reporter: Option<&mut MaybeUninit<*mut taskmgr_reporter>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(reporter, "reporter")?;
        let task = owner(task)?;
        place.give(taskmgr_reporter::of(&task.observe(), || task.reporter())?);
        Ok(())
    })
}

/// Makes one more handle of the same owner: the task fails when the last is freed unfinished.
///
/// `*copy` is the caller's, to be freed with `taskmgr_task_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_task_clone(
    task: Option<&'static taskmgr_task>,
    copy: Option<&mut MaybeUninit<*mut taskmgr_task>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(copy, "copy")?;
        let task = owner(task)?;
        place.lend(taskmgr_task::of(SharedTask::clone(&task)));
        Ok(())
    })
}

/// Frees an owner. A task that has not ended fails with it, if this was its last owner: "dropped
/// before it finished".
///
/// Takes `task`; NULL is nothing. Threads: any, once no other call uses this handle; a callback
/// that such a call runs may. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_task_free(task: *mut taskmgr_task) {
    guard::value((), || {
        // SAFETY: the C program promises that it is a handle that was given to it.
        drop(unsafe { handle::returned(task) }.map(|task| unsafe { task.handle() }));
        Ok(())
    });
}
