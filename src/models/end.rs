//! The end of a task.

use std::time::Duration;

use loom::thread;

use super::{Host, check};
use crate::{ErrorCode, State};

/// life_2, life_5. Fails if a second finisher of a shared handle passes.
#[test]
fn finish_vs_finish_exactly_one_wins() {
    check(2, || {
        let host = Host::new();
        let task = host.kept_root().share();
        let other = task.clone();
        let done = thread::spawn(move || other.finish());
        let failed = task.fail("no space");
        host.clock.advance(Duration::from_secs(1));
        let early = task.status().unwrap();
        let done = done.join().unwrap();
        let status = task.status().unwrap();
        if early.state.is_terminal() {
            assert_eq!(early, status, "what has ended does not change");
        }
        let (winner, lost) = match (done, failed) {
            (Ok(()), Err(lost)) => ((State::Done, None), lost),
            (Err(lost), Ok(())) => ((State::Failed, Some("no space")), lost),
            both => panic!("one wins, not {both:?}"),
        };
        assert_eq!(lost.code(), ErrorCode::AlreadyFinished);
        assert_eq!((status.state, status.error.as_deref()), winner);
        assert_eq!(host.repair.drain().unwrap(), 1);
    });
}

/// life_5. Fails if `finish` publishes the terminal flag with a relaxed operation.
#[test]
fn finish_vs_snapshot_never_torn() {
    check(2, || {
        let host = Host::new();
        let task = host.repair.task("repair").total(3, "ranges");
        let task = task.user_task().start().unwrap();
        let observer = task.observe();
        let owner = thread::spawn(move || {
            task.advance(1);
            task.advance(2);
            task.finish().unwrap();
        });
        let status = observer.status().unwrap();
        let stats = host.repair.list(&crate::Filter::new()).unwrap();
        assert_eq!(status.end_time.is_some(), status.state.is_terminal());
        assert_eq!(status.settled, status.state.is_terminal());
        assert!(
            status
                .end_time
                .is_none_or(|end| Some(end) >= status.start_time)
        );
        if status.state.is_terminal() {
            assert_eq!(status.progress.completed, 3);
        }
        assert_eq!(stats.len(), 1);
        assert_eq!(stats[0].end_time.is_some(), stats[0].state.is_terminal());
        owner.join().unwrap();
    });
}

/// life_5. Fails if `write_end` lets the lock of the error go before it is written.
#[test]
fn fail_vs_snapshot_comes_with_its_error() {
    check(2, || {
        let host = Host::new();
        let task = host.kept_root();
        let observer = task.observe();
        let owner = thread::spawn(move || task.fail("no space").unwrap());
        let status = observer.status().unwrap();
        let expected = (status.state == State::Failed).then(|| "no space".to_owned());
        assert_eq!(status.error, expected);
        owner.join().unwrap();
    });
}

/// life_6, fold_3. Fails if `publish` takes every finisher for one that has seen the kids.
#[test]
fn first_child_vs_finish_refused_or_waited_for() {
    check(3, || {
        let host = Host::new();
        let parent = host.kept_root();
        let observer = parent.observe();
        let repair = host.repair.clone();
        let maker = {
            let observer = observer.clone();
            thread::spawn(move || repair.task("part").parent(&observer).start())
        };
        parent.finish().unwrap();
        let child = maker.join().unwrap();
        let status = observer.status().unwrap();
        assert_eq!(status.state, State::Done);
        assert_eq!(status.settled, child.is_err());
        match child {
            Err(error) => assert_eq!(error.code(), ErrorCode::ParentTerminal),
            Ok(child) => {
                assert_eq!(status.child_counts.live, 1);
                child.finish().unwrap();
            }
        }
        assert!(observer.status().unwrap().settled);
        assert_eq!(host.repair.drain().unwrap(), 1);
    });
}

/// life_2. Fails if of two that cannot end the task in one step both claim to end it.
#[test]
fn finish_vs_fail_of_a_shared_child_exactly_one_wins() {
    check(2, || {
        let host = Host::new();
        let parent = host.repair.task("repair").start().unwrap();
        parent.child("part").start().unwrap().finish().unwrap();
        let task = parent.child("part").start().unwrap().share();
        let other = task.clone();
        let failed = thread::spawn(move || other.fail("no space"));
        let done = task.finish();
        let failed = failed.join().unwrap();
        let status = task.status().unwrap();
        let winner = match (done, failed) {
            (Ok(()), Err(lost)) => (State::Done, None, lost),
            (Err(lost), Ok(())) => (State::Failed, Some("no space"), lost),
            both => panic!("one wins, not {both:?}"),
        };
        assert_eq!(winner.2.code(), ErrorCode::AlreadyFinished);
        assert_eq!(
            (status.state, status.error.as_deref()),
            (winner.0, winner.1)
        );
        let kept = parent.observe().status_tree().unwrap().remove(2);
        assert_eq!((kept.state, kept.error.as_deref()), (winner.0, winner.1));
    });
}

/// life_2. Fails if who comes second relies on the parent, which may have gone meanwhile.
#[test]
fn finish_of_a_shared_child_vs_its_end_and_its_parents() {
    check(2, || {
        let host = Host::new();
        let parent = host.repair.task("repair").start().unwrap();
        let task = parent.child("part").start().unwrap().share();
        let (other, repair) = (task.clone(), host.repair.clone());
        let first = thread::spawn(move || {
            let done = other.finish();
            parent.finish().unwrap();
            // Where the parent was.
            let next = repair.task("next").start().unwrap();
            (done, next)
        });
        let second = task.finish();
        let (first, _next) = first.join().unwrap();
        match (first, second) {
            (Ok(()), Err(lost)) | (Err(lost), Ok(())) => {
                assert_eq!(lost.code(), ErrorCode::AlreadyFinished);
            }
            both => panic!("one wins, not {both:?}"),
        }
        assert_eq!(task.status().unwrap().state, State::Done);
    });
}

/// life_3. Fails if two that drop a handle both take it for the last, or neither does.
#[test]
fn drop_vs_drop_of_a_shared_owner_the_last_fails_it() {
    check(3, || {
        let host = Host::new();
        let task = host.repair.task("repair").start().unwrap().share();
        let (observer, other) = (task.observe(), task.clone());
        let dropped = thread::spawn(move || {
            other.advance(1);
            drop(other);
        });
        drop(task);
        dropped.join().unwrap();
        let status = observer.status().unwrap();
        assert_eq!(status.error.unwrap(), "dropped before it finished");
        assert_eq!(status.progress.completed, 1);
    });
}
