//! An abort in the same tree that does not reach a task changes nothing for it; and what one task
//! lets go of is no other's.

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use std::sync::{Arc, mpsc};

use common::{PATIENCE, node, until, watched};
use taskmgr::{State, Task};

/// A root with a child that was told to abort, and one that was made before that.
fn tree(module: &taskmgr::Module) -> (Task, Task, Task) {
    let root = module.task("root").start().unwrap();
    let before = root.child("before").create().unwrap();
    let aborted = root.child("aborted").start().unwrap();
    aborted.abort("enough").unwrap();
    (root, before, aborted)
}

#[test]
fn abort_2_a_sibling_of_what_is_aborted_starts_works_and_ends() {
    let node = node();
    let (root, before, aborted) = tree(&node.module);
    let after = root.child("after").create().unwrap();
    let started = root.child("started").start().unwrap();
    for task in [before, after, started] {
        if task.status().unwrap().state == State::Created {
            task.start().unwrap();
        }
        assert!(!task.abort_requested());
        task.check_abort().unwrap();
        task.checkpoint().unwrap();
        assert!(task.child("c").create().unwrap().start().is_ok());
        let shared = task.share();
        assert!(!shared.abort_requested());
        shared.check_abort().unwrap();
        shared.checkpoint().unwrap();
        let status = shared.status().unwrap();
        assert_eq!((status.state, status.abort), (State::Running, None));
        shared.finish().unwrap();
    }
    assert!(
        aborted
            .child("c")
            .create()
            .unwrap()
            .start()
            .unwrap_err()
            .is_aborted()
    );
    assert!(aborted.finish().unwrap_err().is_aborted());
    root.finish().unwrap();
}

#[test]
fn abort_4_a_shared_owner_finds_an_abort_of_its_own() {
    let node = node();
    let root = node.module.task("root").start().unwrap();
    let task = root.child("t").start().unwrap().share();
    assert!(!task.abort_requested());
    task.abort("enough").unwrap();
    assert!(task.abort_requested());
    assert!(task.check_abort().unwrap_err().is_aborted());
    assert!(task.checkpoint().unwrap_err().is_aborted());
    assert_eq!(task.status().unwrap().abort.unwrap().polls, 3);
    assert!(task.finish().unwrap_err().is_aborted());
}

#[test]
fn life_9_a_sleeper_sleeps_on_when_another_is_aborted() {
    for aborted_before in [true, false] {
        watched(move || {
            let node = node();
            let (root, sleeper, _aborted) = tree(&node.module);
            sleeper.start().unwrap();
            let observer = sleeper.observe();
            let other = root.child("other").start().unwrap();
            observer.suspend().unwrap();
            let is_resumed = Arc::new(AtomicBool::new(false));
            let resumed = Arc::clone(&is_resumed);
            let sleeping = std::thread::spawn(move || {
                let told = sleeper.checkpoint();
                assert!(resumed.load(Ordering::SeqCst), "nobody has woken it");
                told
            });
            until("it sleeps", || {
                observer.status().unwrap().state == State::Suspended
            });
            if !aborted_before {
                other.abort("enough").unwrap();
            }
            // Whoever uses the thread's token lets it look again, and nothing more.
            for _ in 0..200 {
                sleeping.thread().unpark();
                std::thread::yield_now();
            }
            assert_eq!(observer.status().unwrap().state, State::Suspended);
            is_resumed.store(true, Ordering::SeqCst);
            observer.resume().unwrap();
            sleeping.join().unwrap().unwrap();
        });
    }
}

#[test]
fn abort_4_a_guard_takes_no_other_callback_with_it() {
    let node = node();
    let root = node.module.task("root").start().unwrap();
    let task = root.child("t").start().unwrap();
    let called = Arc::new(AtomicUsize::new(0));
    let owned = Arc::new(());
    let call = || {
        let (called, owned) = (Arc::clone(&called), Arc::clone(&owned));
        move || {
            called.fetch_add(1, Ordering::SeqCst);
            drop(owned);
        }
    };
    let guards = [(); 3].map(|()| task.on_abort(call()).unwrap());
    let [first, second, third] = guards;
    drop(second);
    assert_eq!(Arc::strong_count(&owned), 3);
    task.finish().unwrap();
    assert_eq!(
        Arc::strong_count(&owned),
        1,
        "the end lets go of both others"
    );
    root.abort("enough").unwrap();
    assert_eq!(called.load(Ordering::SeqCst), 0, "the task had ended");
    drop((first, third));
}

#[test]
fn abort_2_a_callback_of_a_task_that_is_not_reached_waits_on() {
    watched(|| {
        let node = node();
        let root = node.module.task("root").start().unwrap();
        let called = Arc::new(AtomicUsize::new(0));
        let call = || {
            let called = Arc::clone(&called);
            move || {
                called.fetch_add(1, Ordering::SeqCst);
            }
        };
        let tasks = [(); 5].map(|()| root.child("t").start().unwrap());
        let guards: Vec<_> = tasks
            .iter()
            .map(|task| task.on_abort(call()).unwrap())
            .collect();
        for (at, task) in tasks.iter().enumerate() {
            // From the middle on, so that some wait before and some after.
            let task = if at == 0 { &tasks[2] } else { task };
            task.abort("enough").unwrap();
            let expected = tasks.iter().filter(|task| task.abort_requested()).count();
            assert_eq!(called.load(Ordering::SeqCst), expected);
        }
        root.abort("enough").unwrap();
        assert_eq!(called.load(Ordering::SeqCst), 5, "each once");
        drop(guards);
    });
}

#[test]
fn abort_4_a_guard_of_a_callback_that_has_run_is_no_others() {
    watched(|| {
        let node = node();
        let root = node.module.task("root").start().unwrap();
        let first = root.child("first").start().unwrap();
        let has_run = first.on_abort(|| {}).unwrap();
        first.abort("enough").unwrap();
        let second = root.child("second").start().unwrap();
        let called = Arc::new(AtomicBool::new(false));
        let set = Arc::clone(&called);
        let call = move || set.store(true, Ordering::SeqCst);
        let waits = second.on_abort(call).unwrap();
        drop(has_run);
        second.abort("enough").unwrap();
        assert!(called.load(Ordering::SeqCst));
        drop(waits);
    });
}

#[test]
fn abort_4_a_guard_waits_for_its_own_callback_alone() {
    watched(|| {
        let node = node();
        let root = node.module.task("root").start().unwrap();
        let tasks = [(); 2].map(|()| root.child("t").start().unwrap());
        let over = tasks[0].on_abort(|| {}).unwrap();
        tasks[0].abort("enough").unwrap();
        let (begun, at_work) = mpsc::channel();
        let (go_on, gate) = mpsc::channel::<()>();
        let slow = move || {
            begun.send(()).unwrap();
            gate.recv().unwrap();
        };
        let running = tasks[1].on_abort(slow).unwrap();
        let observer = tasks[1].reporter();
        let aborter = std::thread::spawn(move || observer.abort("enough").unwrap());
        at_work.recv().unwrap();
        drop(over);
        go_on.send(()).unwrap();
        aborter.join().unwrap();
        drop(running);
    });
}

/// Aborts a task when it is dropped.
struct Aborts(taskmgr::Observer);

impl Drop for Aborts {
    fn drop(&mut self) {
        self.0.abort("while it ends").unwrap();
    }
}

#[test]
fn life_4_an_abort_by_what_a_callback_owns_is_in_time_for_the_end() {
    let node = node();
    for fails in [false, true] {
        let root = node.module.task("root").start().unwrap();
        let task = root.child("t").abortable().start().unwrap();
        let observer = task.observe();
        let aborts = Aborts(task.observe());
        task.on_abort(move || drop(aborts)).unwrap().forget();
        match fails {
            true => task.fail("no space").unwrap(),
            false => assert!(task.finish().unwrap_err().is_aborted()),
        }
        let status = observer.wait_timeout(PATIENCE).unwrap();
        assert_eq!(status.state, State::Failed);
        let expected = match fails {
            true => "aborted: while it ends: no space",
            false => "aborted: while it ends",
        };
        assert_eq!(status.error.unwrap(), expected);
    }
}
