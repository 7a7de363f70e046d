//! What a child that has ended is to its parent's progress (prog_2), whichever of the ways an end
//! may go.

mod common;

use common::node;
use taskmgr::{Observer, Task};

/// What the child has told, and what its parent then shows: completed, total, whether that is
/// known, and units.
type Case = (
    u64,
    Option<u64>,
    &'static str,
    (u64, u64, bool, &'static str),
);

const CASES: [Case; 8] = [
    (0, None, "", (1, 1, true, "")),
    (3, None, "", (3, 3, false, "")),
    (0, Some(5), "", (0, 5, true, "")),
    (3, Some(5), "", (3, 5, true, "")),
    (0, None, "rows", (0, 0, false, "rows")),
    (3, None, "rows", (3, 3, false, "rows")),
    (0, Some(5), "rows", (0, 5, true, "rows")),
    (7, Some(5), "rows", (7, 7, true, "rows")),
];

/// The ways in which it ends, and what of it is held meanwhile.
const ENDS: [fn(Task) -> Option<Observer>; 5] = [
    |task| {
        task.finish().unwrap();
        None
    },
    |task| {
        let observer = task.observe();
        task.finish().unwrap();
        Some(observer)
    },
    |task| {
        task.share().finish().unwrap();
        None
    },
    |task| {
        let reporter = task.reporter();
        task.finish().unwrap();
        Some(reporter.observe())
    },
    |task| {
        task.on_abort(|| {}).unwrap().forget();
        task.finish().unwrap();
        None
    },
];

#[test]
fn prog_2_a_parent_shows_what_its_child_has_told() {
    let node = node();
    for (completed, total, units, expected) in CASES {
        for (at, end) in ENDS.iter().enumerate() {
            let root = node.module.task("root").start().unwrap();
            // A sibling before it makes the short ways possible.
            let parent = root.child("parent").start().unwrap();
            let task = parent.child("t").units(units).start().unwrap();
            task.advance(completed);
            if let Some(total) = total {
                task.set_total(total);
            }
            let _held = end(task);
            let told = |progress: taskmgr::Progress| {
                let (completed, total) = (progress.completed, progress.total);
                (
                    completed,
                    total,
                    progress.total_known,
                    progress.units.to_string(),
                )
            };
            let what = format!("{completed} of {total:?} {units:?}, end {at}");
            let expected = (expected.0, expected.1, expected.2, expected.3.to_owned());
            assert_eq!(told(parent.status().unwrap().progress), expected, "{what}");
            let tree = root.observe().status_tree().unwrap();
            assert_eq!(
                told(tree[1].progress.clone()),
                expected,
                "{what}, in the tree"
            );
            parent.finish().unwrap();
            assert_eq!(
                told(root.status().unwrap().progress),
                expected,
                "{what}, one up"
            );
        }
    }
}
