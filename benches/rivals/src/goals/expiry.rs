//! Forgetting a million roots whose time has come, and whom that disturbs.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use taskmgr::{Clock, Manager, ManualClock, Task};

use crate::classic::Classic;
use crate::measure::{Plan, Sample, joined, pin, preemptions, timed};
use crate::ours::{World, finish};
use crate::report::{Comparison, Limit, Row, goal};

pub(super) const ROWS: &[Row] = &[
    goal("expiry_1M_roots/classic", 0.1, beside_classic),
    Row {
        name: "expiry_longest_gap_of_a_reporter/idle",
        limit: Limit::Plus(200_000.0),
        measure: longest_gap,
    },
];

const ROOTS: usize = 1_000_000;
const TTL: Duration = Duration::from_secs(60);

/// A manager whose clock the bench moves.
struct Expiring {
    clock: ManualClock,
    world: World,
}

impl Expiring {
    fn new() -> Self {
        let clock = ManualClock::new();
        let manager = Manager::builder()
            .task_ttl(TTL)
            .max_finished_bytes(u64::MAX)
            .clock(Clock::Manual(clock.clone()))
            .build()
            .expect("valid");
        Self {
            clock,
            world: World::of(manager),
        }
    }

    /// Roots that have ended, and whose time comes.
    fn prepare(&self) {
        (0..ROOTS).for_each(|_| finish(self.world.root()));
        self.clock.advance(2 * TTL);
    }

    fn expire(&self) {
        assert_eq!(self.world.manager.tick(), ROOTS);
    }
}

fn beside_classic() -> Comparison {
    let expiring = Expiring::new();
    let mut classic = Classic::new();
    let ttl = TTL.as_secs();
    Comparison::ns(Plan::LONG.run([
        &mut || {
            expiring.prepare();
            timed(ROOTS, || expiring.expire())
        },
        &mut || {
            classic.finished_roots(ROOTS, ttl);
            timed(ROOTS, || assert_eq!(classic.expire(2 * ttl), ROOTS))
        },
    ]))
}

/// The longest time between two reports of a worker on another core, while roots expire and
/// while nothing happens for as long.
fn longest_gap() -> Comparison {
    let expiring = Expiring::new();
    let mut reporting = expiring.world.root();
    let mut idle = expiring.world.root();
    let took = Cell::new(Duration::ZERO);
    Comparison::ns(Plan::LONG.run([
        &mut || {
            expiring.prepare();
            gap(&mut reporting, || {
                let start = Instant::now();
                expiring.expire();
                took.set(start.elapsed());
            })
        },
        &mut || gap(&mut idle, || std::thread::sleep(took.get())),
    ]))
}

fn gap(task: &mut Task, meanwhile: impl FnOnce()) -> Sample {
    let (reports, over) = (&AtomicBool::new(false), &AtomicBool::new(false));
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            pin(1);
            let before = preemptions();
            let mut longest = Duration::ZERO;
            let mut last = Instant::now();
            while !over.load(Ordering::Relaxed) {
                task.advance(1);
                let now = Instant::now();
                longest = longest.max(now - last);
                last = now;
                reports.store(true, Ordering::Relaxed);
            }
            Sample {
                value: longest.as_nanos() as f64,
                preempted: preemptions() != before,
            }
        });
        while !reports.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        meanwhile();
        over.store(true, Ordering::Relaxed);
        joined(worker)
    })
}
