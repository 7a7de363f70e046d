//! Parents, children and folding.

mod common;

use common::{node, node_with, seconds};
use taskmgr::{ErrorCode, Filter, GoneReason, State, Task, Uuid};

#[test]
fn tree_1_a_parent_is_given_by_handle_or_by_id() {
    let node = node();
    let parent = node.module.task("p").start().unwrap();
    let reporter = parent.reporter();
    let children = [
        parent.child("c").start(),
        reporter.child("c").start(),
        node.module.task("c").parent(&parent).start(),
        node.module.task("c").parent(&reporter).start(),
        node.module.task("c").parent(&parent.observe()).start(),
        node.module.task("c").parent_id(parent.id()).start(),
    ];
    for child in &children {
        assert_eq!(
            child.as_ref().unwrap().status().unwrap().parent_id,
            Some(parent.id())
        );
    }
    assert_eq!(parent.status().unwrap().children.len(), 6);
    let unknown = node
        .module
        .task("c")
        .parent_id(Uuid::new_v4())
        .start()
        .unwrap_err();
    assert_eq!(unknown.code(), ErrorCode::NotFound);
}

#[test]
fn tree_2_children_are_internal_and_an_internal_root_goes_when_it_has_settled() {
    let node = node();
    let root = node.module.task("r").internal().start().unwrap();
    let child = root.child("c").start().unwrap();
    assert!(child.status().unwrap().internal);
    assert!(node.module.list(&Filter::new()).unwrap().is_empty());
    assert_eq!(
        node.module
            .list(&Filter::new().internal(true))
            .unwrap()
            .len(),
        2
    );
    let id = root.id();
    root.finish().unwrap();
    assert_eq!(
        node.manager.status(id).unwrap().state,
        State::Done,
        "its child runs"
    );
    child.finish().unwrap();
    assert_eq!(
        node.manager.status(id).unwrap_err().gone(),
        Some((GoneReason::Expired, State::Done))
    );
}

#[test]
fn fold_1_a_finished_child_is_a_part_of_its_parent_at_once() {
    let node = node();
    let parent = node.module.task("p").start().unwrap();
    let child = parent
        .child("c")
        .scope("table")
        .keyspace("ks")
        .table("t")
        .entity("e");
    let child = child.total(4, "rows").shard(3).abortable().start().unwrap();
    let id = child.id();
    child.advance(3);
    node.clock.advance(seconds(2));
    let before = child.status().unwrap();
    child.fail("failed").unwrap();
    assert_eq!(
        node.manager.status(id).unwrap_err().gone(),
        Some((GoneReason::Folded, State::Failed))
    );
    assert_eq!(
        node.module
            .list(&Filter::new().internal(true))
            .unwrap()
            .len(),
        1
    );
    let kept = node.manager.status_tree(parent.id()).unwrap().remove(1);
    assert_eq!(parent.status().unwrap().children[0].task_id, id);
    assert_eq!(
        (kept.state, kept.error.as_deref()),
        (State::Failed, Some("failed"))
    );
    assert_eq!(
        kept.end_time.unwrap(),
        kept.start_time.unwrap() + seconds(2)
    );
    assert_eq!(kept.parent_id, Some(parent.id()));
    for (kept, before) in [
        (&kept.type_, &before.type_),
        (&kept.scope, &before.scope),
        (&kept.keyspace, &before.keyspace),
        (&kept.table, &before.table),
        (&kept.entity, &before.entity),
        (&kept.module, &before.module),
    ] {
        assert_eq!(kept, before);
    }
    assert_eq!(kept.progress, before.progress);
    assert_eq!(
        (kept.shard, kept.sequence_number),
        (3, before.sequence_number)
    );
    assert!(kept.is_abortable && kept.settled && kept.internal);
}

#[test]
fn fold_3_a_child_that_ends_before_its_children_folds_with_the_last_of_them() {
    let node = node();
    let root = node.module.task("r").entity("root").start().unwrap();
    let middle = root.child("m").entity("middle").start().unwrap();
    let leaves: Vec<Task> = (0..3)
        .map(|n| middle.child("l").entity(&n.to_string()).start().unwrap())
        .collect();
    let (root_id, middle_id) = (root.id(), middle.id());
    middle.finish().unwrap();
    root.finish().unwrap();
    let status = node.manager.status(middle_id).unwrap();
    assert_eq!(
        (status.state, status.settled, status.child_counts.live),
        (State::Done, false, 3)
    );
    assert!(node.manager.take_status(root_id).unwrap_err().code() == ErrorCode::NotSettled);
    assert_eq!(node.entities(root_id), ["root", "middle", "0", "1", "2"]);
    for (n, leaf) in leaves.into_iter().enumerate() {
        assert!(node.manager.status(middle_id).is_ok());
        if n == 1 {
            leaf.fail("failed").unwrap();
        } else {
            leaf.finish().unwrap();
        }
    }
    assert!(node.manager.status(middle_id).unwrap_err().is_gone());
    let root = node.manager.status(root_id).unwrap();
    assert!(root.settled);
    assert_eq!(root.first_error.as_deref(), Some("failed"));
    assert_eq!(node.entities(root_id), ["root", "middle", "1"]);
}

#[test]
fn fold_3_every_order_of_ending_leaves_the_same() {
    // A root, two children, two grandchildren each: 7! orders are 5,040.
    fn orders(left: Vec<usize>, done: &mut Vec<usize>, each: &mut impl FnMut(&[usize])) {
        if left.is_empty() {
            return each(done);
        }
        for at in 0..left.len() {
            let mut rest = left.clone();
            done.push(rest.remove(at));
            orders(rest, done, each);
            done.pop();
        }
    }
    let node = node();
    orders((0..7).collect(), &mut Vec::new(), &mut |order| {
        let mut tasks: Vec<Option<Task>> = Vec::new();
        for number in 0..7usize {
            let entity = number.to_string();
            let task = match number {
                0 => node.module.task("t").entity(&entity).start(),
                _ => tasks[(number - 1) / 2]
                    .as_ref()
                    .unwrap()
                    .child("t")
                    .entity(&entity)
                    .start(),
            };
            tasks.push(Some(task.unwrap()));
        }
        let root = tasks[0].as_ref().unwrap().id();
        for number in order {
            let task = tasks[*number].take().unwrap();
            match number {
                4 => task.fail("failed").unwrap(),
                _ => task.finish().unwrap(),
            }
        }
        assert_eq!(node.entities(root), ["0", "1", "2", "4"], "{order:?}");
        assert!(node.manager.take_status(root).unwrap().settled);
    });
    assert!(
        node.module
            .list(&Filter::new().internal(true))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn fold_4_the_last_that_succeeded_and_the_first_that_failed_are_kept() {
    let node = node_with(|builder| builder.max_kept_children(2));
    let parent = node.module.task("p").entity("p").start().unwrap();
    for n in 0..4 {
        let child = |name: &str| {
            parent
                .child("c")
                .entity(name)
                .total(1, "rows")
                .start()
                .unwrap()
        };
        child(&format!("ok {n}")).finish().unwrap();
        child(&format!("bad {n}"))
            .fail(format!("error {n}"))
            .unwrap();
    }
    assert_eq!(
        node.entities(parent.id()),
        ["p", "bad 0", "bad 1", "ok 2", "ok 3"]
    );
    let status = parent.status().unwrap();
    let counts = status.child_counts;
    assert_eq!(
        (counts.succeeded, counts.failed, counts.not_kept),
        (4, 4, 4)
    );
    assert_eq!(
        (status.progress.completed, status.progress.total),
        (0, 8),
        "exact all the same"
    );
    assert_eq!(status.first_error.as_deref(), Some("error 0"));
}

#[test]
fn fold_4_a_tree_keeps_no_more_than_its_share_and_drops_the_deepest() {
    let node = node_with(|builder| builder.max_kept_per_root(5));
    let root = node.module.task("t").entity("root").start().unwrap();
    for branch in 0..3 {
        let parent = root
            .child("t")
            .entity(&format!("b{branch}"))
            .start()
            .unwrap();
        for leaf in 0..2 {
            let leaf = format!("b{branch}.{leaf}");
            parent
                .child("t")
                .entity(&leaf)
                .start()
                .unwrap()
                .fail("failed")
                .unwrap();
        }
        parent.finish().unwrap();
    }
    let kept = node.entities(root.id());
    assert_eq!(kept.len(), 1 + 5, "{kept:?}");
    assert_eq!(
        &kept[..4],
        ["root", "b0", "b1", "b2"],
        "the shallow ones stay"
    );
    let status = root.status().unwrap();
    assert_eq!(status.child_counts.not_kept, 4);
    assert_eq!(status.first_error.as_deref(), Some("failed"));
}

#[test]
fn fold_4_failures_that_a_full_tree_drops_leave_room_for_later_ones() {
    let node = node_with(|builder| builder.max_kept_per_root(4).max_kept_children(4));
    let root = node.module.task("t").start().unwrap();
    let child = |parent: &Task, name: &str| parent.child("t").entity(name).start().unwrap();
    let other = child(&root, "other");
    for part in ["one", "two"] {
        child(&other, part).finish().unwrap();
    }
    let parent = child(&root, "parent");
    for part in ["first", "second", "third", "fourth", "fifth"] {
        child(&parent, part).fail("failed").unwrap();
    }
    let first_two = ["parent", "first", "second"];
    assert_eq!(node.entities(parent.id()), first_two, "the tree is full");
    assert_eq!(parent.status().unwrap().child_counts.not_kept, 3);
    // Its record takes the room of one of the two that it kept.
    other.finish().unwrap();
    child(&parent, "late").fail("failed").unwrap();
    assert_eq!(
        node.entities(parent.id()),
        ["parent", "first", "second", "late"]
    );
}

#[test]
fn fold_5_breadth_first_siblings_by_creation_live_or_kept() {
    let node = node();
    let root = node.module.task("t").entity("r").start().unwrap();
    let child = |parent: &Task, name: &str| parent.child("t").entity(name).start().unwrap();
    let (a, b, c) = (child(&root, "a"), child(&root, "b"), child(&root, "c"));
    let (a1, b1, a2) = (child(&a, "a1"), child(&b, "b1"), child(&a, "a2"));
    b1.fail("failed").unwrap();
    b.finish().unwrap();
    a2.finish().unwrap();
    assert_eq!(
        node.entities(root.id()),
        ["r", "a", "b", "c", "a1", "a2", "b1"]
    );
    drop((a, c, a1));
}
