//! In a forked child no other thread exists and any lock may be held for ever, so what
//! was made before the fork must not be touched there. Every realm and every manager
//! remembers the depth at which it was made; a comparison with [`depth`] tells.

use std::sync::atomic::{AtomicU64, Ordering};

/// The process whose depth this is in the upper half, and the depth. Written by the handler
/// below, in a process that has one thread, and by [`watch`]. To come round it would take
/// 2^32 processes, each the child of the one before.
static PROCESS: AtomicU64 = AtomicU64::new(0);

/// The depth of this process.
#[inline]
pub(crate) fn depth() -> u32 {
    PROCESS.load(Ordering::Relaxed) as u32
}

/// Makes [`depth`] follow forks from now on; called before anything remembers a depth.
///
/// Nothing here waits for a thread that may be another process's: a fork may come at any
/// moment of it, and the child then begins anew.
#[cfg(unix)]
pub(crate) fn watch() {
    let me = std::process::id();
    register(me);
    let mut before = PROCESS.load(Ordering::Acquire);
    loop {
        let (process, depth) = ((before >> 32) as u32, before as u32);
        if process == me {
            return;
        }
        // A fork that called no handlers (`clone`), or had gone through them when ours came.
        let depth = depth.wrapping_add(u32::from(process != 0));
        let now = told(me, depth);
        match PROCESS.compare_exchange(before, now, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(other) => before = other,
        }
    }
}

#[cfg(unix)]
fn told(process: u32, depth: u32) -> u64 {
    u64::from(process) << 32 | u64::from(depth)
}

/// Registers the handler, once in all processes that come from one.
#[cfg(unix)]
fn register(me: u32) {
    use std::ffi::c_int;
    use std::sync::atomic::AtomicU32;

    type Handler = Option<extern "C" fn()>;

    unsafe extern "C" {
        fn pthread_atfork(prepare: Handler, parent: Handler, child: Handler) -> c_int;
    }

    extern "C" fn in_child() {
        // Stores of atomics, and a question to the system: all of it async-signal-safe, as a
        // handler in a forked child must be. That it is called says that it is registered.
        let depth = depth().wrapping_add(1);
        PROCESS.store(told(std::process::id(), depth), Ordering::Relaxed);
        REGISTRAR.store(DONE, Ordering::Relaxed);
    }

    /// The process that is registering the handler, or [`DONE`]. No process is 0 or below.
    static REGISTRAR: AtomicU32 = AtomicU32::new(0);

    once(&REGISTRAR, me, || {
        // SAFETY: the handler is a function of the type that POSIX asks for, lives as long
        // as the process, cannot unwind and only uses atomics. A failure (out of memory)
        // leaves forks unnoticed until the child builds a manager.
        let _ = unsafe { pthread_atfork(None, None, Some(in_child)) };
    });
}

#[cfg(unix)]
pub(super) const DONE: u32 = u32::MAX;

/// Does it unless it is done. Who is at it is the process that `registrar` names, or none.
#[cfg(unix)]
pub(super) fn once(registrar: &std::sync::atomic::AtomicU32, me: u32, register: impl FnOnce()) {
    loop {
        let other = registrar.load(Ordering::Acquire);
        if other == DONE {
            return;
        }
        if other == me {
            // Another thread of this process is at it, which takes a moment.
            std::thread::yield_now();
            continue;
        }
        // Nobody, or a process from which this one was forked before that had come to it.
        let mine = registrar.compare_exchange(other, me, Ordering::AcqRel, Ordering::Relaxed);
        if mine.is_ok() {
            register();
            registrar.store(DONE, Ordering::Release);
            return;
        }
    }
}

#[cfg(not(unix))]
pub(crate) fn watch() {}

#[cfg(all(test, unix))]
mod tests {
    use super::{DONE, once};
    use std::cell::Cell;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn life_10_who_died_registering_is_not_waited_for() {
        let (dead, me) = (7, 8);
        for (before, times) in [(0, 1), (dead, 1), (DONE, 0)] {
            let (registrar, called) = (AtomicU32::new(before), Cell::new(0));
            for _ in 0..2 {
                once(&registrar, me, || called.set(called.get() + 1));
            }
            assert_eq!((registrar.into_inner(), called.get()), (DONE, times));
        }
    }
}
