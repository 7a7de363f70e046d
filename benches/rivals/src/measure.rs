//! Taking times on a machine that others use too.
//!
//! A *sample* is one timed run of a loop, and says whether a thread was preempted in it. A
//! *round* takes a few samples of every side in turn, and keeps the median of each side;
//! samples in which somebody was preempted are taken again, a bounded number of times. A
//! *series* is what the rounds gave for one side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// One timed run.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Nanoseconds per operation; CPU-ns if two threads ran.
    pub value: f64,
    /// Whether the kernel took a core from a thread that was being timed.
    pub preempted: bool,
}

/// One side of a comparison.
pub type Side<'a> = &'a mut dyn FnMut() -> Sample;

/// Times `work`, which does `operations` of them on this thread.
pub fn timed(operations: usize, work: impl FnOnce()) -> Sample {
    let before = preemptions();
    let start = Instant::now();
    work();
    let elapsed = start.elapsed();
    Sample {
        value: elapsed.as_nanos() as f64 / operations as f64,
        preempted: preemptions() != before,
    }
}

/// Times two threads, pinned to cores of their own, that each do `operations` with their
/// state after a quarter as many to warm up. CPU-ns: wall time × 2 / operations of both.
pub fn timed_pair<S: Send>(
    states: &mut [S; 2],
    operations: usize,
    work: impl Fn(&mut S, usize) + Sync,
) -> Sample {
    let gate = Gate::new(2);
    let run = |core: usize, state: &mut S| {
        pin(core);
        work(state, operations / 4);
        Lap::run(&gate, || work(state, operations))
    };
    let [first, second] = states;
    let laps = std::thread::scope(|scope| {
        let first = scope.spawn(|| run(0, first));
        let second = scope.spawn(|| run(1, second));
        [joined(first), joined(second)]
    });
    Lap::both(laps, 2 * operations)
}

/// Times a hand-over of so many things: `give` on one core, `take` on the other. CPU-ns.
pub fn timed_hand_over(
    things: usize,
    give: impl FnOnce() + Send,
    take: impl FnOnce() + Send,
) -> Sample {
    let gate = Gate::new(2);
    let laps = std::thread::scope(|scope| {
        let giver = scope.spawn(|| {
            pin(0);
            Lap::run(&gate, give)
        });
        let taker = scope.spawn(|| {
            pin(1);
            Lap::run(&gate, take)
        });
        [joined(giver), joined(taker)]
    });
    Lap::both(laps, things)
}

/// One thread's part of a sample of two.
#[derive(Clone, Copy, Debug)]
struct Lap {
    start: Instant,
    end: Instant,
    preempted: bool,
}

impl Lap {
    fn run(gate: &Gate, work: impl FnOnce()) -> Self {
        gate.pass();
        let before = preemptions();
        let start = Instant::now();
        work();
        let end = Instant::now();
        Self {
            start,
            end,
            preempted: preemptions() != before,
        }
    }

    fn both([a, b]: [Self; 2], operations: usize) -> Sample {
        let wall = a.end.max(b.end) - a.start.min(b.start);
        Sample {
            value: wall.as_nanos() as f64 * 2.0 / operations as f64,
            preempted: a.preempted || b.preempted,
        }
    }
}

/// The result of a thread; its panic is ours.
pub fn joined<T>(handle: std::thread::ScopedJoinHandle<'_, T>) -> T {
    handle
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Lets its threads through when all have come, without putting any to sleep.
#[derive(Debug)]
pub struct Gate {
    missing: AtomicUsize,
}

impl Gate {
    /// For so many threads, once.
    pub fn new(threads: usize) -> Self {
        Self {
            missing: AtomicUsize::new(threads),
        }
    }

    /// Waits for the others.
    pub fn pass(&self) {
        self.missing.fetch_sub(1, Ordering::AcqRel);
        while self.missing.load(Ordering::Acquire) != 0 {
            std::hint::spin_loop();
        }
    }
}

/// Pins this thread to the first or the second core.
pub fn pin(core: usize) {
    // SAFETY: a zeroed cpu_set_t is an empty set; both calls only read or write that local.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set)
    };
    assert_eq!(
        result, 0,
        "no core {core}: the benches need two cores, 0 and 1"
    );
}

/// How often the kernel took the core away from this thread.
pub fn preemptions() -> i64 {
    // SAFETY: a zeroed rusage is a valid value, which getrusage fills.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage.ru_nivcsw
    }
}

/// Does something `count` times, a multiple of eight: eight in a row for each turn of the
/// loop, whose own price would else be as high as that of a load.
#[inline(always)]
pub fn repeat(count: usize, mut once: impl FnMut()) {
    for _ in 0..count / 8 {
        once();
        once();
        once();
        once();
        once();
        once();
        once();
        once();
    }
}

/// How a row is sampled.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Rounds; at least 7.
    pub rounds: usize,
    /// Samples of each side in a round.
    pub samples: usize,
    /// How often a sample in which somebody was preempted is taken again.
    pub retakes: usize,
    /// Whether a sample of each side is thrown away first.
    pub warm_up: bool,
}

impl Plan {
    /// For samples of about a millisecond.
    pub const SHORT: Self = Self {
        rounds: 11,
        samples: 5,
        retakes: 20,
        warm_up: true,
    };
    /// For samples that take a tenth of a second and more to prepare.
    pub const LONG: Self = Self {
        rounds: 7,
        samples: 1,
        retakes: 4,
        warm_up: true,
    };

    /// Takes the rounds: the series of each side, in their order.
    pub fn run<const N: usize>(&self, mut sides: [Side<'_>; N]) -> [Series; N] {
        let mut series: [Series; N] = std::array::from_fn(|_| Series::default());
        if self.warm_up {
            for side in &mut sides {
                side();
            }
        }
        for round in 0..self.rounds {
            let mut values: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
            for take in 0..self.samples {
                for turn in 0..N {
                    // There and back, so that a drift hits no side more than another.
                    let at = if (round + take) % 2 == 0 {
                        turn
                    } else {
                        N - 1 - turn
                    };
                    values[at].push(self.sample(&mut *sides[at], &mut series[at]));
                }
            }
            for (series, values) in series.iter_mut().zip(values) {
                series.rounds.push(median(values));
            }
        }
        series
    }

    fn sample(&self, side: Side<'_>, series: &mut Series) -> f64 {
        let mut best = side();
        for _ in 0..self.retakes {
            if !best.preempted {
                break;
            }
            series.retaken += 1;
            let again = side();
            if !again.preempted || again.value < best.value {
                best = again;
            }
        }
        series.preempted += usize::from(best.preempted);
        best.value
    }
}

/// What the rounds gave for one side.
#[derive(Clone, Debug, Default)]
pub struct Series {
    rounds: Vec<f64>,
    /// How many samples were taken again.
    pub retaken: usize,
    /// How many were used although somebody was preempted in each try.
    pub preempted: usize,
}

impl Series {
    /// A figure that needs no rounds, as it is the same in each.
    pub fn exact(values: Vec<f64>) -> Self {
        Self {
            rounds: values,
            ..Self::default()
        }
    }

    /// The median of the rounds.
    pub fn median(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// The least and the greatest of the rounds.
    pub fn spread(&self) -> (f64, f64) {
        let least = self.rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.rounds.iter().copied().fold(0.0, f64::max);
        (least, most)
    }

    /// The least and the greatest ratio to another's round of the same number.
    pub fn ratios(&self, peer: &Self) -> (f64, f64) {
        let rounds = self.rounds.iter().zip(&peer.rounds);
        let ratios = rounds.map(|(ours, theirs)| ours / theirs);
        ratios.fold((f64::INFINITY, 0.0), |(least, most), ratio| {
            (least.min(ratio), most.max(ratio))
        })
    }

    /// The sum with so many times another, round by round.
    pub fn plus(mut self, times: f64, other: &Self) -> Self {
        for (mine, theirs) in self.rounds.iter_mut().zip(&other.rounds) {
            *mine += times * theirs;
        }
        self.retaken += other.retaken;
        self.preempted += other.preempted;
        self
    }

    /// How many rounds there were.
    pub fn len(&self) -> usize {
        self.rounds.len()
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.rounds.is_empty()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// A shuffle of `0..count` that is the same in every run.
pub fn shuffled(count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for at in (1..count).rev() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        order.swap(at, (random % (at as u64 + 1)) as usize);
    }
    order
}
