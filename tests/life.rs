//! The states of a task, who may end it, and what lasts.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};

use common::{node, seconds, until};
use taskmgr::{ErrorCode, State};

#[test]
fn life_1_states_follow_the_owner() {
    let node = node();
    let task = node.module.task("t").create().unwrap();
    let observer = task.observe();
    let state = || observer.status().unwrap().state;
    assert_eq!(state(), State::Created);
    task.start().unwrap();
    assert_eq!(state(), State::Running);
    task.finish().unwrap();
    assert_eq!(state(), State::Done);
}

#[test]
fn life_1_a_task_that_was_not_started_never_is_done() {
    let node = node();
    let task = node.module.task("t").create().unwrap();
    let observer = task.observe();
    assert_eq!(task.finish().unwrap_err().code(), ErrorCode::NotStarted);
    assert_eq!(observer.status().unwrap().state, State::Failed);
    assert_eq!(observer.status().unwrap().start_time, None);
}

#[test]
fn life_2_of_many_who_end_a_task_one_wins_and_the_others_are_told() {
    for _ in 0..200 {
        let node = node();
        let task = Arc::new(node.module.task("t").start().unwrap().share());
        let observer = task.observe();
        let start = Arc::new(Barrier::new(4));
        let rivals = (0..4).map(|rival| {
            let (task, start) = (Arc::clone(&task), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                match rival % 2 {
                    0 => task.finish(),
                    _ => task.fail(rival),
                }
            })
        });
        let results: Vec<_> = rivals
            .collect::<Vec<_>>()
            .into_iter()
            .map(|r| r.join().unwrap())
            .collect();
        let winner = results.iter().position(Result::is_ok).unwrap();
        for (rival, result) in results.iter().enumerate() {
            let code = result.as_ref().map_err(|error| error.code());
            let expected = if rival == winner {
                Ok(&())
            } else {
                Err(ErrorCode::AlreadyFinished)
            };
            assert_eq!(code, expected);
        }
        let error = (winner % 2 == 1).then(|| winner.to_string());
        assert_eq!(
            observer.status().unwrap().error,
            error,
            "a loser changes nothing"
        );
    }
}

#[test]
fn life_3_an_owner_that_goes_away_fails_its_task() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let dropped = task.observe();
    drop(task);
    let task = node.module.task("t").start().unwrap();
    let unwound = task.observe();
    let panic = catch_unwind(AssertUnwindSafe(move || {
        let _task = task;
        std::panic::resume_unwind(Box::new("at work"));
    }));
    assert!(panic.is_err());
    let task = Arc::new(node.module.task("t").start().unwrap().share());
    let (shared, clone) = (task.observe(), Arc::clone(&task));
    drop(task);
    assert_eq!(
        shared.status().unwrap().state,
        State::Running,
        "a clone is left"
    );
    drop(clone);
    let errors =
        [dropped, unwound, shared].map(|observer| observer.status().unwrap().error.unwrap());
    assert_eq!(
        errors,
        [
            "dropped before it finished",
            "panicked",
            "dropped before it finished"
        ]
    );
}

#[test]
fn life_3_run_and_spawn_keep_the_message() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    let error = task
        .run(|_| -> Result<(), _> { Err("no space left".into()) })
        .unwrap_err();
    assert_eq!(error.to_string(), "no space left");
    assert_eq!(error.code(), ErrorCode::TaskFailed);
    assert_eq!(observer.status().unwrap().error.unwrap(), "no space left");

    let work = node
        .module
        .task("t")
        .spawn(|_| -> Result<(), _> { std::panic::resume_unwind(Box::new("at work")) });
    let work = work.unwrap();
    let observer = work.observer().clone();
    assert_eq!(work.join().unwrap_err().to_string(), "panicked: at work");
    assert_eq!(
        observer.status().unwrap().error.unwrap(),
        "panicked: at work"
    );
    assert_eq!(node.module.task("t").run(|_| Ok(7)).unwrap(), 7);
}

#[test]
fn life_3_the_error_of_the_work_keeps_its_causes() {
    /// Tells its cause by `source` alone, as most errors do.
    #[derive(Debug)]
    struct CannotFlush(std::io::Error);

    impl std::fmt::Display for CannotFlush {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot flush ks.t")
        }
    }

    impl std::error::Error for CannotFlush {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    let full = || Err(CannotFlush(std::io::Error::other("no space left")).into());
    let error = task.run(|_| -> Result<(), _> { full() }).unwrap_err();
    assert_eq!(error.to_string(), "cannot flush ks.t");
    assert_eq!(format!("{error:#}"), "cannot flush ks.t: no space left");
    let source = std::error::Error::source(&error).unwrap();
    assert!(
        source.downcast_ref::<CannotFlush>().is_some(),
        "the work's own"
    );
    assert_eq!(
        observer.status().unwrap().error.unwrap(),
        "cannot flush ks.t: no space left"
    );
    // Handed on by the task above, it stays the same, and is still told once.
    let outer = node.module.task("t").start().unwrap();
    let seen = outer.observe();
    let again = outer
        .run(|_| -> Result<(), _> { Err(error.into()) })
        .unwrap_err();
    assert_eq!(format!("{again:#}"), "cannot flush ks.t: no space left");
    assert_eq!(
        seen.status().unwrap().error.unwrap(),
        "cannot flush ks.t: no space left"
    );
}

#[test]
fn life_4_a_task_that_was_told_to_abort_is_never_done() {
    let node = node();
    let task = node.module.task("t").abortable().start().unwrap();
    let observer = task.observe();
    observer.abort("enough").unwrap();
    assert_eq!(task.finish().unwrap_err().code(), ErrorCode::Aborted);
    assert_eq!(observer.status().unwrap().error.unwrap(), "aborted: enough");

    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    task.abort("enough").unwrap();
    task.fail("disk full").unwrap();
    assert_eq!(
        observer.status().unwrap().error.unwrap(),
        "aborted: enough: disk full"
    );

    // The abort handed on is not said twice.
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    task.abort("enough").unwrap();
    let error = task.run(|task| Ok(task.check_abort()?)).unwrap_err();
    assert!(error.is_aborted());
    assert_eq!(observer.status().unwrap().error.unwrap(), "aborted: enough");
}

#[test]
fn life_4_a_task_aborted_before_its_start_never_runs() {
    let node = node();
    let task = node.module.task("t").create().unwrap();
    task.abort("enough").unwrap();
    assert_eq!(task.start().unwrap_err().code(), ErrorCode::Aborted);
    let status = task.status().unwrap();
    assert_eq!((status.state, status.start_time), (State::Failed, None));
    assert_eq!(
        task.finish().unwrap_err().code(),
        ErrorCode::AlreadyFinished
    );

    let parent = node.module.task("t").start().unwrap();
    parent.abort("enough").unwrap();
    assert_eq!(
        parent.child("c").start().unwrap_err().code(),
        ErrorCode::Aborted
    );
    let ran = parent
        .child("c")
        .run(|_| -> Result<(), _> { panic!("it must not run") });
    assert_eq!(ran.unwrap_err().code(), ErrorCode::Aborted);
    assert_eq!(parent.status().unwrap().child_counts.failed, 2);
}

#[test]
fn life_5_times_keep_their_order_and_do_not_move_when_the_wall_clock_steps() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    let start = observer.status().unwrap().start_time.unwrap();
    node.clock.advance(seconds(5));
    node.clock.set_wall(start - seconds(3600));
    task.finish().unwrap();
    let status = observer.status().unwrap();
    assert_eq!(status.start_time.unwrap(), start);
    assert_eq!(status.end_time.unwrap(), start + seconds(5));
    let later = node.module.task("t").start().unwrap();
    assert!(
        later.status().unwrap().start_time.unwrap() < start,
        "what comes later has the new time"
    );
}

#[test]
fn life_5_what_is_reported_after_the_end_is_dropped() {
    let node = node();
    let task = node
        .module
        .task("t")
        .total(10, "rows")
        .start()
        .unwrap()
        .share();
    let reporter = task.reporter();
    task.advance(3);
    reporter.advance(4);
    task.finish().unwrap();
    task.advance(1);
    reporter.advance(1);
    task.set_total(99);
    reporter.set_completed(9);
    task.reporter().advance(1);
    let progress = task.status().unwrap().progress;
    assert_eq!((progress.completed, progress.total), (7, 10));
}

#[test]
fn life_6_a_second_start_and_a_child_of_an_ended_parent_are_errors() {
    let node = node();
    let task = node.module.task("t").start().unwrap().share();
    assert_eq!(task.start().unwrap_err().code(), ErrorCode::AlreadyStarted);
    let reporter = task.reporter();
    task.finish().unwrap();
    assert_eq!(task.start().unwrap_err().code(), ErrorCode::AlreadyFinished);
    for refused in [task.child("c").start(), reporter.child("c").start()] {
        assert_eq!(refused.unwrap_err().code(), ErrorCode::ParentTerminal);
    }
}

#[test]
fn life_7_a_handle_keeps_its_task_whatever_goes() {
    let node = node();
    let parent = node.module.task("p").start().unwrap();
    let child = parent
        .child("c")
        .entity("e")
        .total(3, "rows")
        .start()
        .unwrap();
    let (child_observer, parent_observer) = (child.observe(), parent.observe());
    let parent_id = parent.id();
    child.advance(2);
    child.fail("failed").unwrap();
    parent.finish().unwrap();
    node.manager.take_status(parent_id).unwrap();
    drop(node);
    let status = child_observer.status().unwrap();
    assert_eq!(
        (status.state, &*status.entity, status.progress.completed),
        (State::Failed, "e", 2)
    );
    assert_eq!(status.parent_id, Some(parent_id));
    assert_eq!(status.sequence_number, 1);
    assert_eq!(parent_observer.status_tree().unwrap().len(), 2);
}

#[test]
fn life_7_the_last_manager_aborts_what_runs_and_waits_for_nobody() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let child = task.child("c").start().unwrap();
    let module = node.module.clone();
    let clone = node.manager.clone();
    drop(node);
    assert!(!task.abort_requested(), "a clone is left");
    drop(clone);
    assert!(task.abort_requested() && child.abort_requested());
    assert!(module.task("t").start().unwrap_err().is_closed());
    assert!(task.child("c").start().unwrap_err().is_closed());
    child.advance(1);
    let observer = child.observe();
    assert!(child.finish().unwrap_err().is_aborted());
    assert_eq!(observer.wait().unwrap().progress.completed, 1);
    assert!(task.finish().unwrap_err().is_aborted());
}

#[test]
fn life_8_what_an_end_brings_about_has_happened_before_anybody_hears_of_it() {
    for _ in 0..100 {
        let node = node();
        let parent = node.module.task("p").start().unwrap();
        let child = parent.child("c").start().unwrap();
        let (manager, parent_id, child_id) = (node.manager.clone(), parent.id(), child.id());
        let folded = move || {
            assert!(manager.status(child_id).unwrap_err().is_gone());
            assert_eq!(manager.status(parent_id).unwrap().child_counts.succeeded, 1);
        };
        let (observer, check) = (child.observe(), folded.clone());
        let waiter = std::thread::spawn(move || {
            observer.wait().unwrap();
            check();
        });
        let check = folded.clone();
        child.observe().on_done(move |_| check()).unwrap().forget();
        child.finish().unwrap();
        folded();
        waiter.join().unwrap();
        assert_eq!(parent.status().unwrap().child_counts.live, 0);
    }
}

#[test]
fn life_9_suspend_asks_and_the_owner_sleeps_in_its_checkpoint() {
    let node = node();
    let parent = node.module.task("p").abortable().start().unwrap();
    let child = parent.child("c").start().unwrap();
    let observer = parent.observe();
    observer.suspend().unwrap();
    let status = observer.status().unwrap();
    assert!(status.suspend_requested);
    assert_eq!(status.state, State::Running, "nobody sleeps yet");
    child.checkpoint().unwrap(); // it concerns the parent alone
    let sleeper = std::thread::spawn(move || {
        parent.checkpoint().unwrap();
        parent.checkpoint().unwrap();
        parent
    });
    until("suspended", || {
        observer.status().unwrap().state == State::Suspended
    });
    assert!(!sleeper.is_finished());
    observer.resume().unwrap();
    let parent = sleeper.join().unwrap();
    assert_eq!(observer.status().unwrap().state, State::Running);

    observer.suspend().unwrap();
    let sleeper = std::thread::spawn(move || (parent.checkpoint(), parent));
    until("suspended", || {
        observer.status().unwrap().state == State::Suspended
    });
    observer.abort("enough").unwrap();
    let (result, parent) = sleeper.join().unwrap();
    assert_eq!(result.unwrap_err().code(), ErrorCode::Aborted);
    drop(child);
    drop(parent);
    observer.suspend().unwrap();
    assert_eq!(observer.status().unwrap().state, State::Failed);
    observer.resume().unwrap();
}

#[test]
fn life_9_an_abort_from_above_wakes_a_sleeper() {
    let node = node();
    let parent = node.module.task("p").start().unwrap();
    let child = parent.child("c").start().unwrap();
    let observer = child.observe();
    observer.suspend().unwrap();
    let sleeper = std::thread::spawn(move || child.checkpoint());
    until("suspended", || {
        observer.status().unwrap().state == State::Suspended
    });
    parent.abort("enough").unwrap();
    assert!(sleeper.join().unwrap().unwrap_err().is_aborted());
}

#[test]
fn life_7_a_million_handles_are_exhausted_for_who_asks_and_nothing_for_others() {
    const MANY: usize = (1 << 20) + 64;
    let node = node();
    let parent = node.module.task("t").user_task().start().unwrap();
    let task = parent.child("t").abortable().start().unwrap();
    let (id, neighbour) = (task.id(), parent.child("t").start().unwrap());
    let exhausted = |code: Option<ErrorCode>| assert_eq!(code, Some(ErrorCode::Exhausted));
    let observer = node.manager.observe(id).unwrap();
    let observers = vec![observer; MANY];
    let refused = node.manager.observe(id).unwrap_err();
    assert!(refused.to_string().contains(&id.to_string()), "{refused}");
    exhausted(Some(refused.code()));
    let searched = node.manager.search(id, None).into_result();
    exhausted(searched.err().map(|error| error.code()));
    let (first, last) = (&observers[0], &observers[MANY - 1]);
    exhausted(first.on_done(|_| ()).err().map(|error| error.code()));
    exhausted(task.on_abort(|| ()).err().map(|error| error.code()));
    // Whoever only looks, waits, counts, aborts or ends it is none the worse.
    let reporter = task.reporter();
    reporter.advance(2);
    assert_eq!(node.manager.status(id).unwrap().progress.completed, 2);
    assert_eq!(parent.observe().status_tree().unwrap().len(), 3);
    assert_eq!(node.manager.status(parent.id()).unwrap().children.len(), 2);
    neighbour.finish().unwrap();
    first.suspend().unwrap();
    first.resume().unwrap();
    task.checkpoint().unwrap();
    last.abort("enough").unwrap();
    parent.finish().unwrap();
    assert!(task.finish().unwrap_err().is_aborted());
    assert!(first.wait().unwrap().settled);
    assert!(node.manager.status(id).unwrap_err().is_gone());
    drop(reporter);
    let kept = last.clone();
    drop(observers);
    assert_eq!(kept.status().unwrap().state, State::Failed);
    assert_eq!(kept.status().unwrap().progress.completed, 2);
    drop(kept);
    // The next tasks are none of its.
    let next = node.module.task("t").start().unwrap();
    next.advance(1);
    assert_eq!(next.status().unwrap().progress.completed, 1);
    next.finish().unwrap();
}
