//! A further handle of a task, for another worker.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use taskmgr::{Observer, Reporter};

use crate::callback::{
    UserData, register_abort, taskmgr_abort_guard, taskmgr_callback, taskmgr_destroy,
};
use crate::code::taskmgr_code;
use crate::failure::Failure;
use crate::guard;
use crate::handle::{Kept, Place, get};
use crate::id::taskmgr_id;
use crate::observer::taskmgr_observer;
use crate::owner::taskmgr_task;
use crate::status::taskmgr_status;
use crate::task_spec::{self, taskmgr_task_spec};
use crate::text::taskmgr_str;

/// One more handle of a task, for one further worker: it counts in a cell of its own, by a load
/// and a store, and the task's `completed` is the sum over all. It can make children and look
/// for an abort, but not end the task. One thread at a time counts with it: of two that do at
/// once, counts get lost, and nothing worse. Since 0.1.0.
pub struct taskmgr_reporter(Kept<Reporter>);

// A `Reporter` is not `Sync` since two threads that count with one lose counts. All that it has is
// atomic, so that a C program which lets two of them does no other harm.

impl taskmgr_reporter {
    /// In a forked child nobody would ever see what it counts.
    pub(crate) fn of(
        observer: &Observer,
        reporter: impl FnOnce() -> Reporter,
    ) -> Result<Self, Failure> {
        observer.is_terminal()?;
        Ok(Self(Kept::new(reporter())))
    }

    fn again(reporter: &Reporter) -> Result<Self, Failure> {
        Self::of(&reporter.observe(), || reporter.clone())
    }
}

#[inline]
fn worker(reporter: Option<&taskmgr_reporter>) -> Result<&Reporter, Failure> {
    get(reporter, "reporter").map(|reporter| &*reporter.0)
}

/// A copy, for calls that may run callbacks: one of those may free the handle.
fn kept(reporter: Option<&taskmgr_reporter>) -> Result<Kept<Reporter>, Failure> {
    taskmgr_reporter::again(worker(reporter)?).map(|copy| copy.0)
}

/// Makes a child of the reporter's task and starts it, as `taskmgr_task_child_start` does.
///
/// `*child` is the caller's, to be ended and then freed with `taskmgr_task_free`; NULL after an
/// error. Threads: any. Errors: those of `taskmgr_task_child_start`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_reporter_child_start(
    reporter: Option<&taskmgr_reporter>,
    spec: *const taskmgr_task_spec<'_>,
    child: Option<&mut MaybeUninit<*mut taskmgr_task>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(child, "child")?;
        let parent = worker(reporter)?;
        // SAFETY: the C program promises that the spec is as large as it says.
        let spec = unsafe { task_spec::under_parent(|type_| parent.child(type_), spec) }?;
        taskmgr_task::give(place, spec.start()?);
        Ok(())
    })
}

/// Makes a child of the reporter's task in the state `created`.
///
/// `*child` is the caller's, to be freed with `taskmgr_task_free`; NULL after an error.
/// Threads: any. Errors: those of `taskmgr_task_child_create`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_reporter_child_create(
    reporter: Option<&taskmgr_reporter>,
    spec: *const taskmgr_task_spec<'_>,
    child: Option<&mut MaybeUninit<*mut taskmgr_task>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(child, "child")?;
        let parent = worker(reporter)?;
        // SAFETY: the C program promises that the spec is as large as it says.
        let spec = unsafe { task_spec::under_parent(|type_| parent.child(type_), spec) }?;
        taskmgr_task::give(place, spec.create()?);
        Ok(())
    })
}

/// Counts `n` further units as done: a load and a store. Amounts are capped at 2^53.
///
/// Threads: one at a time. Errors: nothing is counted for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_advance(reporter: Option<&taskmgr_reporter>, n: u64) {
    guard::value((), || {
        worker(reporter)?.advance(n);
        Ok(())
    });
}

/// Counts `n` further units as done, and refuses what cannot be.
///
/// Threads: one at a time. Errors: INVALID_ARGUMENT above 2^53. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_try_advance(
    reporter: Option<&taskmgr_reporter>,
    n: u64,
) -> taskmgr_code {
    guard::code(|| Ok(worker(reporter)?.try_advance(n)?))
}

/// Sets what this reporter has counted; never lowers it.
///
/// Threads: one at a time. Errors: nothing is set for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_set_completed(reporter: Option<&taskmgr_reporter>, n: u64) {
    guard::value((), || {
        worker(reporter)?.set_completed(n);
        Ok(())
    });
}

/// Tells how many units the task has, for all its handles.
///
/// Threads: any. Errors: nothing is set for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_set_total(reporter: Option<&taskmgr_reporter>, total: u64) {
    guard::value((), || {
        worker(reporter)?.set_total(total);
        Ok(())
    });
}

/// Names the units that the task counts, for all its handles: as `taskmgr_task_set_units`.
///
/// Threads: any. Errors: those of `taskmgr_task_set_units`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_set_units(
    reporter: Option<&taskmgr_reporter>,
    units: taskmgr_str<'_>,
) -> taskmgr_code {
    guard::code(|| Ok(worker(reporter)?.set_units(units.get("units")?)?))
}

/// Whether the task was told to abort: a few loads, made for the inner loop.
///
/// Threads: any. Errors: false for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_abort_requested(reporter: Option<&taskmgr_reporter>) -> bool {
    guard::value(false, || Ok(worker(reporter)?.abort_requested()))
}

/// The same as a code to return.
///
/// Threads: any. Errors: ABORTED, and the reason in the message. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_check_abort(
    reporter: Option<&taskmgr_reporter>,
) -> taskmgr_code {
    guard::code(|| Ok(worker(reporter)?.check_abort()?))
}

/// Tells the task and all below it to abort, as its owner may.
///
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_abort(
    reporter: Option<&taskmgr_reporter>,
    reason: taskmgr_str<'_>,
) -> taskmgr_code {
    guard::code(|| {
        let reason = reason.get("the reason")?;
        Ok(kept(reporter)?.abort(reason)?)
    })
}

/// Calls `callback` when the task is told to abort, as `taskmgr_task_on_abort` does.
///
/// The user data is the library's from here on, also after an error. `*guard` is the caller's,
/// to be given to `taskmgr_abort_guard_free` or `_forget`; NULL after an error. `guard` may be
/// NULL: the callback then stays until the task ends.
/// Threads: any; the callback runs on any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_on_abort(
    reporter: Option<&taskmgr_reporter>,
    callback: taskmgr_callback,
    user_data: *mut c_void,
    destroy: taskmgr_destroy,
    guard: Option<&mut MaybeUninit<*mut taskmgr_abort_guard>>,
) -> taskmgr_code {
    guard::code(|| {
        let user_data = UserData::new(user_data, destroy);
        register_abort(callback, user_data, guard, |run| {
            Ok(kept(reporter)?.on_abort(run)?)
        })
    })
}

/// The task's id.
///
/// Threads: any. Errors: the nil id for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_id(reporter: Option<&taskmgr_reporter>) -> taskmgr_id {
    guard::value(taskmgr_id::NIL, || Ok(worker(reporter)?.id().into()))
}

/// How the task is.
///
/// `*status` is the caller's, to be freed with `taskmgr_status_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_status(
    reporter: Option<&taskmgr_reporter>,
    status: Option<&mut MaybeUninit<*mut taskmgr_status>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(status, "status")?;
        place.give(taskmgr_status::one(worker(reporter)?.status()?));
        Ok(())
    })
}

/// Makes a handle that can look, wait and ask for an abort.
///
/// `*observer` is the caller's, to be freed with `taskmgr_observer_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_observe(
    reporter: Option<&taskmgr_reporter>,
    observer: Option<&mut MaybeUninit<*mut taskmgr_observer>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(observer, "observer")?;
        place.give(taskmgr_observer::of(worker(reporter)?.observe())?);
        Ok(())
    })
}

/// Makes one more reporter of the same task, for another worker; it counts in a cell of its
/// own, from 0.
///
/// `*copy` is the caller's, to be freed with `taskmgr_reporter_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_clone(
    reporter: Option<&taskmgr_reporter>,
    copy: Option<&mut MaybeUninit<*mut taskmgr_reporter>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = Place::new(copy, "copy")?;
        place.give(taskmgr_reporter::again(worker(reporter)?)?);
        Ok(())
    })
}

/// Frees a reporter; what it has counted stays counted.
///
/// Takes `reporter`; NULL is nothing. Threads: any, once no other call uses this handle.
/// Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_reporter_free(reporter: Option<Box<taskmgr_reporter>>) {
    guard::value((), || {
        drop(reporter);
        Ok(())
    });
}
