//! Handles that a run has, and may use until it frees them.

use std::mem::MaybeUninit;

use taskmgr_c::callback::{
    taskmgr_abort_guard, taskmgr_abort_guard_free, taskmgr_done_guard, taskmgr_done_guard_free,
};
use taskmgr_c::clock::{taskmgr_clock, taskmgr_clock_free};
use taskmgr_c::close_report::{taskmgr_close_report, taskmgr_close_report_free};
use taskmgr_c::code::{TASKMGR_INVALID_ARGUMENT, taskmgr_code};
use taskmgr_c::http::api::{taskmgr_http_api, taskmgr_http_api_free};
use taskmgr_c::http::response::{taskmgr_http_response, taskmgr_http_response_free};
use taskmgr_c::http::server::{taskmgr_http_server, taskmgr_http_server_free};
use taskmgr_c::http::waiting::{taskmgr_http_waiting, taskmgr_http_waiting_free};
use taskmgr_c::manager::{taskmgr_manager, taskmgr_manager_free};
use taskmgr_c::module::{taskmgr_module, taskmgr_module_free};
use taskmgr_c::observer::{taskmgr_observer, taskmgr_observer_free};
use taskmgr_c::owner::taskmgr_task;
use taskmgr_c::provider::{taskmgr_completion, taskmgr_completion_free};
use taskmgr_c::reporter::{taskmgr_reporter, taskmgr_reporter_free};
use taskmgr_c::stats::{taskmgr_stats_list, taskmgr_stats_list_free};
use taskmgr_c::status::{
    taskmgr_status, taskmgr_status_free, taskmgr_status_list, taskmgr_status_list_free,
};
use taskmgr_c::strings::{taskmgr_strings, taskmgr_strings_free};
use taskmgr_c::task::taskmgr_task_free;

use super::shared::Shared;
use crate::bytes::Bytes;

/// A handle that is valid until it is freed.
pub(super) struct Handle<T>(*mut T);

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Handle<T> {}

// SAFETY: the header says of every handle that any thread may use it; what is for one thread at
// a time is not given to several.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Handle<T> {}

impl<T> Handle<T> {
    pub(super) fn of_box(handle: Box<T>) -> Self {
        Self(Box::into_raw(handle))
    }

    /// For no longer than until it is freed.
    pub(super) fn get(self) -> &'static T {
        // SAFETY: whoever frees it takes it out of its pool first.
        unsafe { &*self.0 }
    }

    pub(super) fn into_box(self) -> Box<T> {
        // SAFETY: it came out of a box of the library's, and is freed once.
        unsafe { Box::from_raw(self.0) }
    }

    pub(super) fn as_ptr(self) -> *mut T {
        self.0
    }
}

/// How a handle is freed.
pub(super) trait Free: Sized {
    fn free(handle: Handle<Self>);
}

macro_rules! free {
    ($($handle:ident by $free:ident,)*) => {$(
        impl Free for $handle {
            fn free(handle: Handle<Self>) {
                $free(Some(handle.into_box()));
            }
        }
    )*};
}

free! {
    taskmgr_manager by taskmgr_manager_free,
    taskmgr_module by taskmgr_module_free,
    taskmgr_reporter by taskmgr_reporter_free,
    taskmgr_observer by taskmgr_observer_free,
    taskmgr_abort_guard by taskmgr_abort_guard_free,
    taskmgr_done_guard by taskmgr_done_guard_free,
    taskmgr_status by taskmgr_status_free,
    taskmgr_status_list by taskmgr_status_list_free,
    taskmgr_stats_list by taskmgr_stats_list_free,
    taskmgr_strings by taskmgr_strings_free,
    taskmgr_close_report by taskmgr_close_report_free,
    taskmgr_clock by taskmgr_clock_free,
    taskmgr_completion by taskmgr_completion_free,
    taskmgr_http_server by taskmgr_http_server_free,
    taskmgr_http_api by taskmgr_http_api_free,
    taskmgr_http_response by taskmgr_http_response_free,
    taskmgr_http_waiting by taskmgr_http_waiting_free,
}

impl Free for taskmgr_task {
    fn free(handle: Handle<Self>) {
        // SAFETY: it was given by the library, and is freed once.
        unsafe { taskmgr_task_free(handle.as_ptr()) };
    }
}

/// The handles of one type.
pub(super) struct Pool<T>(Vec<Handle<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// More than these are freed at once.
const MOST: usize = 64;

impl<T: Free> Pool<T> {
    pub(super) fn add(&mut self, handle: Handle<T>) {
        match self.0.len() < MOST {
            true => self.0.push(handle),
            false => T::free(handle),
        }
    }

    pub(super) fn all(&self) -> &[Handle<T>] {
        &self.0
    }

    pub(super) fn handle(&self, bytes: &mut Bytes<'_>) -> Option<Handle<T>> {
        bytes.pick(&self.0)
    }

    /// One of them, or a null pointer.
    pub(super) fn pick(&self, bytes: &mut Bytes<'_>) -> Option<&'static T> {
        match bytes.one_in(32) {
            true => None,
            false => self.handle(bytes).map(Handle::get),
        }
    }

    pub(super) fn take(&mut self, bytes: &mut Bytes<'_>) -> Option<Handle<T>> {
        match self.0.len() {
            0 => None,
            len => Some(self.0.swap_remove(bytes.below(len))),
        }
    }

    pub(super) fn free_one(&mut self, bytes: &mut Bytes<'_>) {
        if let Some(handle) = self.take(bytes) {
            T::free(handle);
        }
    }

    pub(super) fn free_all(&mut self) {
        while let Some(handle) = self.0.pop() {
            T::free(handle);
        }
    }
}

/// Handles of several types.
#[derive(Default)]
pub(super) struct Held {
    pub(super) manager: Option<Handle<taskmgr_manager>>,
    pub(super) module: Option<Handle<taskmgr_module>>,
    pub(super) task: Option<Handle<taskmgr_task>>,
    pub(super) observer: Option<Handle<taskmgr_observer>>,
    pub(super) reporter: Option<Handle<taskmgr_reporter>>,
    pub(super) api: Option<Handle<taskmgr_http_api>>,
}

impl Held {
    pub(super) fn free(&mut self) {
        std::mem::take(self).free_now();
    }

    pub(super) fn free_now(self) {
        fn free<T: Free>(handle: Option<Handle<T>>) {
            handle.into_iter().for_each(T::free);
        }
        free(self.api);
        free(self.reporter);
        free(self.observer);
        free(self.task);
        free(self.module);
        free(self.manager);
    }
}

/// What lies where the library shall put a handle.
const POISON: usize = 0xdead_dead_dead_dead;

/// A place for a handle, or a null pointer for one.
pub(super) struct Out<T> {
    place: MaybeUninit<*mut T>,
    given: bool,
}

impl<T: Free> Out<T> {
    pub(super) fn new(bytes: &mut Bytes<'_>) -> Self {
        Self {
            place: MaybeUninit::new(POISON as *mut T),
            given: !bytes.one_in(32),
        }
    }

    pub(super) fn place(&mut self) -> Option<&mut MaybeUninit<*mut T>> {
        self.given.then_some(&mut self.place)
    }

    /// What a call that has to have a place has left there.
    pub(super) fn needed(
        self,
        shared: &Shared,
        call: &str,
        code: taskmgr_code,
    ) -> Option<Handle<T>> {
        shared.demand(self.given || code == TASKMGR_INVALID_ARGUMENT, || {
            format!("{call} has no place for its result, and returned {code}")
        });
        self.optional(shared, call, code)
    }

    /// One of two results, where a call that has succeeded gives one of them.
    pub(super) fn either(self, shared: &Shared, what: &str) -> Option<Handle<T>> {
        // SAFETY: it was written when it was made.
        let left = unsafe { self.place.assume_init() };
        let touched = left as usize != POISON;
        shared.demand(touched || !self.given, || {
            format!("the place for {what} was left as it was")
        });
        (self.given && touched && !left.is_null()).then_some(Handle(left))
    }

    /// The same where the place may be NULL.
    pub(super) fn optional(
        self,
        shared: &Shared,
        call: &str,
        code: taskmgr_code,
    ) -> Option<Handle<T>> {
        let ok = shared.code(call, code);
        // SAFETY: it was written when it was made.
        let left = unsafe { self.place.assume_init() };
        if !self.given {
            return None;
        }
        shared.demand(left as usize != POISON, || {
            format!("{call} returned {code}, and left the place of its result as it was")
        });
        shared.demand(left.is_null() != ok, || {
            format!("{call} returned {code}, and left {left:?} in the place of its result")
        });
        (ok && !left.is_null() && left as usize != POISON).then_some(Handle(left))
    }
}

/// A place for a plain value.
pub(super) struct Value<T> {
    place: MaybeUninit<T>,
    given: bool,
}

impl<T: Copy> Value<T> {
    pub(super) fn new(bytes: &mut Bytes<'_>, before: T) -> Self {
        Self {
            place: MaybeUninit::new(before),
            given: !bytes.one_in(16),
        }
    }

    pub(super) fn place(&mut self) -> Option<&mut MaybeUninit<T>> {
        self.given.then_some(&mut self.place)
    }

    pub(super) fn get(self) -> Option<T> {
        // SAFETY: it was written when it was made.
        self.given.then(|| unsafe { self.place.assume_init() })
    }
}
