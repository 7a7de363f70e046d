//! Which nodes of a binary tree of 15 are left in its recursive status, by who failed.

use std::time::Duration;

use taskmgr::{Manager, Task};

const NODES: usize = 15;

/// Makes the tree, nodes numbered breadth-first from 0, ends it bottom-up, and says which
/// nodes are left.
fn left_after(failing: &[usize]) -> Vec<usize> {
    let manager = Manager::builder()
        .task_ttl(Duration::from_secs(60))
        .build()
        .unwrap();
    let module = manager.register_module("m").unwrap();
    let mut tasks: Vec<Task> = Vec::new();
    for node in 0..NODES {
        let name = node.to_string();
        let task = match node {
            0 => module.task("node").entity(&name).start(),
            _ => tasks[(node - 1) / 2].child("node").entity(&name).start(),
        };
        tasks.push(task.unwrap());
    }
    let root = tasks[0].id();
    while let Some(task) = tasks.pop() {
        match failing.contains(&tasks.len()) {
            true => task.fail("failed").unwrap(),
            false => task.finish().unwrap(),
        }
    }
    let left = manager.status_tree(root).unwrap();
    for status in &left {
        let node: usize = status.entity.parse().unwrap();
        assert_eq!(
            status.error.is_some(),
            failing.contains(&node),
            "node {node}"
        );
    }
    left.iter()
        .map(|status| status.entity.parse().unwrap())
        .collect()
}

#[test]
fn fold_2_all_succeed() {
    assert_eq!(left_after(&[]), [0, 1, 2]);
}

#[test]
fn fold_2_a_leaf_fails() {
    assert_eq!(left_after(&[7]), [0, 1, 2, 3, 7]);
}

#[test]
fn fold_2_an_inner_node_fails() {
    assert_eq!(left_after(&[3]), [0, 1, 2, 3]);
}

#[test]
fn fold_2_an_inner_node_and_its_leaf_fail() {
    assert_eq!(left_after(&[3, 7]), [0, 1, 2, 3, 7]);
}

#[test]
fn fold_2_a_whole_path_fails() {
    assert_eq!(left_after(&[0, 1, 3, 7]), [0, 1, 2, 3, 7]);
}

#[test]
fn fold_2_nodes_of_different_paths_fail() {
    assert_eq!(left_after(&[1, 5, 12]), [0, 1, 2, 5, 12]);
}
