//! Until when somebody sleeps.

use std::time::{Duration, Instant};

/// Until when a sleeper is willing to wait.
#[derive(Clone, Debug)]
pub(crate) enum Deadline {
    Never,
    /// It only asks.
    Now,
    /// From when it begins to wait.
    Within(Duration),
    #[cfg_attr(
        all(test, shuttle),
        allow(dead_code, reason = "no clock moves in a schedule")
    )]
    At(Instant),
    /// The seam of the models, in which no clock ever moves: the sleeper has timed out
    /// as soon as this says so and the condition variable was notified.
    #[cfg(all(test, loom))]
    When(std::sync::Arc<super::AtomicBool>),
    /// The seam of the random schedules: a thread lets it pass when it has its turn.
    #[cfg(all(test, shuttle, not(loom)))]
    When(std::sync::Arc<super::Alarm>),
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
                Some(at) => (Self::until(at), Left::For(*timeout)),
                None => (Self::Never, Left::Forever),
            },
            begun => (begun.clone(), begun.left()),
        }
    }

    #[cfg(not(all(test, shuttle, not(loom))))]
    fn until(at: Instant) -> Self {
        Self::At(at)
    }

    #[cfg(all(test, shuttle, not(loom)))]
    fn until(_at: Instant) -> Self {
        Self::When(super::Alarm::set())
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
            Self::When(flag) => match flag.load(super::Ordering::Acquire) {
                true => Left::Nothing,
                false => Left::Forever,
            },
            #[cfg(all(test, shuttle, not(loom)))]
            Self::When(alarm) => match alarm.has_rung() {
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
