//! Aborting a million tasks. Each figure is for all of them.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use taskmgr::{AbortGuard, Task};
use tokio_util::sync::CancellationToken;

use crate::measure::{Plan, Sample, timed};
use crate::ours::World;
use crate::report::{Comparison, Row, goal};
use crate::tokens::{self, Waiting};

pub(super) const ROWS: &[Row] = &[
    goal("abort_1M_flat_call/tokio_cancel", 0.001, || {
        compare(false, cancel)
    }),
    goal("abort_1M_flat_all_polled/tokio_cancel", 0.35, || {
        compare(true, cancel)
    }),
    goal(
        "abort_1M_with_callbacks/tokio_cancel_with_wakers",
        1.5,
        with_callbacks,
    ),
];

const TASKS: usize = 1_000_000;

fn compare(polled: bool, mut peer: fn() -> Sample) -> Comparison {
    let world = World::new();
    Comparison::ns(Plan::LONG.run([
        &mut || {
            let (root, children) = flat(&world);
            timed(1, || {
                root.abort("enough").expect("it is abortable");
                if polled {
                    children.iter().for_each(|child| {
                        assert!(child.abort_requested(), "nothing escapes");
                    });
                }
            })
        },
        &mut peer,
    ]))
}

fn flat(world: &World) -> (Task, Vec<Task>) {
    let root = world.root();
    let children = world.children(&root, TASKS);
    (root, children)
}

fn cancel() -> Sample {
    let parent = CancellationToken::new();
    let children = tokens::children(&parent, TASKS);
    let sample = timed(1, || parent.cancel());
    assert!(children.iter().all(CancellationToken::is_cancelled));
    sample
}

fn with_callbacks() -> Comparison {
    static CALLED: AtomicUsize = AtomicUsize::new(0);
    let world = World::new();
    Comparison::ns(Plan::LONG.run([
        &mut || {
            let (root, children) = flat(&world);
            CALLED.store(0, Ordering::Relaxed);
            let call = || {
                CALLED.fetch_add(1, Ordering::Relaxed);
            };
            let guard = |child: &Task| child.on_abort(call).expect("not yet aborted");
            let guards: Vec<AbortGuard> = children.iter().map(guard).collect();
            let sample = timed(1, || {
                root.abort("enough").expect("it is abortable");
                while CALLED.load(Ordering::Relaxed) < TASKS {
                    std::hint::spin_loop();
                }
            });
            drop(black_box(guards));
            sample
        },
        &mut || {
            let parent = CancellationToken::new();
            let waiting = Waiting::on(tokens::children(&parent, TASKS));
            let sample = timed(1, || parent.cancel());
            assert!(waiting.all_woken());
            sample
        },
    ]))
}
