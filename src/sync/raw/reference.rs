//! References to what lives as long as the process.

use std::marker::PhantomData;

use crate::sync::{AtomicPtr, Ordering};

/// A reference to something that lives as long as the process, set while others read it.
#[derive(Debug)]
pub(crate) struct AtomicRef<T: 'static> {
    address: AtomicPtr<Target<T>>,
    /// `Send` and `Sync` where the reference is.
    holds: PhantomData<&'static T>,
}

impl<T> AtomicRef<T> {
    pub(crate) fn none() -> Self {
        Self {
            address: AtomicPtr::new(std::ptr::null_mut()),
            holds: PhantomData,
        }
    }

    /// Acquire: whoever sees the reference sees what it leads to as `set` found it.
    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        let address = self.address.load(Ordering::Acquire);
        // SAFETY: the address is null or was made by `set` or `offer` out of a `&'static Target<T>`, and
        // nothing else writes it but null; a shared reference to it may be copied.
        unsafe { address.as_ref() }.map(target::reached)
    }

    #[inline]
    pub(crate) fn clear(&self) {
        self.address.store(std::ptr::null_mut(), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn set(&self, to: &'static T) {
        let address = std::ptr::from_ref(target::of(to)).cast_mut();
        self.address.store(address, Ordering::Release);
    }

    /// Sets it where there is none.
    pub(crate) fn offer(&self, to: &'static T) {
        let address = std::ptr::from_ref(target::of(to)).cast_mut();
        let none = std::ptr::null_mut();
        let _ = self
            .address
            .compare_exchange(none, address, Ordering::Release, Ordering::Relaxed);
    }
}

/// So many references that lead nowhere yet, if there is memory. What of them is not used is not written either: the
/// system gives its memory when it is.
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) fn no_refs<T, const N: usize>() -> Option<Box<[AtomicRef<T>; N]>> {
    let layout = std::alloc::Layout::new::<[AtomicRef<T>; N]>();
    assert!(layout.size() > 0, "there is something to allocate");
    // SAFETY: the layout has a size; zeroes are null pointers, which are references that lead
    // nowhere, and the box is given back by the same layout.
    unsafe {
        let memory = std::alloc::alloc_zeroed(layout).cast::<[AtomicRef<T>; N]>();
        (!memory.is_null()).then(|| Box::from_raw(memory))
    }
}

/// Atomics of a model are not what their bytes are.
#[cfg(all(test, any(loom, shuttle)))]
pub(crate) fn no_refs<T, const N: usize>() -> Option<Box<[AtomicRef<T>; N]>> {
    Some(Box::new(std::array::from_fn(|_| AtomicRef::none())))
}

use target::Target;

/// What the address is that of: the thing itself.
#[cfg(not(all(test, loom)))]
mod target {
    pub(super) type Target<T> = T;

    #[inline(always)]
    pub(super) fn of<T>(to: &'static T) -> &'static Target<T> {
        to
    }

    #[inline(always)]
    pub(super) fn reached<T>(target: &'static Target<T>) -> &'static T {
        target
    }
}

/// In a model, a mark beside it, written as it is set and read as it is reached: loom tells if
/// these are not in order, which it could not see of the thing's plain memory.
#[cfg(all(test, loom))]
mod target {
    #[derive(Debug)]
    pub(super) struct Target<T: 'static> {
        to: &'static T,
        mark: loom::cell::UnsafeCell<()>,
    }

    pub(super) fn of<T>(to: &'static T) -> &'static Target<T> {
        let mark = loom::cell::UnsafeCell::new(());
        Box::leak(Box::new(Target { to, mark }))
    }

    pub(super) fn reached<T>(target: &'static Target<T>) -> &'static T {
        target.mark.with(|_| target.to)
    }
}

/// A thing that is made when it is first asked for, and owned from then on. Of several who make
/// it at once one is first, and nobody waits for another, who in a forked child may be gone.
#[derive(Debug)]
pub(crate) struct Made<T> {
    // Not a model's: no modelled operation lies within it.
    at: std::sync::atomic::AtomicPtr<T>,
    owned: PhantomData<T>,
}

impl<T: Send + Sync> Made<T> {
    pub(crate) const fn not_yet() -> Self {
        Self {
            at: std::sync::atomic::AtomicPtr::new(std::ptr::null_mut()),
            owned: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        // SAFETY: the address is null or that of a box that `get_or_make` gave away, which stays
        // as it is until this is dropped; Acquire shows it as its maker left it.
        unsafe { self.at.load(std::sync::atomic::Ordering::Acquire).as_ref() }
    }

    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        use std::sync::atomic::Ordering::{AcqRel, Acquire};

        if let Some(made) = self.get() {
            return made;
        }
        let mine = Box::into_raw(Box::new(make()));
        let none = std::ptr::null_mut();
        if self
            .at
            .compare_exchange(none, mine, AcqRel, Acquire)
            .is_err()
        {
            // SAFETY: the box was made above, and nobody else knows it.
            drop(unsafe { Box::from_raw(mine) });
        }
        self.get().expect("somebody has made it")
    }
}

impl<T> Drop for Made<T> {
    fn drop(&mut self) {
        let at = *self.at.get_mut();
        if !at.is_null() {
            // SAFETY: it is that of a box that `get_or_make` gave away, and nobody has it now.
            drop(unsafe { Box::from_raw(at) });
        }
    }
}
