//! Trees that are as deep as they are large: each is aborted, shown, listed and ended in a time that
//! grows with its size alone, and loses nothing that a shallow one keeps (abort_2, fold_4, fold_5).

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use common::{Node, node, node_with};
use taskmgr::{Filter, State, Task};

/// A chain of tasks, each the child of the one before.
fn chain(node: &Node, depth: usize) -> Vec<Option<Task>> {
    let mut tasks = vec![node.module.task("root").start().unwrap()];
    while tasks.len() < depth {
        let child = tasks[tasks.len() - 1].child("part").start().unwrap();
        tasks.push(child);
    }
    tasks.into_iter().map(Some).collect()
}

/// In what order a chain ends.
#[derive(Clone, Copy, Debug)]
enum Order {
    DeepestFirst,
    RootFirst,
    Mixed,
}

const ORDERS: [Order; 3] = [Order::DeepestFirst, Order::RootFirst, Order::Mixed];

impl Order {
    fn of(self, depth: usize) -> Box<dyn Iterator<Item = usize>> {
        match self {
            Self::DeepestFirst => Box::new((0..depth).rev()),
            Self::RootFirst => Box::new(0..depth),
            Self::Mixed => Box::new((0..depth).map(move |at| at * 1_217 % depth)),
        }
    }
}

/// So deep is a small chain; of one that is deeper not all records are kept.
const DEPTH: usize = 1_000;

/// How long something takes with a chain of this depth, the making of the chain left out.
fn time(depth: usize, of: &dyn Fn(&Node, Vec<Option<Task>>)) -> Duration {
    let node = node_with(|builder| builder.max_kept_per_root(DEPTH));
    let tasks = chain(&node, depth);
    let start = Instant::now();
    of(&node, tasks);
    start.elapsed()
}

/// Fails if eight times the depth takes far more than eight times as long in each of several runs:
/// what is linear comes to 8 and somewhat more, what is quadratic to 64.
fn assert_linear(what: &str, of: impl Fn(&Node, Vec<Option<Task>>)) {
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let small = (0..3).map(|_| time(DEPTH, &of)).min().unwrap();
        let ratio = time(8 * DEPTH, &of).as_secs_f64() / small.as_secs_f64();
        if ratio < 32.0 {
            return;
        }
        ratios.push(ratio);
    }
    panic!("{what}: eight times the depth took {ratios:?} times as long");
}

fn drop_all(depth: usize, order: Order, tasks: &mut [Option<Task>]) {
    for at in order.of(depth) {
        drop(tasks[at].take());
    }
}

#[test]
fn a_chain_ends_in_linear_time_in_any_order() {
    for order in ORDERS {
        assert_linear(&format!("{order:?}"), |_, mut tasks| {
            drop_all(tasks.len(), order, &mut tasks);
        });
    }
}

#[test]
fn an_aborted_chain_is_shown_listed_and_ended_in_linear_time_in_any_order() {
    for order in ORDERS {
        for aborted in [0.0, 0.5, 1.0] {
            assert_linear(&format!("{order:?}, from {aborted}"), |node, mut tasks| {
                let depth = tasks.len();
                let aborted = ((depth - 1) as f64 * aborted) as usize;
                let root = tasks[0].as_ref().unwrap().observe();
                tasks[aborted].as_ref().unwrap().abort("enough").unwrap();
                let tree = root.status_tree().unwrap();
                let reached = tree.iter().filter(|status| status.abort.is_some());
                assert_eq!((tree.len(), reached.count()), (depth, depth - aborted));
                let all = Filter::new().internal(true);
                assert_eq!(node.module.list(&all).unwrap().len(), depth);
                drop_all(depth, order, &mut tasks);
                assert!(root.status().unwrap().settled);
            });
        }
    }
}

#[test]
fn abort_callbacks_of_a_chain_are_called_in_linear_time() {
    assert_linear("callbacks", |_, tasks| {
        let called = Arc::new(AtomicUsize::new(0));
        let hook = |task: &Option<Task>| {
            let called = Arc::clone(&called);
            let call = move || {
                called.fetch_add(1, Relaxed);
            };
            task.as_ref().unwrap().on_abort(call).unwrap()
        };
        let guards: Vec<_> = tasks.iter().map(hook).collect();
        let middle = tasks.len() / 2;
        tasks[middle].as_ref().unwrap().abort("enough").unwrap();
        assert_eq!(called.load(Relaxed), tasks.len() - middle);
        drop(guards);
    });
}

#[test]
fn a_chain_with_a_failure_at_its_end_is_kept_and_shown_in_linear_time() {
    assert_linear("a failure", |_, mut tasks| {
        let root = tasks[0].as_ref().unwrap().observe();
        tasks.pop().unwrap().unwrap().fail("no space").unwrap();
        while let Some(task) = tasks.pop() {
            task.unwrap().finish().unwrap();
        }
        let tree = root.status_tree().unwrap();
        assert_eq!(tree[0].first_error.as_deref(), Some("no space"));
    });
}

/// How deep a path is that no tree keeps as a whole.
const DEEP: usize = 40_000;
const MOST_KEPT: usize = 16_384;

#[test]
fn fold_4_of_a_path_that_is_too_deep_the_upper_part_is_kept_and_the_rest_counted() {
    for order in ORDERS {
        let node = node();
        let mut tasks = chain(&node, DEEP);
        let root = tasks[0].as_ref().unwrap().observe();
        let last = tasks.pop().unwrap().unwrap();
        last.fail("no space").unwrap();
        drop_all(DEEP - 1, order, &mut tasks);
        let tree = root.status_tree().unwrap();
        // What went last went at once with less than a tenth.
        let kept = tree.len() - 1;
        let few = MOST_KEPT - MOST_KEPT / 10;
        assert!((few..=MOST_KEPT).contains(&kept), "{kept}");
        for (above, below) in tree.iter().zip(&tree[1..]) {
            assert_eq!(below.parent_id, Some(above.id), "a path");
            let children: Vec<_> = above.children.iter().map(|child| child.task_id).collect();
            assert_eq!(children, [below.id]);
        }
        for status in &tree {
            assert_eq!(status.state, State::Failed);
            assert_eq!(status.child_counts.failed, 1);
            assert_eq!(status.first_error.as_deref(), Some("no space"));
        }
        let below = (DEEP - 1 - kept) as u64;
        assert_eq!(tree[0].child_counts.not_kept, below, "{order:?}");
        assert_eq!(tree[kept].child_counts.not_kept, below, "{order:?}");
    }
}
