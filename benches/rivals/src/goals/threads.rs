//! Life cycles on two threads. CPU-ns; the ratios are divided by what the machine itself
//! loses to a second thread.

use std::sync::atomic::{AtomicU64, Ordering};

use taskmgr::Reporter;

use crate::measure::{Plan, timed, timed_pair};
use crate::ours::{World, finish, life_cycles, life_cycles_of_reporter, start};
use crate::primitives::{hand_over, life_control};
use crate::report::{Comparison, Row, goal};

pub(super) const ROWS: &[Row] = &[
    goal(
        "life_cycle_2_threads_own_parents/1_thread",
        1.1,
        own_parents,
    ),
    goal("life_cycle_2_threads_one_parent/1_thread", 1.3, one_parent),
    goal("ended_on_another_thread/box", 1.5, ended_elsewhere),
];

/// Life cycles a thread and sample.
const COUNT: usize = 5_000;

fn own_parents() -> Comparison {
    let world = World::new();
    let mut parents = [world.busy_root(), world.busy_root()];
    let alone = world.busy_root();
    let [mut two, mut one] = life_control(COUNT);
    Comparison::with_control(Plan::SHORT.run([
        &mut || {
            timed_pair(&mut parents, COUNT, |parent, count| {
                life_cycles(parent, &world.names, count);
            })
        },
        &mut || timed(COUNT, || life_cycles(&alone, &world.names, COUNT)),
        &mut two,
        &mut one,
    ]))
}

fn one_parent() -> Comparison {
    let world = World::new();
    let parent = world.busy_root();
    let mut workers: [Reporter; 2] = [parent.reporter(), parent.reporter()];
    let alone = world.busy_root();
    let worker = alone.reporter();
    let [mut two, mut one] = life_control(COUNT);
    let comparison = Comparison::with_control(Plan::SHORT.run([
        &mut || {
            timed_pair(&mut workers, COUNT, |worker, count| {
                life_cycles_of_reporter(worker, &world.names, count);
            })
        },
        &mut || {
            timed(COUNT, || {
                life_cycles_of_reporter(&worker, &world.names, COUNT);
            })
        },
        &mut two,
        &mut one,
    ]));
    check_kept(&world, &parent);
    comparison
}

/// What the parent kept is bounded over all threads; `tests/workers.rs` checks the rest.
fn check_kept(world: &World, parent: &taskmgr::Task) {
    let tree = world.manager.status_tree(parent.id()).expect("a live task");
    let children = &tree[1..];
    assert!(
        (512..=1024).contains(&children.len()),
        "kept children are bounded, and the bound is used"
    );
    let counts = tree[0].child_counts;
    assert_eq!(
        counts.succeeded,
        counts.not_kept + children.len() as u64,
        "every child is counted"
    );
}

fn ended_elsewhere() -> Comparison {
    let world = World::new();
    let mut parent = world.busy_root();
    let [mut two, mut one] = life_control(COUNT);
    Comparison::with_control(Plan::SHORT.run([
        &mut || {
            // A task goes to one thread at a time, and so does this exclusive borrow.
            let parent = &mut parent;
            let names = &world.names;
            hand_over(
                COUNT,
                move || start(names.child(parent)),
                |child| {
                    child.advance(1);
                    finish(child);
                },
            )
        },
        &mut || {
            // As large as a task's slot.
            let make = || Box::new([const { AtomicU64::new(0) }; 16]);
            hand_over(COUNT, make, |thing| {
                thing[0].store(1, Ordering::Relaxed);
            })
        },
        &mut two,
        &mut one,
    ]))
}
