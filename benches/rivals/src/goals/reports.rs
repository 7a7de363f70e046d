//! What a worker pays to report, and to look for an abort.

use taskmgr::{Reporter, Task};
use tokio_util::sync::CancellationToken;

use crate::measure::{Plan, Sample, repeat, timed, timed_pair};
use crate::ours::{World, start};
use crate::primitives::{Line, addition_control, additions, load_control, same_line};
use crate::report::{Comparison, Row, goal};

pub(super) const ROWS: &[Row] = &[
    goal("advance_owner/fetch_add", 0.15, || {
        let world = World::new();
        let task = world.root();
        beside_addition(|| advances(&task, Task::advance))
    }),
    goal("advance_reporter/fetch_add", 0.15, || {
        let world = World::new();
        let task = world.root();
        let reporter = task.reporter();
        beside_addition(|| advances(&reporter, Reporter::advance))
    }),
    goal(
        "advance_2_reporters/same_line_fetch_add",
        0.05,
        two_reporters,
    ),
    goal("abort_check_depth_1/is_cancelled", 0.08, || one_thread(1)),
    goal("abort_check_depth_7/is_cancelled", 0.08, || one_thread(7)),
    goal("abort_check_depth_1_2_threads/is_cancelled", 0.04, || {
        two_threads(1)
    }),
    goal("abort_check_depth_7_2_threads/is_cancelled", 0.04, || {
        two_threads(7)
    }),
];

/// Of what takes a nanosecond or less.
const MANY: usize = 400_000;
/// Of what takes 5 to 200.
const FEW: usize = 20_000;

/// The function is the public one, inlined as in a host.
#[inline(always)]
fn advances<T>(task: &T, advance: impl Fn(&T, u64)) -> Sample {
    timed(MANY, || {
        repeat(MANY, || advance(task, 1));
    })
}

fn beside_addition(mut ours: impl FnMut() -> Sample) -> Comparison {
    let counter = Line::default();
    Comparison::ns(Plan::SHORT.run([&mut ours, &mut || {
        timed(FEW * 4, || additions(&counter, FEW * 4))
    }]))
}

fn two_reporters() -> Comparison {
    let world = World::new();
    let task = world.root();
    let mut workers = [task.reporter(), task.reporter()];
    let [mut two, mut one] = addition_control(FEW * 4);
    Comparison::with_control(Plan::SHORT.run([
        &mut || {
            timed_pair(&mut workers, MANY, |worker, count| {
                let worker: &Reporter = worker;
                repeat(count, || worker.advance(1));
            })
        },
        &mut || same_line(FEW),
        &mut two,
        &mut one,
    ]))
}

/// Tasks below one another, the manager and root first.
fn chain(world: &World, depth: usize) -> Vec<Task> {
    let mut chain = vec![world.root()];
    while chain.len() < depth {
        let child = start(world.names.child(&chain[chain.len() - 1]));
        chain.push(child);
    }
    chain
}

fn one_thread(depth: usize) -> Comparison {
    let world = World::new();
    let chain = chain(&world, depth);
    let leaf = &chain[depth - 1];
    let token = CancellationToken::new();
    Comparison::ns(Plan::SHORT.run([
        &mut || timed(MANY, || work_until(MANY, || leaf.abort_requested())),
        &mut || timed(FEW, || work_until(FEW, || token.is_cancelled())),
    ]))
}

/// A worker's loop: what it finds leaves the loop. No such load may be merged with the next
/// by the compiler, as all are atomic or under a lock.
#[inline(always)]
fn work_until(count: usize, is_over: impl Fn() -> bool) {
    repeat(count, || {
        if is_over() {
            unreachable!("nobody aborts it");
        }
    });
}

fn two_threads(depth: usize) -> Comparison {
    let world = World::new();
    let chain = chain(&world, depth);
    let leaf = &chain[depth - 1];
    let mut workers = [leaf.reporter(), leaf.reporter()];
    let token = CancellationToken::new();
    let mut tokens = [token.clone(), token];
    let [mut two, mut one] = load_control(MANY);
    Comparison::with_control(Plan::SHORT.run([
        &mut || {
            timed_pair(&mut workers, MANY, |worker, count| {
                let worker: &Reporter = worker;
                work_until(count, || worker.abort_requested());
            })
        },
        &mut || {
            timed_pair(&mut tokens, FEW, |token, count| {
                work_until(count, || token.is_cancelled());
            })
        },
        &mut two,
        &mut one,
    ]))
}
