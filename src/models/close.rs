//! Closing a module or a manager.

use std::time::Duration;

use loom::thread;

use super::{Host, check};
use crate::{CloseReport, Result, Task};

const NOW: Duration = Duration::ZERO;

/// Either it was refused, or the close has seen it and told it to abort.
fn refused_or_aborted(task: Result<Task>, report: &CloseReport) {
    match task {
        Err(error) => assert!(error.is_closed(), "{error}"),
        Ok(task) => {
            let named = report
                .still_running
                .iter()
                .any(|stats| stats.id == task.id());
            assert!(named, "it runs, and nobody was told");
            assert!(task.check_abort().unwrap_err().is_aborted());
        }
    }
}

/// mod_1. Fails if a close does not go through the lock of the roots.
#[test]
fn close_of_a_module_vs_new_root_refused_or_aborted() {
    check(3, || {
        let host = Host::new();
        let repair = host.repair.clone();
        let closer = thread::spawn(move || repair.close(NOW).unwrap());
        let task = host.repair.task("repair").create();
        let report = closer.join().unwrap();
        refused_or_aborted(task, &report);
    });
}

/// mod_1. Fails if a close reads the mark of a first child before its own operation on the word of
/// the parent.
#[test]
fn close_of_a_module_vs_new_child_in_another_refused_or_aborted() {
    check(3, || {
        let host = Host::new();
        let others = host.manager.register_module("others").unwrap();
        let root = others.task("root").start().unwrap();
        // Not of the root itself, which a close holds before it looks.
        let parent = root.child("part").start().unwrap();
        let repair = host.repair.clone();
        let closer = thread::spawn(move || repair.close(NOW).unwrap());
        let child = parent.child("part").module(&host.repair).create();
        let report = closer.join().unwrap();
        refused_or_aborted(child, &report);
        assert!(parent.check_abort().is_ok(), "it is another module's");
    });
}

/// mod_1. Fails if a close does not go through the locks of the families, or if `link` looks at the
/// gate before it has the lock.
#[test]
fn close_of_a_module_vs_second_child_in_another_refused_or_aborted() {
    check(3, || {
        let host = Host::new();
        let others = host.manager.register_module("others").unwrap();
        let root = others.task("root").start().unwrap();
        let _first = root.child("part").start().unwrap();
        let repair = host.repair.clone();
        let closer = thread::spawn(move || repair.close(NOW).unwrap());
        let child = root.child("part").module(&host.repair).create();
        let report = closer.join().unwrap();
        refused_or_aborted(child, &report);
    });
}

/// mod_1. Fails if a close goes through the lock of the first family only, or looks for further ones
/// before it has gone through that.
#[test]
fn close_of_a_module_vs_child_in_a_further_family_refused_or_aborted() {
    check(2, || {
        let host = Host::new();
        let others = host.manager.register_module("others").unwrap();
        let root = others.task("root").start().unwrap();
        let _first = root.child("part").start().unwrap();
        let kids = root.task.slot.kids(root.task.realm()).unwrap();
        let repair = host.repair.clone();
        let closer = thread::spawn(move || repair.close(NOW).unwrap());
        assert!(kids.stripe());
        let child = root.child("part").module(&host.repair).create();
        let report = closer.join().unwrap();
        refused_or_aborted(child, &report);
    });
}

/// mod_1. The same below a root that the close meets, or that was born through its lock afterwards.
#[test]
fn close_of_a_module_vs_new_child_of_a_new_root_refused_or_aborted() {
    check(3, || {
        let host = Host::new();
        let others = host.manager.register_module("others").unwrap();
        let repair = host.repair.clone();
        let closer = thread::spawn(move || repair.close(NOW).unwrap());
        let root = others.task("root").start().unwrap();
        let child = root.child("part").module(&host.repair).create();
        let report = closer.join().unwrap();
        refused_or_aborted(child, &report);
    });
}

/// mod_1. Fails if a close waits without marking what it waits for as watched.
#[test]
fn close_vs_finish_waits_for_what_runs() {
    check(1, || {
        let host = Host::new();
        let root = host.root();
        let owner = thread::spawn(move || drop(root));
        assert!(host.manager.close(Duration::MAX).unwrap().is_complete());
        owner.join().unwrap();
    });
}

/// mod_1. Fails if `wait` does not look at the manager's stage under the lock.
#[test]
fn close_vs_wait_nobody_sleeps_for_ever() {
    check(2, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        let waiter = thread::spawn(move || observer.wait());
        let report = host.manager.close(NOW).unwrap();
        assert_eq!(report.still_running.len(), 1);
        assert!(waiter.join().unwrap().unwrap_err().is_closed());
        assert!(task.finish().unwrap_err().is_aborted());
    });
}

/// life_7. Fails if the last manager's end does not go through the lock of the roots.
#[test]
fn drop_of_the_last_manager_vs_new_root_refused_or_aborted() {
    check(3, || {
        let host = Host::new();
        let (manager, repair) = (host.manager, host.repair);
        let dropper = thread::spawn(move || drop(manager));
        let task = repair.task("repair").create();
        dropper.join().unwrap();
        match task {
            Err(error) => assert!(error.is_closed()),
            Ok(task) => assert!(task.check_abort().unwrap_err().is_aborted()),
        }
    });
}

/// mod_1. Fails if a root that settles is kept without another look at the gate.
#[test]
fn close_of_a_module_vs_finish_leaves_no_root_behind() {
    check(1, || {
        let host = Host::new();
        let task = host.kept_root();
        let id = task.id();
        let repair = host.repair.clone();
        let closer = thread::spawn(move || repair.close(NOW).unwrap());
        let _ = task.finish();
        closer.join().unwrap();
        assert!(host.manager.status(id).unwrap_err().is_gone());
        assert!(host.manager.register_module("repair").is_ok());
    });
}
