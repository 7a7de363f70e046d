//! How many forks lie between this process and the first one that used the library.
//!
//! In a forked child no other thread exists and any lock may be held for ever, so what
//! was made before the fork must not be touched there. Every realm and every manager
//! remembers the depth at which it was made; a comparison with [`depth`] tells.
//!
//! This is the one file of the core with `unsafe` code: `std` has no hook for a fork.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

/// Written by the handler below alone, in a process that has one thread.
static DEPTH: AtomicU32 = AtomicU32::new(0);

/// The depth of this process.
#[inline]
pub(crate) fn depth() -> u32 {
    DEPTH.load(Ordering::Relaxed)
}

/// Makes [`depth`] follow forks from now on; called before anything remembers a depth.
#[cfg(all(unix, not(loom)))]
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

#[cfg(not(all(unix, not(loom))))]
pub(crate) fn watch() {}
