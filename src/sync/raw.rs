//! The one file of the core with `unsafe` code: what neither `std` nor a crate that the core
//! already has offers safely.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use super::{AtomicPtr, Ordering};

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
        // SAFETY: the address is null or was made by `set` out of a `&'static Target<T>`, and
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

/// The inside of a [`ShortLock`](super::ShortLock): taking it is one atomic operation, and
/// letting it go a plain store. Who finds it taken spins, then yields, then sleeps.
///
/// Aligned as what it guards mostly is, so that it lies before that.
#[cfg(not(all(test, loom)))]
#[repr(align(8))]
#[derive(Debug)]
pub(crate) struct Short(std::sync::atomic::AtomicBool);

#[cfg(not(all(test, loom)))]
impl Short {
    #[cold]
    fn lock_contended(&self) {
        let backoff = crossbeam_utils::Backoff::new();
        loop {
            while self.0.load(Ordering::Relaxed) {
                match backoff.is_completed() {
                    true => std::thread::sleep(std::time::Duration::from_micros(20)),
                    false => backoff.snooze(),
                }
            }
            if lock_api::RawMutex::try_lock(self) {
                return;
            }
        }
    }
}

// SAFETY: the flag is set by the one whose compare-exchange found it clear, until that one
// clears it, which `unlock`'s contract leaves to the holder: at most one holds it. Acquire
// and Release order what one holder wrote before what the next reads.
#[cfg(not(all(test, loom)))]
unsafe impl lock_api::RawMutex for Short {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "it is how a lock is made"
    )]
    const INIT: Self = Self(std::sync::atomic::AtomicBool::new(false));

    type GuardMarker = lock_api::GuardNoSend;

    #[inline(always)]
    fn lock(&self) {
        if !self.try_lock() {
            self.lock_contended();
        }
    }

    #[inline(always)]
    fn try_lock(&self) -> bool {
        let (free, taken) = (Ordering::Relaxed, Ordering::Acquire);
        self.0.compare_exchange(false, true, taken, free).is_ok()
    }

    #[inline(always)]
    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }
}

pub(crate) use fork::{depth as fork_depth, watch as watch_forks};

/// In a forked child no other thread exists and any lock may be held for ever, so what
/// was made before the fork must not be touched there. Every realm and every manager
/// remembers the depth at which it was made; a comparison with [`depth`](fork::depth) tells.
mod fork {
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Written by the handler below alone, in a process that has one thread. To come round it
    /// would take 2^32 processes, each the child of the one before.
    static DEPTH: AtomicU32 = AtomicU32::new(0);

    /// The depth of this process.
    #[inline]
    pub(crate) fn depth() -> u32 {
        DEPTH.load(Ordering::Relaxed)
    }

    /// Makes [`depth`] follow forks from now on; called before anything remembers a depth.
    #[cfg(unix)]
    pub(crate) fn watch() {
        use std::ffi::c_int;
        use std::sync::Once;

        type Handler = Option<extern "C" fn()>;

        unsafe extern "C" {
            fn pthread_atfork(prepare: Handler, parent: Handler, child: Handler) -> c_int;
        }

        extern "C" fn in_child() {
            // An atomic add is async-signal-safe, as a handler in a forked child must be.
            DEPTH.fetch_add(1, Ordering::Relaxed);
        }

        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // SAFETY: the handler is a function of the type that POSIX asks for, lives as long
            // as the process, cannot unwind and only adds to an atomic. A failure (out of
            // memory) leaves forks unnoticed, as if the library had not asked.
            let _ = unsafe { pthread_atfork(None, None, Some(in_child)) };
        });
    }

    #[cfg(not(unix))]
    pub(crate) fn watch() {}
}
