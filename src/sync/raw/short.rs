//! A lock that is held for a few operations.

use std::sync::atomic::Ordering;

/// The inside of a [`ShortLock`](crate::sync::ShortLock): taking it is one atomic operation, and
/// letting it go a plain store. Who finds it taken spins, then yields, then sleeps.
///
/// Aligned as what it guards mostly is, so that it lies before that.
#[repr(align(8))]
#[derive(Debug)]
pub(crate) struct Short(std::sync::atomic::AtomicBool);

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

#[cfg(test)]
mod tests {
    use lock_api::RawMutex;

    use super::Short;
    use crate::sync::ShortLock;

    #[test]
    fn a_short_lock_that_was_waited_for_is_had() {
        let lock = Short::INIT;
        lock.lock_contended();
        assert!(!lock.try_lock(), "as somebody has it");
    }

    #[test]
    fn a_short_lock_has_one_holder_at_a_time() {
        const THREADS: u64 = 4;
        const TURNS: u64 = 20_000;
        let lock = ShortLock::new([0_u64; 2]);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for turn in 0..TURNS {
                        let mut held = match turn % 2 {
                            0 => lock.lock(),
                            _ => match lock.try_lock() {
                                Some(held) => held,
                                None => lock.lock(),
                            },
                        };
                        let [first, second] = *held;
                        assert_eq!(first, second, "nobody is between the two");
                        held[0] = std::hint::black_box(first + 1);
                        assert!(lock.try_lock().is_none());
                        held[1] = std::hint::black_box(second + 1);
                    }
                });
            }
        });
        assert_eq!(lock.into_inner(), [THREADS * TURNS; 2]);
    }
}
