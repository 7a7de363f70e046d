//! What gives way where a tree keeps no more, and whose entities are shown once records have taken
//! one another's places (fold_4).

mod common;

use common::{Node, node_with};
use taskmgr::{State, Task};

fn node(children: usize, tree: usize) -> Node {
    node_with(|builder| builder.max_kept_children(children).max_kept_per_root(tree))
}

fn end(parent: &Task, entity: &str, fails: bool) {
    let child = parent.child("t").entity(entity).start().unwrap();
    match fails {
        true => child.fail("no space").unwrap(),
        false => child.finish().unwrap(),
    }
}

/// What is shown of a parent's children: their entities, those that failed with a mark.
fn shown(parent: &Task) -> Vec<String> {
    let tree = parent.observe().status_tree().unwrap();
    let below = tree[1..].iter().map(|status| match status.state {
        State::Failed => format!("{}!", status.entity),
        _ => status.entity.to_string(),
    });
    below.collect()
}

fn not_kept(parent: &Task) -> u64 {
    parent.status().unwrap().child_counts.not_kept
}

#[test]
fn fold_4_each_failure_drives_out_one_success_of_its_parent_the_oldest_first() {
    let node = node(10, 4);
    let root = node.module.task("root").start().unwrap();
    for entity in ["a", "b", "c", "d"] {
        end(&root, entity, false);
    }
    assert_eq!(
        (shown(&root).join(" "), not_kept(&root)),
        ("a b c d".into(), 0)
    );
    let then = ["b c d 1!", "c d 1! 2!", "d 1! 2! 3!", "1! 2! 3! 4!"];
    for (at, expected) in then.into_iter().enumerate() {
        end(&root, &(at + 1).to_string(), true);
        assert_eq!(
            (shown(&root).join(" "), not_kept(&root)),
            (expected.into(), at as u64 + 1)
        );
    }
    // Of failures those that came first stay, and a success has no room any more.
    end(&root, "5", true);
    assert_eq!(
        (shown(&root).join(" "), not_kept(&root)),
        ("1! 2! 3! 4!".into(), 5)
    );
    end(&root, "e", false);
    assert_eq!(
        (shown(&root).join(" "), not_kept(&root)),
        ("1! 2! 3! 4!".into(), 6)
    );
    let counts = root.status().unwrap().child_counts;
    assert_eq!((counts.succeeded, counts.failed), (5, 5));
}

#[test]
fn fold_4_a_failure_drives_out_successes_of_the_parent_it_folds_into_and_else_the_deepest_failure()
{
    for (successes, expected, count) in [
        (4, "b c d 1 2 3!", 1),
        // The second has no place left for its child, and no success to drive out.
        (5, "b c d e 1 2", 2),
    ] {
        let node = node(10, 6);
        let root = node.module.task("root").start().unwrap();
        for entity in &["a", "b", "c", "d", "e"][..successes] {
            end(&root, entity, false);
        }
        let first = root.child("t").entity("1").start().unwrap();
        let second = first.child("t").entity("2").start().unwrap();
        end(&second, "3", true);
        second.finish().unwrap();
        first.finish().unwrap();
        assert_eq!(
            (shown(&root).join(" "), not_kept(&root)),
            (expected.into(), count)
        );
        let status = root.status().unwrap();
        assert_eq!(
            status.first_error.as_deref(),
            Some("no space"),
            "it is known all the same"
        );
    }
}

#[test]
fn fold_4_entities_go_with_the_children_whose_they_are_as_records_turn() {
    // A failure before, between and after, which lies beside the entities.
    for failure_at in [0, 2, 4, 100] {
        let node = node(3, 100);
        let root = node.module.task("root").start().unwrap();
        let entities = ["", "", "", "", "x", "", "y", "z", "", "", "", "", "w"];
        let mut expected: Vec<&str> = Vec::new();
        let mut failed = Vec::new();
        for (at, entity) in entities.into_iter().enumerate() {
            if at == failure_at {
                end(&root, "f", true);
                failed.push("f!".to_owned());
            }
            end(&root, entity, false);
            expected.push(entity);
            let last = &expected[expected.len().saturating_sub(3)..];
            let succeeded: Vec<String> = shown(&root)
                .into_iter()
                .filter(|entity| entity != "f!")
                .collect();
            assert_eq!(succeeded, last, "a failure at {failure_at}");
            let count = shown(&root).len();
            assert_eq!(count, last.len() + failed.len());
        }
    }
}
