//! What is counted, and what is shown of it.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::node;
use taskmgr::{ErrorCode, Status, Task};

fn shown(status: &Status) -> (u64, u64, &str) {
    let progress = &status.progress;
    (progress.completed, progress.total, &progress.units)
}

#[test]
fn prog_1_every_handle_counts_in_a_cell_of_its_own() {
    let node = node();
    let task = node.module.task("t").total(100, "rows").start().unwrap();
    let reporter = task.reporter();
    let clone = reporter.clone();
    task.advance(1);
    reporter.advance(10);
    clone.set_completed(20);
    clone.set_completed(5);
    assert_eq!(shown(&task.status().unwrap()), (31, 100, "rows"));
    drop(reporter);
    assert_eq!(
        shown(&task.status().unwrap()),
        (31, 100, "rows"),
        "what it counted stays"
    );
    task.set_completed(2);
    assert_eq!(shown(&task.status().unwrap()), (32, 100, "rows"));
}

#[test]
fn prog_1_nothing_is_lost_between_threads() {
    let node = node();
    let task = Arc::new(node.module.task("t").start().unwrap().share());
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (task, reporter) = (Arc::clone(&task), task.reporter());
            std::thread::spawn(move || {
                for _ in 0..10_000 {
                    task.advance(1);
                    reporter.advance(1);
                }
            })
        })
        .collect();
    workers
        .into_iter()
        .for_each(|worker| worker.join().unwrap());
    assert_eq!(task.status().unwrap().progress.completed, 80_000);
}

#[test]
fn life_5_what_a_shared_owner_counts_after_the_end_is_dropped() {
    let node = node();
    let parent = node.module.task("parent").start().unwrap();
    parent.child("first").start().unwrap().finish().unwrap();
    let child = || parent.child("t").total(9, "rows").start().unwrap().share();
    let root = || node.module.task("t").total(9, "rows").start().unwrap();
    let seen = child();
    let observer = seen.observe();
    for task in [child(), seen, root().share()] {
        task.advance(2);
        task.finish().unwrap();
        task.advance(1);
        task.set_total(5);
        assert_eq!(shown(&task.status().unwrap()), (2, 9, "rows"));
        task.advance(1);
        let worker = task.reporter();
        worker.advance(1);
        assert_eq!(shown(&worker.status().unwrap()), (2, 9, "rows"));
        assert_eq!(shown(&task.observe().wait().unwrap()), (2, 9, "rows"));
        assert_eq!(
            task.finish().unwrap_err().code(),
            ErrorCode::AlreadyFinished
        );
    }
    assert_eq!(shown(&observer.status().unwrap()), (2, 9, "rows"));
    let kept = parent.observe().status_tree().unwrap();
    assert!(kept[2..].iter().all(|child| shown(child) == (2, 9, "rows")));
    assert_eq!(kept.len(), 4);
}

#[test]
fn prog_1_a_total_may_be_unknown_known_or_change() {
    let node = node();
    let task = node.module.task("t").units("rows").start().unwrap();
    assert_eq!(shown(&task.status().unwrap()), (0, 0, "rows"));
    task.advance(3);
    let status = task.status().unwrap();
    assert_eq!(
        (shown(&status), status.progress.total_known),
        ((3, 3, "rows"), false)
    );
    task.set_total(10);
    task.set_total(20);
    let status = task.status().unwrap();
    assert_eq!(
        (shown(&status), status.progress.total_known),
        ((3, 20, "rows"), true)
    );
}

#[test]
fn prog_1_units_may_be_named_later_and_change() {
    let node = node();
    let parent = node.module.task("parent").start().unwrap();
    let child = parent.child("t").table("events").start().unwrap().share();
    child.advance(2);
    assert_eq!(shown(&child.status().unwrap()), (2, 2, ""));
    child.set_units("rows").unwrap();
    child.reporter().set_units("ranges").unwrap();
    child.set_total(4);
    for shows in [&child.status().unwrap(), &parent.status().unwrap()] {
        assert_eq!(shown(shows), (2, 4, "ranges"));
    }
    assert_eq!(child.status().unwrap().table, "events");
    let refused = child.set_units("a\nb").unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidArgument);
    let observer = child.observe();
    child.finish().unwrap();
    child.set_units("bytes").unwrap();
    assert_eq!(shown(&observer.status().unwrap()), (2, 4, "ranges"));
    let kept = parent.observe().status_tree().unwrap();
    assert_eq!(shown(&kept[1]), (2, 4, "ranges"));
    assert_eq!(shown(&parent.status().unwrap()), (2, 4, "ranges"));
}

#[test]
fn prog_1_who_looks_while_units_change_sees_whole_sets_of_names() {
    let node = node();
    let parent = node.module.task("parent").start().unwrap();
    let task = parent.child("t").keyspace("ks").start().unwrap().share();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0..20_000 {
                task.set_units(["rows", "bytes"][turn % 2]).unwrap();
                task.advance(1);
            }
        });
        while task.status().unwrap().progress.completed < 20_000 {
            let status = task.status().unwrap();
            assert_eq!((&*status.type_, &*status.keyspace), ("t", "ks"));
            assert!(["", "rows", "bytes"].contains(&&*status.progress.units));
            let units = parent.status().unwrap().progress.units;
            assert!(["", "rows", "bytes"].contains(&&*units));
        }
    });
}

#[test]
fn prog_2_a_parent_shows_the_sum_over_its_children_folded_ones_included() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let child = |parent: &Task, total| parent.child("t").total(total, "rows").start().unwrap();
    let middle = root.child("t").start().unwrap();
    let (a, b, c) = (child(&middle, 10), child(&middle, 20), child(&root, 5));
    a.advance(10);
    b.advance(4);
    c.advance(1);
    let expected = (15, 35, "rows");
    assert_eq!(shown(&root.status().unwrap()), expected);
    a.finish().unwrap();
    assert_eq!(shown(&root.status().unwrap()), expected);
    b.finish().unwrap();
    middle.finish().unwrap();
    assert_eq!(shown(&root.status().unwrap()), expected);
    c.fail("failed").unwrap();
    let observer = root.observe();
    root.finish().unwrap();
    assert_eq!(
        shown(&observer.status().unwrap()),
        expected,
        "finishing raises nothing"
    );
}

#[test]
fn prog_2_where_units_differ_children_are_counted() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let a = root.child("t").total(10, "rows").start().unwrap();
    let _b = root.child("t").total(20, "pages").start().unwrap();
    let _c = root.child("t").start().unwrap();
    assert_eq!(shown(&root.status().unwrap()), (0, 3, "children"));
    a.finish().unwrap();
    assert_eq!(shown(&root.status().unwrap()), (1, 3, "children"));
}

#[test]
fn prog_2_a_total_of_its_own_stands_in_for_its_childrens() {
    let node = node();
    let root = node.module.task("t").total(100, "rows").start().unwrap();
    let child = root.child("t").total(10, "rows").start().unwrap();
    child.advance(7);
    assert_eq!(shown(&root.status().unwrap()), (7, 100, "rows"));
    root.advance(1);
    assert_eq!(
        shown(&root.status().unwrap()),
        (7, 100, "rows"),
        "prog_3: it does not go back"
    );
    root.advance(19);
    assert_eq!(shown(&root.status().unwrap()), (20, 100, "rows"));
}

#[test]
fn prog_2_a_task_with_neither_units_nor_children_shows_whether_it_is_done() {
    let node = node();
    let silent = || node.module.task("t").abortable().start().unwrap();
    let (done, failed, aborted) = (silent(), silent(), silent());
    let seen = [done.observe(), failed.observe(), aborted.observe()];
    for observer in &seen {
        assert_eq!(shown(&observer.status().unwrap()), (0, 1, ""));
    }
    aborted.abort("enough").unwrap();
    done.finish().unwrap();
    failed.fail("failed").unwrap();
    aborted.finish().unwrap_err();
    for (observer, completed) in seen.iter().zip([1, 0, 0]) {
        assert_eq!(shown(&observer.status().unwrap()), (completed, 1, ""));
    }
}

#[test]
fn prog_2_a_child_that_failed_or_was_aborted_is_no_progress_and_fills_no_bar() {
    let node = node();
    // Silent ones, and those whose units differ.
    for units in [[""; 3], ["rows", "pages", ""]] {
        let root = node.module.task("t").start().unwrap();
        let child = |at: usize| root.child("t").units(units[at]).start().unwrap();
        let (done, failed, aborted) = (child(0), child(1), child(2));
        // They end before the last that works below them, so they are seen live and folded.
        let below: Vec<Task> = [&done, &failed, &aborted]
            .iter()
            .map(|parent| parent.child("t").start().unwrap())
            .collect();
        let seen = [done.observe(), failed.observe(), aborted.observe()];
        aborted.abort("enough").unwrap();
        failed.fail("failed").unwrap();
        aborted.finish().unwrap_err();
        for task in below {
            let _ = task.fail("failed");
        }
        let units = match units[0] {
            "" => "",
            _ => "children",
        };
        assert_eq!(shown(&root.status().unwrap()), (0, 3, units));
        done.finish().unwrap();
        let all = root.observe().status_tree().unwrap();
        let expected = match units {
            // What it counts itself: the one below it has failed.
            "" => (0, 3, ""),
            _ => (1, 3, "children"),
        };
        assert_eq!(shown(&root.status().unwrap()), expected);
        assert_eq!(shown(&all[0]), expected, "the same in the tree");
        assert!(
            seen.iter()
                .all(|observer| observer.status().unwrap().settled)
        );
        let observer = root.observe();
        root.finish().unwrap();
        assert_eq!(shown(&observer.status().unwrap()), expected);
    }
}

#[test]
fn prog_2_an_ended_child_that_lives_on_counts_if_it_is_done() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let done = root.child("t").units("rows").start().unwrap();
    let failed = root.child("t").units("pages").start().unwrap();
    let below = [
        done.child("t").start().unwrap(),
        failed.child("t").start().unwrap(),
    ];
    done.finish().unwrap();
    failed.fail("failed").unwrap();
    assert_eq!(root.status().unwrap().child_counts.live, 2);
    assert_eq!(shown(&root.status().unwrap()), (1, 2, "children"));
    let tree = root.observe().status_tree().unwrap();
    assert_eq!(shown(&tree[0]), (1, 2, "children"));
    drop(below);
    assert_eq!(shown(&root.status().unwrap()), (1, 2, "children"));
}

#[test]
fn prog_3_a_total_below_what_was_counted_follows_it() {
    let node = node();
    let task = node.module.task("t").total(10, "rows").start().unwrap();
    task.advance(12);
    assert_eq!(shown(&task.status().unwrap()), (12, 12, "rows"));
    task.set_total(5);
    assert_eq!(shown(&task.status().unwrap()), (12, 12, "rows"));
}

#[test]
fn prog_3_the_fraction_never_goes_back_whatever_folds_meanwhile() {
    const CHILDREN: u64 = 3000;
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let middle: Vec<Task> = (0..3).map(|_| root.child("t").start().unwrap()).collect();
    let children: Vec<Task> = (0..CHILDREN)
        .map(|n| {
            middle[n as usize % 3]
                .child("t")
                .total(2, "rows")
                .start()
                .unwrap()
        })
        .collect();
    let observer = root.observe();
    let over = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&over);
    let reader = std::thread::spawn(move || {
        let (mut last, mut looks) = (0, 0);
        while looks == 0 || !flag.load(Ordering::SeqCst) {
            let progress = observer.status().unwrap().progress;
            assert_eq!(progress.total, 2 * CHILDREN, "nobody counts twice or never");
            assert!(
                progress.completed >= last,
                "{} after {last}",
                progress.completed
            );
            last = progress.completed;
            looks += 1;
        }
        looks
    });
    for child in children {
        child.advance(1);
        child.advance(1);
        child.finish().unwrap();
    }
    middle.into_iter().for_each(|task| task.finish().unwrap());
    over.store(true, Ordering::SeqCst);
    assert!(reader.join().unwrap() > 0);
    assert_eq!(
        shown(&root.status().unwrap()),
        (2 * CHILDREN, 2 * CHILDREN, "rows")
    );
}
