//! Who may abort what, how far it reaches, and what the work sees.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use common::{node, seconds};
use taskmgr::{ErrorCode, State, Task};

#[test]
fn abort_1_an_observer_is_refused_unless_the_task_is_abortable_and_its_owner_never_is() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    for refused in [
        task.observe().abort("now"),
        node.manager.abort(task.id(), "now"),
    ] {
        assert_eq!(refused.unwrap_err().code(), ErrorCode::NotAbortable);
    }
    assert!(!task.abort_requested());
    assert_eq!(task.status().unwrap().abort, None, "nothing changes");
    task.abort("now").unwrap();
    assert!(task.abort_requested());
}

#[test]
fn abort_2_it_reaches_every_descendant_and_nobody_else() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let (left, right) = (
        root.child("t").start().unwrap(),
        root.child("t").start().unwrap(),
    );
    let below: Vec<Task> = (0..3).map(|_| left.child("t").start().unwrap()).collect();
    let deep = below[0].child("t").start().unwrap();
    let aside = right.child("t").start().unwrap();
    left.abort("enough").unwrap();
    for task in below.iter().chain([&left, &deep]) {
        assert!(task.abort_requested());
        assert_eq!(
            task.check_abort().unwrap_err().to_string(),
            "aborted: enough"
        );
        assert_eq!(task.status().unwrap().abort.unwrap().reason, "enough");
    }
    for task in [&root, &right, &aside] {
        assert!(!task.abort_requested());
        assert_eq!(task.status().unwrap().abort, None);
    }
    let reporter = deep.reporter();
    assert!(reporter.abort_requested());
    let born_later = deep.child("t").create().unwrap();
    assert!(born_later.abort_requested());
    assert!(!aside.child("t").start().unwrap().abort_requested());
}

#[test]
fn abort_2_also_when_the_task_itself_has_ended_and_not_settled() {
    let node = node();
    let root = node.module.task("t").abortable().start().unwrap();
    let child = root.child("t").start().unwrap();
    let observer = root.observe();
    root.finish().unwrap();
    observer.abort("enough").unwrap();
    assert!(child.abort_requested());
    assert!(child.finish().unwrap_err().is_aborted());
    assert_eq!(
        observer.status().unwrap().state,
        State::Done,
        "what has ended stays as it is"
    );
}

#[test]
fn abort_2_none_escapes_an_abort_that_comes_while_it_is_made() {
    for _ in 0..500 {
        let node = node();
        let root = node.module.task("t").start().unwrap();
        let observer = root.observe();
        let start = Arc::new(Barrier::new(2));
        let theirs = Arc::clone(&start);
        let reporter = root.reporter();
        let maker = std::thread::spawn(move || {
            theirs.wait();
            (0..20)
                .filter_map(|_| reporter.child("t").create().ok())
                .collect::<Vec<Task>>()
        });
        start.wait();
        root.abort("enough").unwrap();
        let children = maker.join().unwrap();
        assert!(children.iter().all(|child| child.abort_requested()));
        drop(observer);
    }
}

#[test]
fn abort_3_the_first_reason_wins_also_from_above() {
    let node = node();
    let root = node.module.task("t").abortable().start().unwrap();
    let child = root.child("t").abortable().start().unwrap();
    root.observe().abort("first").unwrap();
    root.observe().abort("second").unwrap();
    child.observe().abort("third").unwrap();
    for task in [&root, &child] {
        assert_eq!(task.status().unwrap().abort.unwrap().reason, "first");
    }
    let observer = root.observe();
    drop(child);
    drop(root);
    let before = observer.status().unwrap();
    observer.abort("too late").unwrap();
    assert_eq!(
        observer.status().unwrap(),
        before,
        "a settled task does not change"
    );
}

#[test]
fn abort_4_a_callback_runs_once_on_the_thread_that_aborts() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let (sender, calls) = std::sync::mpsc::channel();
    let send = sender.clone();
    let before = task
        .on_abort(move || send.send(std::thread::current().id()).unwrap())
        .unwrap();
    let child = task.child("c").start().unwrap();
    let send = sender.clone();
    let below = child
        .on_abort(move || send.send(std::thread::current().id()).unwrap())
        .unwrap();
    task.abort("enough").unwrap();
    task.abort("again").unwrap();
    let send = sender.clone();
    let after = task
        .on_abort(move || send.send(std::thread::current().id()).unwrap())
        .unwrap();
    drop(sender);
    let me = std::thread::current().id();
    assert_eq!(calls.iter().collect::<Vec<_>>(), [me; 3]);
    drop((before, below, after));
}

#[test]
fn abort_4_a_dropped_guard_and_an_ended_task_call_nobody() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let called = Arc::new(AtomicBool::new(false));
    let set = |flag: &Arc<AtomicBool>| {
        let flag = Arc::clone(flag);
        move || flag.store(true, Ordering::SeqCst)
    };
    drop(root.on_abort(set(&called)).unwrap());
    let child = root.child("t").start().unwrap();
    child.on_abort(set(&called)).unwrap().forget();
    child.finish().unwrap();
    root.abort("enough").unwrap();
    assert!(!called.load(Ordering::SeqCst));
}

#[test]
fn abort_5_the_state_stays_running_and_the_status_tells_how_the_work_takes_it() {
    let node = node();
    let task = node.module.task("t").abortable().start().unwrap();
    assert!(!task.abort_requested());
    node.clock.advance(seconds(1));
    task.observe().abort("enough").unwrap();
    let requested_at = node_time(&task);
    let abort = task.status().unwrap().abort.unwrap();
    assert_eq!(
        (abort.requested_at, abort.polls, abort.last_poll),
        (Some(requested_at), 0, None)
    );
    node.clock.advance(seconds(2));
    assert!(task.abort_requested() && task.check_abort().is_err());
    let status = task.status().unwrap();
    assert_eq!(status.state, State::Running);
    let abort = status.abort.unwrap();
    assert_eq!(
        (abort.polls, abort.last_poll),
        (2, Some(requested_at + seconds(2)))
    );
    let child = task.child("c").create().unwrap();
    assert_eq!(
        child.status().unwrap().abort.unwrap().requested_at,
        Some(requested_at)
    );
}

/// The abort came a second after the birth.
fn node_time(task: &Task) -> std::time::SystemTime {
    task.status().unwrap().created_at + seconds(1)
}
