//! Trees of any shape and size, ids of long ago, and which handles may cross threads.

mod common;

use common::{Node, PATIENCE, node};
use taskmgr::{
    AbortGuard, Completion, DoneGuard, Filter, Manager, Module, Observer, Reporter, SharedTask,
    Task, Uuid,
};

const fn is_send<T: Send>() {}
const fn is_shared<T: Send + Sync>() {}
const fn is_cloned<T: Send + Sync + Clone>() {}

const _: () = {
    is_send::<Task>();
    is_send::<Reporter>();
    is_send::<AbortGuard>();
    is_send::<DoneGuard>();
    is_send::<Completion>();
    is_cloned::<Observer>();
    is_shared::<SharedTask>();
    is_cloned::<Module>();
    is_cloned::<Manager>();
};

/// Compiles for a type that is not `Sync` only: for one that is, both impls fit.
trait NotSync<Marker> {
    const OK: () = ();
}
struct Always;
struct IfSync;
impl<T> NotSync<Always> for T {}
impl<T: Sync> NotSync<IfSync> for T {}

const _: () = {
    // Each counts in a cell that it writes without an atomic operation.
    let () = <Task as NotSync<_>>::OK;
    let () = <Reporter as NotSync<_>>::OK;
};

#[test]
fn id_1_a_stale_id_never_shows_another_tasks_data() {
    let node = node();
    let parent = node.module.task("p").start().unwrap();
    let mut stale: Vec<Uuid> = Vec::new();
    for round in 0..1_000_000u32 {
        // Most are plain, so that the same few slots are used again and again.
        let task = parent.child("t").start().unwrap();
        if round % 50_000 == 0 {
            stale.push(task.id());
        }
        if round % 10_000 == 0 {
            for id in stale.iter().filter(|id| **id != task.id()) {
                let error = node.manager.status(*id).unwrap_err();
                assert!(error.is_not_found() || error.is_gone(), "{error}");
                assert!(node.manager.abort(*id, "late").is_err());
            }
            assert!(!task.abort_requested());
        }
        task.finish().unwrap();
    }
    assert_eq!(parent.status().unwrap().child_counts.succeeded, 1_000_000);
}

/// A stack that no recursion over a tree would fit into.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(work);
    thread.unwrap().join().unwrap();
}

const DEEP: usize = 20_000;

fn chain(node: &Node) -> Vec<Task> {
    let mut chain = vec![node.module.task("t").start().unwrap()];
    while chain.len() < DEEP {
        let task = chain
            .last()
            .unwrap()
            .child("t")
            .total(1, "rows")
            .start()
            .unwrap();
        chain.push(task);
    }
    chain
}

#[test]
fn fold_3_a_deep_tree_that_ends_bottom_up_failing_all_the_way() {
    on_a_small_stack(|| {
        let node = node();
        let mut chain = chain(&node);
        let root = chain[0].id();
        chain.last().unwrap().advance(1);
        assert_eq!(node.manager.status(root).unwrap().progress.completed, 1);
        assert_eq!(node.manager.status_tree(root).unwrap().len(), DEEP);
        while let Some(task) = chain.pop() {
            task.fail("failed").unwrap();
        }
        let tree = node.manager.take_status_tree(root).unwrap();
        assert!(
            tree.len() <= 1 + 16_384 && tree.len() > 16_000,
            "{} are kept",
            tree.len()
        );
        let kept = (tree.len() - 1) as u64;
        assert_eq!(tree[0].child_counts.not_kept, DEEP as u64 - 1 - kept);
        assert_eq!(tree[0].first_error.as_deref(), Some("failed"));
    });
}

#[test]
fn fold_3_a_deep_tree_that_ends_top_down_and_is_aborted_before() {
    on_a_small_stack(|| {
        let node = node();
        let chain = chain(&node);
        let root = chain[0].observe();
        chain[0].abort("enough").unwrap();
        assert!(chain.last().unwrap().abort_requested());
        for task in chain {
            assert!(task.finish().unwrap_err().is_aborted());
        }
        assert!(root.status().unwrap().settled);
        assert!(node.manager.close(PATIENCE).unwrap().is_complete());
    });
}

#[test]
fn fold_4_a_wide_tree_keeps_its_bounds_and_its_sums() {
    const WIDE: u64 = 100_000;
    on_a_small_stack(|| {
        let node = node();
        let root = node.module.task("t").start().unwrap();
        let child = |_| root.child("t").total(2, "rows").start().unwrap();
        let children: Vec<Task> = (0..WIDE).map(child).collect();
        assert_eq!(
            node.module
                .list(&Filter::new().internal(true))
                .unwrap()
                .len() as u64,
            WIDE + 1
        );
        children.iter().for_each(|child| child.advance(1));
        let progress = root.status().unwrap().progress;
        assert_eq!((progress.completed, progress.total), (WIDE, 2 * WIDE));
        for (number, child) in children.into_iter().enumerate() {
            match number % 2 {
                0 => child.finish().unwrap(),
                _ => child.fail("failed").unwrap(),
            }
        }
        let status = root.status().unwrap();
        assert_eq!(
            (status.progress.completed, status.progress.total),
            (WIDE, 2 * WIDE)
        );
        let counts = status.child_counts;
        assert_eq!((counts.succeeded, counts.failed), (WIDE / 2, WIDE / 2));
        assert_eq!(status.children.len(), 2 * 1024);
        assert_eq!(counts.not_kept, WIDE - 2 * 1024);
    });
}
