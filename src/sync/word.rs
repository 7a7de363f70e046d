//! An atomic word as the models need it.

use loom::sync::atomic::{AtomicU64, Ordering};

/// Of all who have touched an atomic, loom remembers the last, and plays only its race with
/// whoever comes next. Where each looks before it writes, as in every loop around a
/// `compare_exchange`, a thread's own look hides the other threads' behind it. So all who
/// touch a word take a turn first: an operation that writes, and orders nothing.
#[derive(Debug)]
pub(crate) struct AtomicWord {
    turn: AtomicU64,
    word: AtomicU64,
}

impl AtomicWord {
    pub(crate) fn new(value: u64) -> Self {
        Self {
            turn: AtomicU64::new(0),
            word: AtomicU64::new(value),
        }
    }

    fn in_turn(&self) -> &AtomicU64 {
        self.turn.fetch_add(1, Ordering::Relaxed);
        &self.word
    }

    pub(crate) fn load(&self, order: Ordering) -> u64 {
        self.in_turn().load(order)
    }

    pub(crate) fn store(&self, value: u64, order: Ordering) {
        self.in_turn().store(value, order);
    }

    pub(crate) fn fetch_or(&self, flags: u64, order: Ordering) -> u64 {
        self.in_turn().fetch_or(flags, order)
    }

    pub(crate) fn fetch_and(&self, flags: u64, order: Ordering) -> u64 {
        self.in_turn().fetch_and(flags, order)
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        old: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.in_turn()
            .compare_exchange_weak(old, new, success, failure)
    }
}
