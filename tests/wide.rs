//! Parents of more children than are read under one lock.

mod common;

use common::{node, node_with};
use taskmgr::{State, Task};

const MANY: usize = 2_500;

/// A child that has counted one unit.
fn child(parent: &Task, at: usize) -> Task {
    let child = parent
        .child("t")
        .units("rows")
        .entity(&at.to_string())
        .start()
        .unwrap();
    child.advance(1);
    child
}

/// The entities of a parent's children, in order.
fn entities(parent: &Task) -> Vec<usize> {
    let tree = parent.observe().status_tree().unwrap();
    let ids: Vec<_> = tree[0].children.iter().map(|child| child.task_id).collect();
    let below: Vec<_> = tree[1..].iter().map(|status| status.id).collect();
    assert_eq!(ids, below);
    let alone = parent.status().unwrap();
    let alone: Vec<_> = alone.children.iter().map(|child| child.task_id).collect();
    assert_eq!(ids, alone);
    tree[1..]
        .iter()
        .map(|status| status.entity.parse().unwrap())
        .collect()
}

#[test]
fn prog_4_all_that_live_are_added_up_and_listed() {
    let node = node();
    let parent = node.module.task("root").units("rows").start().unwrap();
    let children: Vec<Task> = (0..MANY).map(|at| child(&parent, at)).collect();
    assert_eq!(parent.status().unwrap().progress.completed, MANY as u64);
    assert_eq!(
        parent.observe().status_tree().unwrap()[0]
            .progress
            .completed,
        MANY as u64
    );
    assert!(entities(&parent).into_iter().eq(0..MANY));
    // Those in the middle go first, then the oldest and the youngest.
    let mut left: Vec<Option<Task>> = children.into_iter().map(Some).collect();
    for at in (800..1_700).chain(0..10).chain(MANY - 10..MANY) {
        left[at].take().unwrap().finish().unwrap();
    }
    assert_eq!(parent.status().unwrap().progress.completed, MANY as u64);
    assert!(entities(&parent).into_iter().eq(0..MANY));
    assert_eq!(
        parent.status().unwrap().child_counts.live,
        MANY as u64 - 920
    );
}

#[test]
fn fold_4_all_that_are_kept_are_shown_and_those_beyond_are_counted() {
    for (kept, fails) in [
        (MANY, false),
        (MANY, true),
        (1_024, false),
        (1_300, false),
        (1_300, true),
    ] {
        let node = node_with(|builder| builder.max_kept_children(kept));
        let parent = node.module.task("root").start().unwrap();
        for at in 0..MANY {
            let child = child(&parent, at);
            match fails {
                true => child.fail("no space").unwrap(),
                false => child.finish().unwrap(),
            }
        }
        // Of those that succeeded the last, of those that failed the first.
        let shown = if fails { 0..kept } else { MANY - kept..MANY };
        assert!(entities(&parent).into_iter().eq(shown), "{kept}, {fails}");
        let status = parent.status().unwrap();
        let counts = status.child_counts;
        assert_eq!(counts.not_kept, (MANY - kept) as u64);
        assert_eq!(counts.succeeded + counts.failed, MANY as u64);
        assert_eq!(status.first_error.is_some(), fails);
        assert_eq!(status.progress.completed, MANY as u64);
        let expected = if fails { State::Failed } else { State::Done };
        let tree = parent.observe().status_tree().unwrap();
        assert!(tree[1..].iter().all(|status| status.state == expected));
    }
}
