//! Suspending: it asks, the owner sleeps, and somebody wakes it.

mod common;

use std::sync::Arc;

use common::{PATIENCE, node, seconds, until};
use taskmgr::{ErrorCode, Observer, State, Task};

fn asleep(observer: &Observer) {
    until("it sleeps", || {
        observer.status().unwrap().state == State::Suspended
    });
}

/// A thread that is to fall asleep in the task's checkpoint, and gives the task back.
fn sleeper(task: Task) -> std::thread::JoinHandle<(taskmgr::Result<()>, Task)> {
    std::thread::spawn(move || (task.checkpoint(), task))
}

#[test]
fn life_9_on_a_task_that_has_ended_neither_does_anything() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let asked = node.module.task("t").start().unwrap();
    let (plain, observer) = (task.observe(), asked.observe());
    observer.suspend().unwrap();
    task.finish().unwrap();
    asked.finish().unwrap();
    for observer in [&plain, &observer] {
        let before = observer.status().unwrap();
        observer.suspend().unwrap();
        assert_eq!(observer.status().unwrap(), before);
        observer.resume().unwrap();
        assert_eq!(observer.status().unwrap(), before);
        node.manager.suspend(observer.id()).unwrap();
        node.manager.resume(observer.id()).unwrap();
        assert_eq!(observer.status().unwrap(), before);
    }
}

#[test]
fn life_9_what_was_taken_back_before_the_checkpoint_does_not_sleep() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    observer.suspend().unwrap();
    observer.suspend().unwrap();
    assert!(observer.status().unwrap().suspend_requested);
    observer.resume().unwrap();
    assert!(!observer.status().unwrap().suspend_requested);
    observer.resume().unwrap();
    task.checkpoint().unwrap();
    assert_eq!(observer.status().unwrap().state, State::Running);
}

#[test]
fn life_9_only_the_task_itself_sleeps() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let child = root.child("t").start().unwrap();
    let below = child.child("t").start().unwrap();
    child.observe().suspend().unwrap();
    for other in [&root, &below] {
        other.checkpoint().unwrap();
        assert!(!other.status().unwrap().suspend_requested);
    }
    let observer = child.observe();
    let sleeping = sleeper(child);
    asleep(&observer);
    let states = root.observe().status_tree().unwrap();
    below.advance(1);
    below.checkpoint().unwrap();
    assert_eq!(
        states.iter().map(|status| status.state).collect::<Vec<_>>(),
        [State::Running, State::Suspended, State::Running]
    );
    observer.resume().unwrap();
    sleeping.join().unwrap().0.unwrap();
}

#[test]
fn life_9_a_sleeper_is_told_why_it_was_woken() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    for wake in 0..4 {
        let child = root.child("t").abortable().start().unwrap();
        let observer = child.observe();
        observer.suspend().unwrap();
        let sleeping = sleeper(child);
        asleep(&observer);
        match wake {
            0 => observer.resume().unwrap(),
            1 => node.manager.resume(observer.id()).unwrap(),
            2 => observer.abort("enough").unwrap(),
            _ => root.abort("enough of all").unwrap(),
        }
        let (told, child) = sleeping.join().unwrap();
        match wake {
            0 | 1 => told.unwrap(),
            2 => assert_eq!(told.unwrap_err().to_string(), "aborted: enough"),
            _ => assert_eq!(told.unwrap_err().to_string(), "aborted: enough of all"),
        }
        assert_eq!(observer.status().unwrap().state, State::Running, "abort_5");
        drop(child);
    }
}

#[test]
fn life_9_one_that_others_share_may_be_ended_in_its_sleep() {
    let node = node();
    let task = Arc::new(node.module.task("t").start().unwrap().share());
    let observer = task.observe();
    observer.suspend().unwrap();
    let other = Arc::clone(&task);
    let sleeping = std::thread::spawn(move || other.checkpoint());
    asleep(&observer);
    task.finish().unwrap();
    let told = sleeping.join().unwrap().unwrap_err();
    assert_eq!(told.code(), ErrorCode::AlreadyFinished);
    assert_eq!(observer.status().unwrap().state, State::Done);
}

#[test]
fn life_9_a_sleeper_is_asked_again_and_again() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    let worker = std::thread::spawn(move || {
        while task.status().unwrap().progress.completed < 100 {
            task.checkpoint().unwrap();
            task.advance(1);
        }
        task.finish().unwrap();
    });
    while !observer.is_terminal().unwrap() {
        observer.suspend().unwrap();
        until("it sleeps, or is over", || {
            let state = observer.status().unwrap().state;
            state == State::Suspended || state.is_terminal()
        });
        observer.resume().unwrap();
    }
    assert_eq!(observer.wait_timeout(PATIENCE).unwrap().state, State::Done);
    worker.join().unwrap();
}

#[test]
fn life_9_a_waiter_waits_through_a_sleep() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    observer.suspend().unwrap();
    let sleeping = sleeper(task);
    asleep(&observer);
    assert!(observer.wait_timeout(seconds(0)).unwrap_err().is_timeout());
    let waiting = observer.clone();
    let waiter = std::thread::spawn(move || waiting.wait().unwrap().state);
    observer.resume().unwrap();
    let (told, task) = sleeping.join().unwrap();
    told.unwrap();
    task.finish().unwrap();
    assert_eq!(waiter.join().unwrap(), State::Done);
}
