//! A lock and a condition variable with one interface over `parking_lot` and `loom`.

use std::time::{Duration, Instant};

#[cfg(not(loom))]
pub(crate) type Guard<'a, T> = parking_lot::MutexGuard<'a, T>;
#[cfg(loom)]
pub(crate) type Guard<'a, T> = loom::sync::MutexGuard<'a, T>;

#[cfg(not(loom))]
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(parking_lot::Mutex<T>);

#[cfg(not(loom))]
impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(parking_lot::Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.0.lock()
    }
}

#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct Lock<T>(loom::sync::Mutex<T>);

#[cfg(loom)]
impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[cfg(loom)]
impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.0.lock().expect("no code panics while it holds a lock")
    }

    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.0.try_lock().ok()
    }
}

/// Until when a sleeper is willing to wait.
#[derive(Clone, Debug)]
pub(crate) enum Deadline {
    Never,
    /// It only asks.
    Now,
    /// From when it begins to wait.
    Within(Duration),
    At(Instant),
    /// The seam of the models, in which no clock ever moves: the sleeper has timed out
    /// as soon as this says so and the condition variable was notified.
    #[cfg(all(test, loom))]
    When(std::sync::Arc<loom::sync::atomic::AtomicBool>),
}

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        match timeout.is_zero() {
            true => Self::Now,
            false => Self::Within(timeout),
        }
    }

    /// The waiting begins: the deadline from here on, and the time until it, by one look at
    /// the clock. A timeout that lies beyond what the clock can tell is none.
    pub(crate) fn begin(&self) -> (Self, Left) {
        match self {
            Self::Within(timeout) => match Instant::now().checked_add(*timeout) {
                Some(at) => (Self::At(at), Left::For(*timeout)),
                None => (Self::Never, Left::Forever),
            },
            begun => (begun.clone(), begun.left()),
        }
    }

    pub(crate) fn has_passed(&self) -> bool {
        self.left().is_nothing()
    }

    /// The time that is left, by one look at the clock.
    pub(crate) fn left(&self) -> Left {
        match self {
            Self::Never => Left::Forever,
            Self::Now => Left::Nothing,
            Self::Within(timeout) => Left::For(*timeout),
            Self::At(at) => match at.saturating_duration_since(Instant::now()) {
                Duration::ZERO => Left::Nothing,
                left => Left::For(left),
            },
            #[cfg(all(test, loom))]
            Self::When(flag) => match flag.load(loom::sync::atomic::Ordering::Acquire) {
                true => Left::Nothing,
                false => Left::Forever,
            },
        }
    }
}

/// For how long a sleeper is still willing to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Left {
    Forever,
    For(Duration),
    Nothing,
}

impl Left {
    pub(crate) fn is_nothing(self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// If there is an end to it.
    pub(crate) fn time(self) -> Option<Duration> {
        match self {
            Self::For(time) => Some(time),
            Self::Forever | Self::Nothing => None,
        }
    }
}

#[cfg(not(loom))]
#[derive(Debug, Default)]
pub(crate) struct Condvar(parking_lot::Condvar);

#[cfg(not(loom))]
impl Condvar {
    /// Sleeps until a notification, the deadline, or no reason at all.
    pub(crate) fn wait<'a, T>(&self, mut guard: Guard<'a, T>, deadline: &Deadline) -> Guard<'a, T> {
        match deadline {
            Deadline::Never => self.0.wait(&mut guard),
            Deadline::Now => {}
            Deadline::Within(timeout) => {
                self.0.wait_for(&mut guard, *timeout);
            }
            Deadline::At(at) => {
                self.0.wait_until(&mut guard, *at);
            }
        }
        guard
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

#[cfg(loom)]
#[derive(Debug, Default)]
pub(crate) struct Condvar(loom::sync::Condvar);

#[cfg(loom)]
impl Condvar {
    pub(crate) fn wait<'a, T>(&self, guard: Guard<'a, T>, _deadline: &Deadline) -> Guard<'a, T> {
        self.0
            .wait(guard)
            .expect("no code panics while it holds a lock")
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}
