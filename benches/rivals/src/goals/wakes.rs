//! Waking a sleeping waiter: two threads wake each other in turn. The figure is for one wake.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use taskmgr::{Observer, Task};

use crate::futex::Flag;
use crate::measure::{Plan, Sample, joined, pin};
use crate::ours::{World, finish};
use crate::report::{Comparison, Row, figure, goal};

pub(super) const ROWS: &[Row] = &[
    goal("wake_one_core/futex", 1.1, || compare([0, 0], wait)),
    goal("wake_one_core_with_deadline/futex", 1.25, || {
        compare([0, 0], wait_with_deadline)
    }),
    figure("wake_across_cores/futex", || compare([0, 1], wait)),
    figure("wake_across_cores_with_deadline/futex", || {
        compare([0, 1], wait_with_deadline)
    }),
];

/// Turns a sample, of two wakes each.
const TURNS: usize = 1_000;

fn wait(task: &Observer) {
    task.wait().expect("a task of ours");
}

fn wait_with_deadline(task: &Observer) {
    task.wait_timeout(Duration::from_secs(60)).expect("in time");
}

fn compare(cores: [usize; 2], wait: fn(&Observer)) -> Comparison {
    let world = World::new();
    let parent = world.busy_root();
    let children = || -> (Vec<Task>, Vec<Observer>) {
        let tasks = world.children(&parent, TURNS);
        let observers = tasks.iter().map(|task| task.observe()).collect();
        (tasks, observers)
    };
    Comparison::ns(Plan::SHORT.run([
        &mut || {
            let (mine, seen_by_other) = children();
            let (others, seen_by_me) = children();
            ping_pong(
                cores,
                (mine, &seen_by_me),
                (others, &seen_by_other),
                finish,
                wait,
            )
        },
        &mut || {
            let flags = || -> Vec<CachePadded<Flag>> {
                std::iter::repeat_with(CachePadded::default)
                    .take(TURNS)
                    .collect()
            };
            let (mine, others) = (flags(), flags());
            ping_pong(
                cores,
                (mine.iter().collect(), &others),
                (others.iter().collect(), &mine),
                |flag: &CachePadded<Flag>| flag.set(),
                |flag| flag.wait(),
            )
        },
    ]))
}

/// The first thread sets one of its own and waits for one of the other's, and so on. Each
/// wait makes the core change hands, so no sample counts as preempted.
fn ping_pong<S: Send, W: Sync>(
    cores: [usize; 2],
    first: (Vec<S>, &[W]),
    second: (Vec<S>, &[W]),
    set: impl Fn(S) + Sync,
    wait: impl Fn(&W) + Sync,
) -> Sample {
    let ready = Barrier::new(2);
    let elapsed = std::thread::scope(|scope| {
        let asker = scope.spawn(|| {
            pin(cores[0]);
            ready.wait();
            let start = Instant::now();
            for (own, other) in first.0.into_iter().zip(first.1) {
                set(own);
                wait(other);
            }
            start.elapsed()
        });
        let answerer = scope.spawn(|| {
            pin(cores[1]);
            ready.wait();
            for (own, other) in second.0.into_iter().zip(second.1) {
                wait(other);
                set(own);
            }
        });
        joined(answerer);
        joined(asker)
    });
    Sample {
        value: elapsed.as_nanos() as f64 / (2 * TURNS) as f64,
        preempted: false,
    }
}
