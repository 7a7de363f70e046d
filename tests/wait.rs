//! Waiting for tasks to end.

mod common;

use std::sync::mpsc;
use std::time::Duration;

use common::{PATIENCE, node, node_with, seconds};
use taskmgr::{Observer, State};

#[test]
fn wait_1_every_waiter_gets_the_final_status_though_nothing_is_kept() {
    let node = node_with(|builder| builder.task_ttl(seconds(0)));
    for _ in 0..100 {
        let root = node.module.task("t").start().unwrap();
        let child = root.child("t").total(1, "rows").start().unwrap();
        let waiters: Vec<_> = [root.observe(), child.observe(), child.observe()]
            .into_iter()
            .map(|observer| std::thread::spawn(move || observer.wait().unwrap()))
            .collect();
        child.advance(1);
        child.fail("failed").unwrap();
        root.finish().unwrap();
        let told: Vec<_> = waiters
            .into_iter()
            .map(|waiter| waiter.join().unwrap())
            .collect();
        let states: Vec<State> = told.iter().map(|status| status.state).collect();
        assert_eq!(states, [State::Done, State::Failed, State::Failed]);
        assert_eq!(
            (told[1].error.as_deref(), told[1].progress.completed),
            (Some("failed"), 1)
        );
    }
}

#[test]
fn wait_1_one_that_has_ended_is_told_at_once() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let (id, observer) = (task.id(), task.observe());
    task.finish().unwrap();
    assert_eq!(observer.wait().unwrap().state, State::Done);
    assert_eq!(node.manager.wait(id).unwrap().state, State::Done);
    assert_eq!(
        node.manager.wait_timeout(id, Duration::ZERO).unwrap().state,
        State::Done
    );
}

#[test]
fn wait_1_a_parent_that_ends_first_has_ended() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let child = root.child("t").start().unwrap();
    let observer = root.observe();
    root.finish().unwrap();
    let status = observer.wait_timeout(PATIENCE).unwrap();
    assert_eq!((status.state, status.settled), (State::Done, false));
    drop(child);
}

#[test]
fn wait_2_a_timeout_is_an_error_of_its_own() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let error = task
        .observe()
        .wait_timeout(Duration::from_millis(5))
        .unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.id(), Some(task.id()));
    assert!(
        task.observe()
            .wait_timeout(Duration::ZERO)
            .unwrap_err()
            .is_timeout()
    );
    let observer = task.observe();
    let patient = std::thread::spawn(move || observer.wait_timeout(Duration::MAX));
    task.finish().unwrap();
    assert!(patient.join().unwrap().is_ok());
}

#[test]
fn wait_3_a_completion_callback_runs_exactly_once() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let (sender, told) = mpsc::channel();
    let tell = |observer: &Observer, name: &'static str| {
        let sender = sender.clone();
        let tell = move |status: taskmgr::Result<_>| sender.send((name, status.unwrap())).unwrap();
        observer.on_done(tell).unwrap()
    };
    let observer = task.observe();
    let kept = tell(&observer, "kept");
    tell(&observer, "forgotten").forget();
    drop(tell(&observer, "dropped"));
    task.finish().unwrap();
    let late = tell(&observer, "late");
    drop((kept, late));
    drop(sender);
    let told: Vec<_> = told.iter().collect();
    let names: Vec<_> = told.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["kept", "forgotten", "late"]);
    assert!(
        told.iter()
            .all(|(_, status)| status.state == State::Done && status.settled)
    );
}

#[test]
fn wait_4_a_sleeper_burns_no_time() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    let (sender, answer) = mpsc::channel();
    let waiter = std::thread::spawn(move || {
        let before = cpu_time();
        sender.send(()).unwrap();
        observer.wait().unwrap();
        cpu_time() - before
    });
    answer.recv().unwrap();
    // As long as this takes, whoever spins burns as much.
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_millis(200) {
        std::thread::sleep(Duration::from_millis(10));
    }
    task.finish().unwrap();
    let burnt = waiter.join().unwrap();
    assert!(
        burnt < Duration::from_millis(100),
        "{burnt:?} of processor time in a wait"
    );
}

/// The processor time of this thread, in the clock's ticks of 10 ms.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
