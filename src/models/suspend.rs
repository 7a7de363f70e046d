//! Sleeping in a checkpoint.

use std::sync::Arc;

use loom::thread;

use super::{Host, check};
use crate::{ErrorCode, State};

/// life_9. Fails if `Sleepers::sleep` looks before it has the list's lock.
#[test]
fn checkpoint_vs_resume_no_lost_wake_up() {
    check(3, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        observer.suspend().unwrap();
        let owner = thread::spawn(move || {
            task.checkpoint().unwrap();
            assert_eq!(task.status().unwrap().state, State::Running);
            task.finish()
        });
        observer.resume().unwrap();
        owner.join().unwrap().unwrap();
    });
}

/// life_9. Fails if a sleeper does not look for the abort once it has the list's lock.
#[test]
fn checkpoint_vs_abort_no_lost_wake_up() {
    check(3, || {
        let host = Host::new();
        let root = host.root();
        let child = root.child("part").start().unwrap();
        child.observe().suspend().unwrap();
        let owner = thread::spawn(move || {
            assert!(child.checkpoint().unwrap_err().is_aborted());
            assert_ne!(child.status().unwrap().state, State::Suspended);
            child.finish()
        });
        root.abort("stop").unwrap();
        assert!(owner.join().unwrap().unwrap_err().is_aborted());
    });
}

/// life_9, life_2. Fails if `fall_asleep` does not mark the task as watched, or if who would sleep
/// is told of an end that has only begun.
#[test]
fn checkpoint_vs_finish_by_another_thread() {
    check(2, || {
        let host = Host::new();
        let task = Arc::new(host.kept_root().share());
        task.observe().suspend().unwrap();
        let other = Arc::clone(&task);
        let sleeper = thread::spawn(move || {
            let error = other.checkpoint().unwrap_err();
            assert_eq!(other.status().unwrap().state, State::Done);
            error
        });
        task.finish().unwrap();
        let error = sleeper.join().unwrap();
        assert_eq!(error.code(), ErrorCode::AlreadyFinished);
        assert_eq!(task.status().unwrap().state, State::Done);
    });
}

/// life_9. Fails if the sleeper shows `suspended` before it sleeps or after it has woken.
#[test]
fn suspend_vs_checkpoint_state_follows() {
    check(3, || {
        let host = Host::new();
        let task = host.root();
        let observer = task.observe();
        let owner = thread::spawn(move || {
            task.checkpoint().unwrap();
            let state = task.status().unwrap().state;
            task.finish().unwrap();
            state
        });
        observer.suspend().unwrap();
        observer.resume().unwrap();
        assert_eq!(owner.join().unwrap(), State::Running);
    });
}
