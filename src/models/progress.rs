//! Figures that several count and others read.

use std::sync::Arc;

use loom::thread;

use super::{Host, check};
use crate::Status;

/// prog_3, life_5. Fails if readers add the cells up instead of taking the frozen sum.
#[test]
fn reporter_advance_vs_finish_vs_reader_never_goes_back() {
    check(1, || {
        let host = Host::new();
        let task = host.repair.task("repair").user_task().total(9, "ranges");
        let task = task.start().unwrap();
        task.advance(1);
        let (observer, reporter) = (task.observe(), task.reporter());
        let counter = thread::spawn(move || {
            reporter.advance(1);
            reporter.advance(1);
        });
        let owner = thread::spawn(move || task.finish());
        let look = || {
            let status = observer.status().unwrap();
            (status.progress.completed, status.state.is_terminal())
        };
        let (before, ended) = look();
        let (after, _) = look();
        assert!(before <= after, "{before} was shown, then {after}");
        assert!(!ended || before == after, "final figures have changed");
        counter.join().unwrap();
        owner.join().unwrap().unwrap();
        let (last, _) = look();
        assert!(after <= last && (1..=3).contains(&last));
        assert!(!ended || before == last, "final figures have changed");
    });
}

/// prog_1, prog_3. Fails if a reporter that goes leaves its cell before its count is kept.
#[test]
fn reporter_drop_vs_reader_nothing_lost() {
    check(3, || {
        let host = Host::new();
        let task = host
            .repair
            .task("repair")
            .total(9, "ranges")
            .start()
            .unwrap();
        let reporter = task.reporter();
        reporter.advance(2);
        let observer = task.observe();
        let counter = thread::spawn(move || drop(reporter));
        assert_eq!(observer.status().unwrap().progress.completed, 2);
        counter.join().unwrap();
        assert_eq!(observer.status().unwrap().progress.completed, 2);
        task.finish().unwrap();
        assert_eq!(observer.status().unwrap().progress.completed, 2);
    });
}

/// prog_3. Fails if a new reporter takes a cell with what its last user counted.
#[test]
fn new_reporter_vs_finish_counts_in_or_not_at_all() {
    check(2, || {
        let host = Host::new();
        let task = host.repair.task("repair").total(9, "ranges").user_task();
        let task = task.start().unwrap();
        task.reporter().advance(1);
        let (observer, reporter) = (task.observe(), task.reporter());
        let owner = thread::spawn(move || task.finish());
        let further = reporter.clone();
        further.advance(1);
        drop(further);
        let status = observer.status().unwrap();
        owner.join().unwrap().unwrap();
        let last = observer.status().unwrap();
        assert!((1..=2).contains(&last.progress.completed));
        assert!(status.progress.completed <= last.progress.completed);
    });
}

/// life_5, fold_1. Fails if the figures of an end that nobody else sees are read after it, or if
/// a further handle that comes later finds what the slot shows.
#[test]
fn shared_advance_vs_finish_of_a_child_that_nobody_sees_one_end() {
    check(2, || {
        let host = Host::new();
        let parent = host.repair.task("repair").start().unwrap();
        // The first child of all goes the long way.
        parent.child("part").start().unwrap().finish().unwrap();
        let child = parent.child("part").total(9, "ranges").start().unwrap();
        let child = Arc::new(child.share());
        let theirs = Arc::clone(&child);
        let other = thread::spawn(move || {
            theirs.advance(1);
            theirs.status().unwrap()
        });
        child.finish().unwrap();
        let shown = |status: Status| status.progress.completed;
        let last = shown(child.status().unwrap());
        let status = other.join().unwrap();
        assert!(!status.state.is_terminal() || shown(status) == last);
        assert_eq!(shown(child.status().unwrap()), last);
        let kept = parent.observe().status_tree().unwrap().remove(2);
        assert_eq!(shown(kept), last, "as its parent keeps it");
    });
}

/// prog_1, fold_2. Fails if units change once the end has read by which the sum is told.
#[test]
fn units_vs_finish_the_parents_sum_and_its_record_agree() {
    check(2, || {
        let host = Host::new();
        let root = host.root();
        // So that the names are there to be found.
        drop(host.repair.task("child").units("rows").create());
        let child = root.child("child").start().unwrap().share();
        child.advance(1);
        let id = child.id();
        let other = child.clone();
        let namer = thread::spawn(move || other.set_units("rows").unwrap());
        child.finish().unwrap();
        namer.join().unwrap();
        let tree = root.observe().status_tree().unwrap();
        let kept = tree.iter().find(|status| status.id == id).unwrap();
        let units = &kept.progress.units;
        assert!(units.is_empty() || *units == "rows");
        assert_eq!(tree[0].progress.units, *units);
    });
}
