//! Times: their order, what moves them and what does not.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use common::{node, seconds};
use taskmgr::{
    BoxError, Completion, ErrorCode, Filter, Manager, Observer, Provider, State, Stats, Status,
    Uuid,
};

#[test]
fn life_6_a_refused_start_moves_no_time() {
    let node = node();
    let task = node.module.task("t").create().unwrap().share();
    node.clock.advance(seconds(1));
    task.start().unwrap();
    let before = task.status().unwrap();
    node.clock.advance(seconds(1));
    assert_eq!(task.start().unwrap_err().code(), ErrorCode::AlreadyStarted);
    assert_eq!(task.status().unwrap(), before);
    task.finish().unwrap();
    let ended = task.status().unwrap();
    assert_eq!(ended.start_time, before.start_time);
    node.clock.advance(seconds(1));
    assert_eq!(task.start().unwrap_err().code(), ErrorCode::AlreadyFinished);
    assert_eq!(
        task.finish().unwrap_err().code(),
        ErrorCode::AlreadyFinished
    );
    assert_eq!(
        task.fail("late").unwrap_err().code(),
        ErrorCode::AlreadyFinished
    );
    assert_eq!(task.status().unwrap(), ended, "a loser changes nothing");
}

#[test]
fn life_6_a_start_that_comes_after_the_end_leaves_no_start_time() {
    let node = node();
    let task = node.module.task("t").create().unwrap().share();
    task.fail("never started").unwrap();
    node.clock.advance(seconds(1));
    assert_eq!(task.start().unwrap_err().code(), ErrorCode::AlreadyFinished);
    let status = task.status().unwrap();
    assert_eq!((status.state, status.start_time), (State::Failed, None));
    assert_eq!(status.end_time, Some(status.created_at));
}

#[test]
fn life_5_a_suspended_task_keeps_its_start_time() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let start = task.status().unwrap().start_time;
    task.observe().suspend().unwrap();
    node.clock.advance(seconds(3));
    task.observe().resume().unwrap();
    task.checkpoint().unwrap();
    let status = task.status().unwrap();
    assert_eq!((status.start_time, status.end_time), (start, None));
}

#[test]
fn life_5_ttls_count_ticks_whatever_the_wall_clock_does() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let id = task.id();
    task.finish().unwrap();
    let year = seconds(365 * 24 * 3600);
    node.clock.set_wall(SystemTime::UNIX_EPOCH);
    node.clock.advance(seconds(59));
    node.clock.set_wall(SystemTime::UNIX_EPOCH + 60 * year);
    assert!(node.manager.status(id).is_ok());
    node.clock.advance(seconds(1));
    assert!(node.manager.status(id).unwrap_err().is_gone());
}

#[test]
fn ttl_2_a_clock_that_is_moved_as_far_as_can_be_does_not_go_back() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let id = task.id();
    node.clock.advance(seconds(1));
    task.finish().unwrap();
    node.clock.advance(Duration::MAX);
    assert!(
        node.manager.status(id).unwrap_err().is_gone(),
        "after all time there is"
    );
    let late = node.module.task("t").start().unwrap();
    let created = late.status().unwrap().created_at;
    node.clock.advance(Duration::MAX);
    let observer = late.observe();
    late.finish().unwrap();
    assert!(
        observer
            .wait_timeout(seconds(30))
            .unwrap()
            .end_time
            .unwrap()
            >= created
    );
}

#[test]
fn life_5_the_machines_clock_gives_times_in_order() {
    let earliest = SystemTime::now() - seconds(5);
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("m").unwrap();
    let mut last = None;
    for _ in 0..1000 {
        let task = module.task("t").create().unwrap();
        task.start().unwrap();
        let observer = task.observe();
        task.finish().unwrap();
        let status = observer.status().unwrap();
        let (start, end) = (status.start_time.unwrap(), status.end_time.unwrap());
        assert!(earliest <= status.created_at && status.created_at <= start && start <= end);
        last = Some(end);
    }
    assert!(last.unwrap() < SystemTime::now() + seconds(5));
}

/// A provider of one task, made at the epoch.
struct Old;

impl Provider for Old {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(vec![Stats::new(Uuid::from_u128(0x01d), "old")])
    }
    fn status(&self, _: Uuid) -> Result<Option<Status>, BoxError> {
        Ok(None)
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn list_1_regular_tasks_are_ordered_by_ticks_also_when_the_wall_clock_steps_back() {
    let node = node();
    let first = node.module.task("t").start().unwrap();
    node.clock.advance(seconds(1));
    node.clock
        .set_wall(SystemTime::UNIX_EPOCH + seconds(1_000_000));
    let second = node.module.task("t").start().unwrap();
    let listed = || -> Vec<Uuid> {
        let listed = node.module.list(&Filter::new().task_type("t")).unwrap();
        listed.iter().map(|stats| stats.id).collect()
    };
    assert_eq!(listed(), [first.id(), second.id()]);
    node.module.register_provider(Old).unwrap();
    assert_eq!(listed(), [first.id(), second.id()]);
    let all = node.module.list(&Filter::new()).unwrap();
    let regular: Vec<Uuid> = all
        .iter()
        .filter(|stats| stats.type_ == "t")
        .map(|stats| stats.id)
        .collect();
    assert_eq!(
        regular,
        [first.id(), second.id()],
        "with a virtual task among them"
    );
}

/// A terminal state comes with all that belongs to it.
fn assert_whole(status: &Status) {
    let ended = status.state.is_terminal();
    assert_eq!(ended, status.end_time.is_some(), "{status:?}");
    assert_eq!(
        status.state == State::Failed,
        status.error.is_some(),
        "{status:?}"
    );
    assert!(status.end_time >= status.start_time || !ended, "{status:?}");
    if ended {
        assert_eq!(
            status.progress.completed, 5,
            "its final figures: {status:?}"
        );
        assert!(status.settled);
    }
}

#[test]
fn life_5_no_snapshot_is_torn() {
    let node = node();
    let shown: Arc<Mutex<Option<Observer>>> = Arc::default();
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (shown, over) = (Arc::clone(&shown), Arc::clone(&over));
            std::thread::spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let observer = shown.lock().unwrap().clone();
                    if let Some(observer) = observer {
                        assert_whole(&observer.status().unwrap());
                        assert_whole(&observer.status_tree().unwrap()[0]);
                    }
                }
            })
        })
        .collect();
    let root = node.module.task("t").start().unwrap();
    for life in 0..5000 {
        let task = match life % 2 {
            0 => node.module.task("t").start().unwrap(),
            _ => root.child("t").start().unwrap(),
        };
        *shown.lock().unwrap() = Some(task.observe());
        let reporter = task.reporter();
        reporter.advance(2);
        task.advance(3);
        match life % 3 {
            0 => task.finish().unwrap(),
            1 => task.fail("failed").unwrap(),
            _ => drop(task),
        }
        reporter.advance(7);
    }
    over.store(true, Ordering::SeqCst);
    readers
        .into_iter()
        .for_each(|reader| reader.join().unwrap());
}

#[test]
fn life_5_a_wall_clock_at_its_end_hides_no_start() {
    let node = node();
    let last = SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::MAX);
    for before in [0, 1, 2_000_000_000] {
        node.clock.set_wall(last - Duration::from_nanos(before));
        let parent = node.module.task("t").start().unwrap();
        let child = parent.child("t").start().unwrap();
        node.clock.advance(seconds(1));
        child.finish().unwrap();
        for status in parent.observe().status_tree().unwrap() {
            let start = status.start_time.unwrap();
            assert!(start > last - seconds(4), "{start:?} is not near the end");
            assert!(status.end_time.is_none_or(|end| end >= start));
            assert_eq!(status.created_at, start);
        }
        parent.finish().unwrap();
    }
}
