//! What an end brings about, up to the root, and that nothing of it changes afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use loom::thread;

use super::{Count, Host, check};
use crate::sync::Deadline;
use crate::{ErrorCode, Observer, State, Status, Task};

/// A root and its child, both over, and a leaf that still works.
fn three_levels(host: &Host) -> (Observer, Task) {
    let root = host.kept_root();
    let middle = root.child("part").start().unwrap();
    let leaf = middle.child("piece").start().unwrap();
    let observer = root.observe();
    root.finish().unwrap();
    middle.finish().unwrap();
    (observer, leaf)
}

/// life_8. Fails if the end of the last child is published without `SETTLING`, or if that is
/// cleared before the ancestors have settled, or if nobody is woken then.
#[test]
fn wait_vs_the_last_end_below_ancestors_that_have_ended() {
    check(2, || {
        let host = Host::new();
        let (root, leaf) = three_levels(&host);
        let observer = leaf.observe();
        let owner = thread::spawn(move || leaf.finish());
        let (held, engine) = observer.registered().unwrap();
        engine.wait(held, &Deadline::Never).unwrap();
        let taken = host.manager.take_status(root.id()).unwrap();
        assert_eq!((taken.state, taken.settled), (State::Done, true));
        assert_eq!(taken.child_counts.succeeded, 1);
        owner.join().unwrap().unwrap();
    });
}

/// life_8. Fails as the one above, with an end that failed and folds the long way.
#[test]
fn zero_wait_vs_the_last_end_below_ancestors_that_have_ended() {
    check(2, || {
        let host = Host::new();
        let (root, leaf) = three_levels(&host);
        let observer = leaf.observe();
        let owner = thread::spawn(move || leaf.fail("no space"));
        let (held, engine) = observer.registered().unwrap();
        match engine.wait(held, &Deadline::Now) {
            Ok(()) => assert!(host.manager.take_status(root.id()).unwrap().settled),
            Err(error) => assert!(error.is_timeout()),
        }
        owner.join().unwrap().unwrap();
    });
}

/// life_8. Fails if a root that is over is not any more, for the moment in which it settles.
#[test]
fn zero_wait_of_a_root_that_has_ended_vs_the_last_end_below_it_always_over() {
    check(2, || {
        let host = Host::new();
        let (root, leaf) = three_levels(&host);
        let owner = thread::spawn(move || leaf.finish());
        let (held, engine) = root.registered().unwrap();
        assert!(engine.wait(held, &Deadline::Now).is_ok());
        owner.join().unwrap().unwrap();
    });
}

/// life_8, wait_3. Fails as the one above, or if `on_done` takes an end that is under way for
/// one that is over.
#[test]
fn on_done_vs_the_last_end_below_ancestors_that_have_ended() {
    check(2, || {
        let host = Host::new();
        let (root, leaf) = three_levels(&host);
        let observer = leaf.observe();
        let owner = thread::spawn(move || leaf.finish());
        let called = Count::default();
        let (counted, manager) = (called.clone(), host.manager.clone());
        let done = observer.on_done(move |status| {
            assert_eq!(status.unwrap().state, State::Done);
            assert!(manager.take_status(root.id()).is_ok());
            counted.add();
        });
        owner.join().unwrap().unwrap();
        assert_eq!(called.get(), 1);
        drop(done);
    });
}

/// life_8, fold_3. Fails if a parent that ends with live children wakes who waits before it has
/// let go of them.
#[test]
fn waits_for_the_last_two_of_a_tree_that_end_at_once() {
    check(2, || {
        let host = Host::new();
        let root = host.kept_root();
        let middle = root.child("part").start().unwrap();
        let leaf = middle.child("piece").start().unwrap();
        let (of_root, of_middle, of_leaf) = (root.observe(), middle.observe(), leaf.observe());
        root.finish().unwrap();
        let (first, second) = (
            thread::spawn(move || middle.finish()),
            thread::spawn(move || leaf.finish()),
        );
        let over = |observer: &Observer| {
            let (held, engine) = observer.registered().unwrap();
            engine.wait(held, &Deadline::Now).is_ok()
        };
        // Whichever of the two comes last settles them all.
        if over(&of_middle) && over(&of_leaf) {
            assert!(of_root.status().unwrap().settled);
        }
        first.join().unwrap().unwrap();
        second.join().unwrap().unwrap();
        assert!(over(&of_middle) && over(&of_leaf) && of_root.status().unwrap().settled);
    });
}

/// life_8. Fails if nobody is woken by a parent that ended with live children, as its end has
/// brought about what it does.
#[test]
fn wait_vs_the_end_of_a_parent_with_a_live_child() {
    check(1, || {
        let host = Host::new();
        let root = host.kept_root();
        let child = root.child("part").start().unwrap();
        let observer = root.observe();
        let owner = thread::spawn(move || root.finish());
        let (held, engine) = observer.registered().unwrap();
        engine.wait(held, &Deadline::Never).unwrap();
        let status = observer.status().unwrap();
        assert_eq!((status.state, status.settled), (State::Done, false));
        owner.join().unwrap().unwrap();
        child.finish().unwrap();
        assert!(observer.status().unwrap().settled);
    });
}

/// abort_3. Fails if an abort sets its mark without a look at `SETTLED`, or its reason though the
/// mark was refused.
#[test]
fn abort_vs_finish_what_has_settled_stays() {
    check(2, || {
        let host = Host::new();
        let root = host.kept_root();
        let task = root.child("part").abortable().start().unwrap();
        let observer = task.observe();
        let owner = {
            let observer = observer.clone();
            thread::spawn(move || task.finish().map(|()| observer.status().unwrap()))
        };
        observer.abort("too late").unwrap();
        let finished = owner.join().unwrap();
        let last = observer.status().unwrap();
        let kept = root.observe().status_tree().unwrap().remove(1);
        assert_eq!((kept.state, &kept.abort), (last.state, &last.abort));
        match finished {
            Ok(then) => {
                assert_eq!((then.state, &then.abort), (State::Done, &None));
                assert_eq!(then, last);
            }
            Err(error) => assert!(error.is_aborted()),
        }
    });
}

/// abort_3, fold_1. Fails if a record's abort is read before its task has settled.
#[test]
fn abort_vs_the_last_end_below_its_record_tells_what_its_status_does() {
    check(2, || {
        let host = Host::new();
        let root = host.kept_root();
        let middle = root.child("part").start().unwrap();
        let leaf = middle.child("piece").start().unwrap();
        let observer = middle.observe();
        middle.finish().unwrap();
        let owner = thread::spawn(move || leaf.finish());
        let (held, engine) = observer.registered().unwrap();
        engine.abort_regardless(crate::engine::TaskRef::of(held), "too late");
        let _ = owner.join().unwrap();
        let last = observer.status().unwrap();
        let kept = root.observe().status_tree().unwrap().remove(1);
        assert!(last.settled);
        assert_eq!((kept.state, kept.abort), (last.state, last.abort));
    });
}

/// life_5. Fails if `set_units` does not look at the end under the lock of the extras, or marks
/// the task too late for its end to see it.
#[test]
fn set_units_vs_finish_what_has_settled_stays() {
    check(2, || {
        let host = Host::new();
        let root = host.kept_root();
        let task = root.child("part").start().unwrap().share();
        let other = task.clone();
        let owner = thread::spawn(move || {
            task.finish().unwrap();
            task.status().unwrap()
        });
        other.set_units("ranges").unwrap();
        let then = owner.join().unwrap();
        assert_eq!(other.status().unwrap(), then);
        let kept = root.observe().status_tree().unwrap().remove(1);
        assert_eq!(kept.progress, then.progress);
    });
}

/// life_5, abort_5. Fails if a status shows the looks that the slot counts after the end.
#[test]
fn look_for_an_abort_vs_finish_what_has_settled_stays() {
    check(2, || {
        let host = Host::new();
        let task = host.kept_root();
        let (observer, worker) = (task.observe(), task.reporter());
        task.abort("enough").unwrap();
        let owner = thread::spawn(move || {
            assert!(task.finish().unwrap_err().is_aborted());
            observer.status().unwrap()
        });
        assert!(worker.abort_requested());
        let then = owner.join().unwrap();
        assert!(then.abort.as_ref().is_some_and(|abort| abort.polls <= 1));
        assert!(worker.abort_requested());
        assert_eq!(worker.status().unwrap(), then);
    });
}

/// life_2, life_8. Fails if who comes second to end a task is told so while it still runs.
#[test]
fn finish_vs_finish_the_loser_hears_of_an_end() {
    check(1, || {
        let host = Host::new();
        let task = host.kept_root().share();
        // Whoever ends it sees to this first.
        let guard = task.on_abort(|| ()).unwrap();
        let ended = |task: &crate::SharedTask| -> (Option<ErrorCode>, Status) {
            let lost = task.finish().err().map(|error| error.code());
            (lost, task.status().unwrap())
        };
        let other = task.clone();
        let second = thread::spawn(move || ended(&other));
        let first = ended(&task);
        let second = second.join().unwrap();
        assert!(first.1.settled && second.1.settled, "{first:?}, {second:?}");
        let mut told = [first.0, second.0];
        told.sort_by_key(Option::is_some);
        assert_eq!(told, [None, Some(ErrorCode::AlreadyFinished)]);
        drop(guard);
    });
}

/// wait_5, abort_4. Fails, by a deadlock, if who comes second waits in a callback that the first
/// one waits for.
#[test]
fn finish_vs_finish_in_the_callback_that_it_waits_for() {
    check(1, || {
        let host = Host::new();
        let task = host.kept_root().share();
        let other = task.clone();
        let ended = Arc::new(AtomicBool::new(false));
        let in_callback = Arc::clone(&ended);
        let guard = task
            .on_abort(move || in_callback.store(other.finish().is_err(), Relaxed))
            .unwrap();
        let observer = task.observe();
        let aborter = thread::spawn(move || observer.abort("enough").unwrap());
        let finished = task.finish();
        aborter.join().unwrap();
        assert!(task.status().unwrap().state.is_terminal());
        drop((finished, guard, ended));
    });
}

/// prog_2. Fails if the status of a parent does not look again whether it has ended.
#[test]
fn finish_vs_status_of_a_parent_without_children() {
    check(1, || {
        let host = Host::new();
        let root = host.kept_root();
        let taken = crate::Uuid::from_u128(7);
        let _other = host.repair.task("other").id(taken).start().unwrap();
        assert!(root.child("part").id(taken).start().is_err());
        let observer = root.observe();
        let owner = thread::spawn(move || root.finish());
        let status = observer.status().unwrap();
        let completed = u64::from(status.state == State::Done);
        assert_eq!(
            (status.progress.completed, status.progress.total),
            (completed, 1)
        );
        owner.join().unwrap().unwrap();
    });
}
