//! Handles: how they are lent, given and taken back.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ops::Deref;

use taskmgr::{RawTask, SharedTask};

use crate::failure::{Failure, null};

/// What a handle holds.
///
/// A callback may free the very handle whose call runs it. So a call that may run one works on
/// a copy of what the handle holds ([`keep`](Kept::keep)) and leaves the handle alone from
/// there on. The cell tells the compiler that what is behind the `&` of such a call's argument
/// may go away before the call is over.
#[derive(Debug)]
pub(crate) struct Kept<T>(UnsafeCell<T>);

impl<T> Kept<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    pub(crate) fn keep(&self) -> T
    where
        T: Clone,
    {
        T::clone(self)
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: nobody writes to the cell once it is made, so that all that are handed out
        // are shared references to a value that does not move.
        unsafe { &*self.0.get() }
    }
}

/// A handle that came in; `what` is the argument's name.
#[inline]
pub(crate) fn get<'a, T>(handle: Option<&'a T>, what: &str) -> Result<&'a T, Failure> {
    handle.ok_or_else(|| null(what))
}

/// The same for one that must not be shared meanwhile.
pub(crate) fn get_mut<'a, T>(handle: Option<&'a mut T>, what: &str) -> Result<&'a mut T, Failure> {
    handle.ok_or_else(|| null(what))
}

/// Where the C program wants a new handle: null there until it is given, so that freeing it
/// after a failure is harmless.
pub(crate) struct Place<'a, T>(&'a mut MaybeUninit<*mut T>);

impl<'a, T> Place<'a, T> {
    pub(crate) fn new(
        place: Option<&'a mut MaybeUninit<*mut T>>,
        what: &str,
    ) -> Result<Self, Failure> {
        Self::optional(place).ok_or_else(|| null(what))
    }

    /// One that need not be there.
    pub(crate) fn optional(place: Option<&'a mut MaybeUninit<*mut T>>) -> Option<Self> {
        let place = place?;
        place.write(std::ptr::null_mut());
        Some(Self(place))
    }

    pub(crate) fn give(self, value: T) {
        self.0.write(Box::into_raw(Box::new(value)));
    }

    /// The same of what stays where it is for as long as the process lives.
    #[inline]
    pub(crate) fn lend(self, handle: &'static T) {
        self.0.write(std::ptr::from_ref(handle).cast_mut());
    }
}

/// The owner that was leaked as this.
///
/// # Safety
/// It has not been used up; once the result is dropped, it is.
#[inline]
pub(crate) unsafe fn reclaimed(raw: &'static RawTask) -> SharedTask {
    // SAFETY: a `SharedTask` is this reference, and nothing else.
    unsafe { std::mem::transmute::<&'static RawTask, SharedTask>(raw) }
}

/// What lies somewhere for as long as the process lives, as the handle that C knows it by.
///
/// # Safety
///
/// `To` has one field, a `From`, and its size.
#[inline]
pub(crate) unsafe fn wrapped<From, To>(from: &'static From) -> &'static To {
    // SAFETY: promised by the caller.
    unsafe { &*std::ptr::from_ref(from).cast() }
}

/// Such a handle, which the C program gives back.
///
/// # Safety
///
/// `handle` is null, or was given by [`Place::lend`].
pub(crate) unsafe fn returned<T>(handle: *mut T) -> Option<&'static T> {
    // SAFETY: promised by the caller, and what is lent stays where it is.
    unsafe { handle.as_ref() }
}

/// Where the C program wants a value; `zero` there until it is given.
pub(crate) struct ValuePlace<'a, T>(&'a mut MaybeUninit<T>);

impl<'a, T> ValuePlace<'a, T> {
    pub(crate) fn new(
        place: Option<&'a mut MaybeUninit<T>>,
        zero: T,
        what: &str,
    ) -> Result<Self, Failure> {
        Self::optional(place, zero).ok_or_else(|| null(what))
    }

    /// One that need not be there.
    pub(crate) fn optional(place: Option<&'a mut MaybeUninit<T>>, zero: T) -> Option<Self> {
        let place = place?;
        place.write(zero);
        Some(Self(place))
    }

    pub(crate) fn give(self, value: T) {
        self.0.write(value);
    }
}

/// An array that came in; none for a null pointer with a length.
///
/// # Safety
///
/// `items` is null or points to `len` items that nobody changes for as long as 'a is.
pub(crate) unsafe fn slice<'a, T>(items: *const T, len: usize) -> Option<&'a [T]> {
    match (items.is_null(), len) {
        (_, 0) => Some(&[]),
        (true, _) => None,
        // SAFETY: promised by the caller; no array of C is longer than `isize::MAX` bytes.
        (false, len) => Some(unsafe { std::slice::from_raw_parts(items, len) }),
    }
}

/// Fills an array of C.
///
/// # Safety
///
/// `to` is null or has room for `N` items.
pub(crate) unsafe fn write_array<T, const N: usize>(
    to: *mut T,
    items: [T; N],
    what: &str,
) -> Result<(), Failure> {
    if to.is_null() {
        return Err(null(what));
    }
    // SAFETY: promised by the caller; an array has the alignment of its items.
    unsafe { to.cast::<[T; N]>().write(items) };
    Ok(())
}

/// What several threads may use at once, or each in turn, as the header says of every handle.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    const fn handed_on<T: Send>() {}
    shared::<taskmgr::Manager>();
    shared::<taskmgr::Module>();
    shared::<taskmgr::SharedTask>();
    shared::<taskmgr::Observer>();
    shared::<taskmgr::ManualClock>();
    shared::<taskmgr::Status>();
    shared::<taskmgr::Stats>();
    handed_on::<taskmgr::Reporter>();
    handed_on::<taskmgr::AbortGuard>();
    handed_on::<taskmgr::DoneGuard>();
    handed_on::<taskmgr::Completion>();
    #[cfg(feature = "http")]
    {
        shared::<taskmgr_http::Api>();
        handed_on::<taskmgr_http::Server>();
        handed_on::<taskmgr_http::Waiting>();
    }
};
