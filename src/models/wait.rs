//! Waiting for the end of a task.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::{Count, Host, check};
use crate::sync::{Deadline, unpark_me};
use crate::{GoneReason, State};

/// wait_1, life_8. Fails if `wait` does not mark the task as watched before it looks again,
/// or if a root that has ended counts as over before it is unregistered.
#[test]
fn finish_vs_wait_of_a_root() {
    check(3, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        let owner = thread::spawn(move || task.fail("no space"));
        let status = observer.wait().unwrap();
        assert_eq!(status.state, State::Failed);
        assert_eq!(status.error.as_deref(), Some("no space"));
        let gone = host.manager.status(observer.id()).unwrap_err().gone();
        assert_eq!(gone, Some((GoneReason::Expired, State::Failed)));
        owner.join().unwrap().unwrap();
    });
}

/// wait_1, life_8. Fails if `wait` does not mark the task as watched before it looks again.
#[test]
fn finish_vs_wait_of_a_child_that_folds_away() {
    check(3, || {
        let host = Host::new();
        let root = host.root();
        let child = root.child("part").start().unwrap();
        let observer = child.observe();
        let owner = thread::spawn(move || child.finish());
        let status = observer.wait().unwrap();
        assert_eq!((status.state, status.settled), (State::Done, true));
        assert_eq!(root.status().unwrap().child_counts.succeeded, 1);
        let gone = host.manager.status(observer.id()).unwrap_err().gone();
        assert_eq!(gone, Some((GoneReason::Folded, State::Done)));
        owner.join().unwrap().unwrap();
    });
}

/// wait_1. Fails if an end drops its references before it has woken who waits.
#[test]
fn wake_vs_next_tenant_of_the_slot() {
    check(2, || {
        let host = Host::new();
        let root = host.root();
        let child = root.child("part").start().unwrap();
        let observer = child.observe();
        let owner = thread::spawn(move || child.finish());
        let (held, engine) = observer.registered().unwrap();
        engine.wait(held, &Deadline::Never).unwrap();
        drop(observer);
        let next = root.child("next").start().unwrap();
        let called = Count::default();
        let counted = called.clone();
        let done = next.observe().on_done(move |_| counted.add()).unwrap();
        owner.join().unwrap().unwrap();
        assert_eq!(called.get(), 0, "it was woken for another task");
        next.finish().unwrap();
        assert_eq!(called.get(), 1);
        drop(done);
    });
}

/// wait_1. Fails if `Sleepers::wake` wakes one of two, or the one does not wake the other.
#[test]
fn finish_vs_two_waiters() {
    check(1, || {
        let host = Host::new();
        let task = host.root();
        let (one, two) = (task.observe(), task.observe());
        let wait = |observer: crate::Observer| {
            let (held, engine) = observer.registered().unwrap();
            engine.wait(held, &Deadline::Never).unwrap();
            assert!(observer.is_terminal().unwrap());
        };
        let waiter = thread::spawn(move || wait(one));
        let owner = thread::spawn(move || task.finish());
        wait(two);
        waiter.join().unwrap();
        owner.join().unwrap().unwrap();
    });
}

/// wait_1. Fails if a thread that comes out of its sleep by itself goes without the list's lock, by
/// which it would have found that another is left to it.
#[test]
fn finish_vs_waiter_that_leaves_by_itself_and_one_that_sleeps() {
    check(1, || {
        let host = Host::new();
        let task = host.root();
        let (one, two) = (task.observe(), task.observe());
        let wait = |observer: crate::Observer| {
            let (held, engine) = observer.registered().unwrap();
            engine.wait(held, &Deadline::Never).unwrap();
        };
        let waiter = thread::spawn(move || {
            unpark_me();
            wait(one);
        });
        let owner = thread::spawn(move || task.finish());
        wait(two);
        waiter.join().unwrap();
        owner.join().unwrap().unwrap();
    });
}

/// wait_1. Fails if `Sleepers::sleep` takes being woken for what it sleeps for, or sleeps on
/// without entering the list again.
#[test]
fn finish_vs_waiter_that_is_woken_for_no_reason() {
    check(2, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        let owner = thread::spawn(move || {
            task.task.realm().wake(task.task.slot);
            task.finish()
        });
        let (held, engine) = observer.registered().unwrap();
        engine.wait(held, &Deadline::Never).unwrap();
        assert!(observer.is_terminal().unwrap());
        owner.join().unwrap().unwrap();
    });
}

/// wait_1. Fails if `Sleepers::wake` takes off the list who sleeps for another task.
#[test]
fn finish_vs_wake_of_another_task() {
    check(2, || {
        let host = Host::new();
        let (task, other) = (host.root(), host.root());
        let observer = task.observe();
        let waiter = thread::spawn(move || {
            let (held, engine) = observer.registered().unwrap();
            engine.wait(held, &Deadline::Never).unwrap();
        });
        other.task.realm().wake(other.task.slot);
        task.finish().unwrap();
        waiter.join().unwrap();
        other.finish().unwrap();
    });
}

/// wait_2. Fails if `wait` does not look at the task again once the deadline has passed.
#[test]
fn finish_vs_wait_with_timeout() {
    check(1, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        let passed = Arc::new(AtomicBool::new(false));
        let clock = {
            let (passed, observer) = (Arc::clone(&passed), observer.clone());
            thread::spawn(move || {
                let (held, engine) = observer.registered().unwrap();
                let ended = engine.wait(held, &Deadline::Now).is_ok();
                passed.store(true, Ordering::Release);
                engine.realm.wake(held.slot());
                ended
            })
        };
        let owner = thread::spawn(move || task.finish());
        let (held, engine) = observer.registered().unwrap();
        match engine.wait(held, &Deadline::When(Arc::clone(&passed))) {
            Ok(()) => {
                assert!(observer.is_terminal().unwrap());
                clock.join().unwrap();
            }
            Err(error) => {
                assert!(error.is_timeout() && passed.load(Ordering::Acquire));
                assert!(
                    !clock.join().unwrap(),
                    "it had ended before the time was over"
                );
            }
        }
        owner.join().unwrap().unwrap();
        assert!(observer.wait().is_ok());
    });
}

/// wait_2. Fails if a timed-out waiter sleeps on.
#[test]
fn timeout_vs_task_that_never_ends() {
    check(3, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        let passed = Arc::new(AtomicBool::new(false));
        let deadline = Deadline::When(Arc::clone(&passed));
        let waiter = thread::spawn(move || observer.wait_until(&deadline).unwrap_err());
        passed.store(true, Ordering::Release);
        let (slot, realm) = (task.task.slot, task.task.realm());
        realm.wake(slot);
        assert!(waiter.join().unwrap().is_timeout());
        task.finish().unwrap();
    });
}
