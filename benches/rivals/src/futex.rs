//! A raw futex: the least that waking a sleeper can cost.

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// A word that one thread sets and another sleeps on.
#[derive(Debug, Default)]
pub struct Flag(AtomicU32);

impl Flag {
    /// Sets it and wakes who sleeps on it.
    pub fn set(&self) {
        self.0.store(1, Ordering::Release);
        // SAFETY: FUTEX_WAKE does not touch the memory behind the address.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.0.as_ptr(),
                libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
                1,
            );
        }
    }

    /// Sleeps until it is set.
    pub fn wait(&self) {
        while self.0.load(Ordering::Acquire) == 0 {
            // SAFETY: the word lives as long as `self`, and the timeout is null.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.0.as_ptr(),
                    libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                    0,
                    ptr::null::<libc::timespec>(),
                );
            }
        }
    }
}
