//! What becomes of names once a process keeps as many as it may: a process of its own, as they are
//! the process's.

mod common;

use common::node;
use taskmgr::{ErrorCode, Filter};

#[test]
fn prog_1_units_are_refused_beyond_the_names_that_a_process_keeps() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    // Others may come again as often as they like: units have some room of their own.
    for number in (0..1 << 16).map(|number| number.to_string()) {
        (0..2).for_each(|_| drop(node.module.task("t").table(&number).create()));
    }
    let mut units = (0..1 << 16).map(|number| task.set_units(&number.to_string()));
    assert!(units.by_ref().take(1000).all(|set| set.is_ok()));
    let refused = units.find_map(Result::err).expect("they are bounded");
    assert_eq!(refused.code(), ErrorCode::Exhausted);
    let late = node
        .module
        .task("t")
        .table("late")
        .units("rows")
        .start()
        .unwrap();
    late.set_units("rows").unwrap();
    assert_eq!(
        late.set_units("bytes").unwrap_err().code(),
        ErrorCode::Exhausted
    );
    assert_eq!(late.status().unwrap().progress.units, "rows");

    // Names that are a task's own are shown, and asked for, as all others are.
    let late_ones = Filter::new().table("late");
    let listed = node.module.list(&late_ones).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id, &*listed[0].table), (late.id(), "late"));
    assert!(
        node.module
            .list(&late_ones.keyspace("ks"))
            .unwrap()
            .is_empty()
    );
    let child = late.child("t").table("later").start().unwrap();
    child.fail("no space").unwrap();
    let tree = late.observe().status_tree().unwrap();
    assert_eq!(
        (&*tree[0].table, &*tree[1].table),
        ("late", "later"),
        "folded, too"
    );
    // Where a task has been whose names are kept.
    let before = node.module.task("t").internal().start().unwrap();
    before.finish().unwrap();
    let after = node.module.task("t").table("after").start().unwrap();
    assert_eq!(after.status().unwrap().table, "after");
}
