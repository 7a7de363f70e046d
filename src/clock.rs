//! Time: monotonic ticks of a nanosecond, turned into UTC by an offset of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds since the clock was made.
pub(crate) type Tick = u64;

/// The tick of what has not happened.
pub(crate) const NEVER: Tick = u64::MAX;

/// Where a manager takes the time from.
///
/// ```
/// use taskmgr::{Clock, Manager, ManualClock};
/// let clock = ManualClock::new();
/// let manager = Manager::builder().clock(Clock::Manual(clock.clone())).build()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that moves when a test says so.
    Manual(ManualClock),
}

/// A clock for tests: it stands still until it is told to move.
///
/// It starts at 2020-01-01T00:00:00Z. A manager with a manual clock has no background
/// thread: what has expired is never shown, and is swept by
/// [`Manager::tick`](crate::Manager::tick).
///
/// ```
/// use std::time::Duration;
/// use taskmgr::{Clock, GoneReason, Manager, ManualClock};
///
/// let clock = ManualClock::new();
/// let manager = Manager::builder()
///     .clock(Clock::Manual(clock.clone()))
///     .task_ttl(Duration::from_secs(60))
///     .build()?;
/// let task = manager.register_module("repair")?.task("repair").start()?;
/// let id = task.id();
/// task.finish()?;
/// clock.advance(Duration::from_secs(59));
/// assert!(manager.status(id).is_ok());
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(manager.status(id).unwrap_err().gone().unwrap().0, GoneReason::Expired);
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<ManualTime>);

#[derive(Debug)]
struct ManualTime {
    ticks: AtomicU64,
    /// UTC at tick 0, in nanoseconds since the epoch.
    wall: AtomicU64,
}

/// 2020-01-01T00:00:00Z in nanoseconds since the epoch.
const MANUAL_START: u64 = 1_577_836_800 * 1_000_000_000;

/// As far as a manual clock goes, some 290 years: deadlines beyond it still fit.
const FARTHEST: Tick = u64::MAX / 2;

impl ManualClock {
    /// A clock that stands at 2020-01-01T00:00:00Z.
    ///
    /// ```
    /// let clock = taskmgr::ManualClock::new();
    /// ```
    pub fn new() -> Self {
        Self(Arc::new(ManualTime {
            ticks: AtomicU64::new(0),
            wall: AtomicU64::new(MANUAL_START),
        }))
    }

    /// Moves the clock on.
    ///
    /// ```
    /// let clock = taskmgr::ManualClock::new();
    /// clock.advance(std::time::Duration::from_millis(5));
    /// ```
    pub fn advance(&self, by: Duration) {
        let forward = |now: Tick| Some(now.saturating_add(nanos(by)).min(FARTHEST));
        let moved = self
            .0
            .ticks
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, forward);
        debug_assert!(moved.is_ok());
    }

    /// Sets the wall clock, forwards or back; ticks, and so TTLs, do not notice.
    ///
    /// ```
    /// let clock = taskmgr::ManualClock::new();
    /// clock.set_wall(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(9));
    /// ```
    pub fn set_wall(&self, now: SystemTime) {
        let since_epoch = nanos(now.duration_since(UNIX_EPOCH).unwrap_or_default());
        let ticks = self.0.ticks.load(Ordering::SeqCst);
        self.0
            .wall
            .store(since_epoch.saturating_sub(ticks), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

/// A clock in use by a manager.
#[derive(Debug)]
pub(crate) enum Ticks {
    System(SystemTicks<Counter>),
    /// Where the counter cannot be had.
    Plain(SystemTicks<Monotonic>),
    Manual(ManualClock),
}

#[derive(Debug)]
pub(crate) struct SystemTicks<S> {
    source: S,
    /// UTC at tick 0 as the wall clock had it last, and when that was read.
    wall: AtomicU64,
    read_at: AtomicU64,
}

/// How old the wall clock's offset may be.
const WALL_REFRESH: u64 = 500_000_000;

/// What ticks are counted by.
pub(crate) trait Source {
    fn now(&self) -> Tick;
}

/// The processor's counter where it can be trusted, the system's monotonic clock elsewhere.
#[derive(Debug)]
pub(crate) struct Counter {
    clock: quanta::Clock,
    origin: u64,
    /// Nanoseconds for each step of the counter, times 2^32.
    scale: u64,
}

impl Counter {
    /// `None` in a process that was forked while another thread measured the counter for the
    /// first time: there it counts for measured by that thread, for which nobody may wait.
    fn new() -> Option<Self> {
        /// Enough steps to tell the scale to a billionth, some minutes.
        const MANY: u64 = 1 << 40;
        static MEASURED: Measured = Measured(AtomicU32::new(0));

        let clock = MEASURED.measure(crate::sync::fork_depth(), quanta::Clock::new)?;
        Some(Self {
            origin: clock.raw(),
            scale: clock.delta_as_nanos(0, MANY) >> (40 - 32),
            clock,
        })
    }
}

/// 0 before the counter was measured, [`DONE`](Self::DONE) afterwards, and in between how many
/// forks the process that measures it lies behind the first, and one.
struct Measured(AtomicU32);

impl Measured {
    const DONE: u32 = u32::MAX;

    /// Measures, or waits for another thread of this process that does.
    fn measure<T>(&self, forks: u32, measure: impl FnOnce() -> T) -> Option<T> {
        let mine = forks + 1;
        let begun = self
            .0
            .compare_exchange(0, mine, Ordering::AcqRel, Ordering::Acquire);
        if begun.is_err_and(|other| other != mine && other != Self::DONE) {
            return None;
        }
        let measured = measure();
        self.0.store(Self::DONE, Ordering::Release);
        Some(measured)
    }
}

impl Source for Counter {
    #[inline(always)]
    fn now(&self) -> Tick {
        // A counter that another core has not come to yet is no step back.
        let steps = self.clock.raw().saturating_sub(self.origin);
        ((u128::from(steps) * u128::from(self.scale)) >> 32) as u64
    }
}

/// The system's monotonic clock, as seen from when it was first looked at.
#[derive(Debug)]
pub(crate) struct Monotonic(Instant);

impl Source for Monotonic {
    fn now(&self) -> Tick {
        nanos(self.0.elapsed())
    }
}

impl<S: Source> SystemTicks<S> {
    fn of(source: S) -> Self {
        let system = Self {
            source,
            wall: AtomicU64::new(0),
            read_at: AtomicU64::new(0),
        };
        system.read_wall(system.now());
        system
    }

    #[inline(always)]
    fn now(&self) -> Tick {
        self.source.now()
    }

    #[inline(always)]
    fn now_and_wall(&self) -> (Tick, Wall) {
        let now = self.now();
        (now, self.wall(now))
    }

    #[inline(always)]
    fn wall(&self, now: Tick) -> Wall {
        if now.saturating_sub(self.read_at.load(Ordering::Relaxed)) >= WALL_REFRESH {
            self.read_wall(now);
        }
        Wall(self.wall.load(Ordering::Relaxed))
    }

    #[cold]
    fn read_wall(&self, now: Tick) {
        let since_epoch = nanos(
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        );
        self.wall
            .store(since_epoch.saturating_sub(now), Ordering::Relaxed);
        self.read_at.store(now, Ordering::Relaxed);
    }
}

impl Ticks {
    pub(crate) fn new(clock: Clock) -> Self {
        match clock {
            Clock::Manual(clock) => Self::Manual(clock),
            Clock::System => match Counter::new() {
                Some(counter) => Self::System(SystemTicks::of(counter)),
                None => Self::Plain(SystemTicks::of(Monotonic(Instant::now()))),
            },
        }
    }

    /// Whether they are those of this clock.
    pub(crate) fn are_of(&self, clock: &Clock) -> bool {
        match (self, clock) {
            (Self::Manual(mine), Clock::Manual(theirs)) => {
                std::sync::Arc::ptr_eq(&mine.0, &theirs.0)
            }
            (Self::System(_) | Self::Plain(_), Clock::System) => true,
            _ => false,
        }
    }

    pub(crate) fn is_manual(&self) -> bool {
        matches!(self, Self::Manual(_))
    }

    #[inline(always)]
    pub(crate) fn now(&self) -> Tick {
        match self {
            Self::System(clock) => clock.now(),
            _ => self.now_and_wall_slow().0,
        }
    }

    /// The tick, and what turns it and those after it into UTC. A task takes this once, at
    /// its birth: its times do not move when the wall clock steps, and keep their order.
    #[inline(always)]
    pub(crate) fn now_and_wall(&self) -> (Tick, Wall) {
        match self {
            Self::System(clock) => clock.now_and_wall(),
            _ => self.now_and_wall_slow(),
        }
    }

    /// The same for a clock that few use, out of the way of the one that most do.
    #[inline(never)]
    fn now_and_wall_slow(&self) -> (Tick, Wall) {
        match self {
            Self::System(clock) => clock.now_and_wall(),
            Self::Plain(clock) => clock.now_and_wall(),
            Self::Manual(clock) => {
                let ticks = clock.0.ticks.load(Ordering::SeqCst);
                (ticks, Wall(clock.0.wall.load(Ordering::SeqCst)))
            }
        }
    }
}

/// UTC at tick 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wall(pub(crate) u64);

/// Nanoseconds since the epoch, or [`NEVER`].
pub(crate) type Utc = u64;

impl Wall {
    /// What has happened beyond the last time that there is, in the year 2554, shows that time,
    /// and never that nothing happened.
    #[inline]
    pub(crate) fn utc(self, tick: Tick) -> Utc {
        match tick.checked_add(1) {
            None => NEVER,
            Some(next) => self.0.saturating_add(next) - 1,
        }
    }

    #[inline]
    pub(crate) fn time(self, tick: Tick) -> Option<SystemTime> {
        time(self.utc(tick))
    }
}

/// What is shown of a time; `None` for what has not happened.
#[inline]
pub(crate) fn time(utc: Utc) -> Option<SystemTime> {
    (utc != NEVER).then(|| UNIX_EPOCH + Duration::from_nanos(utc))
}

/// A duration in ticks; one that does not fit is the longest there is.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn life_10_nobody_waits_for_a_measurement_of_another_process() {
        for (before, comes) in [(0, true), (3, true), (2, false), (Measured::DONE, true)] {
            let measured = Measured(AtomicU32::new(before));
            assert_eq!(measured.measure(2, || ()).is_some(), comes, "{before}");
            let after = if comes { Measured::DONE } else { before };
            assert_eq!(measured.0.into_inner(), after);
        }
    }

    #[test]
    fn life_5_the_systems_clock_goes_on_where_the_counter_cannot_be_had() {
        let ticks = Ticks::Plain(SystemTicks::of(Monotonic(Instant::now())));
        let (first, wall) = ticks.now_and_wall();
        while ticks.now() == first {}
        let now = wall.time(ticks.now()).unwrap();
        let far = SystemTime::now().duration_since(now).unwrap_or_default();
        assert!(far < Duration::from_secs(60), "{far:?} in the past");
    }

    #[test]
    fn life_5_steps_of_the_counter_are_told_in_nanoseconds_since_the_clock_was_made() {
        let (clock, steps) = quanta::Clock::mock();
        steps.increment(1_000_u64);
        let counter = |origin| Counter {
            clock: clock.clone(),
            origin,
            scale: 5 << 31,
        };
        assert_eq!(counter(900).now(), 250, "two and a half for each step");
        assert_eq!(counter(1_001).now(), 0, "no step back");
        steps.increment(1_u64 << 40);
        assert_eq!(counter(1_000).now(), 5 << 39);
    }

    #[test]
    fn life_5_the_wall_clock_is_read_again_when_its_offset_is_half_a_second_old() {
        const READ_AT: Tick = 7_000_000_000;
        let system = SystemTicks {
            source: Still(AtomicU64::new(READ_AT + WALL_REFRESH - 1)),
            wall: AtomicU64::new(5),
            read_at: AtomicU64::new(READ_AT),
        };
        let (now, wall) = system.now_and_wall();
        assert_eq!((now, wall.0), (READ_AT + WALL_REFRESH - 1, 5));
        let now = READ_AT + WALL_REFRESH;
        system.source.0.store(now, Ordering::Relaxed);
        let before = nanos(SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
        let (_, wall) = system.now_and_wall();
        assert_ne!(wall.0, 5);
        // Whatever steps the machine's clock makes meanwhile: no century.
        let far = (wall.0 + now).abs_diff(before);
        assert!(far < 100 * 365 * 24 * 3600 * 1_000_000_000, "{far} ns off");
        assert_eq!(system.read_at.load(Ordering::Relaxed), now);
        // A thread that looked at the counter before is not behind by ages.
        system.wall.store(5, Ordering::Relaxed);
        assert_eq!(system.wall(now - 1).0, 5);
    }

    struct Still(AtomicU64);

    impl Source for Still {
        fn now(&self) -> Tick {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn life_5_a_wall_clock_near_its_end_shows_its_last_moment() {
        const LAST: Utc = NEVER - 1;
        for wall in [LAST - 1, LAST, NEVER] {
            for tick in [0, 1, 2, FARTHEST, NEVER - 1] {
                let utc = Wall(wall).utc(tick);
                assert_eq!(
                    utc,
                    wall.saturating_add(tick).min(LAST),
                    "{wall} and {tick}"
                );
                assert!(Wall(wall).time(tick).is_some());
            }
            assert_eq!(Wall(wall).utc(NEVER), NEVER, "what has not happened");
        }
        assert_eq!(Wall(7).utc(5), 12);
    }
}
