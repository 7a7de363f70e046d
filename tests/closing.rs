//! What a close reaches, whom it waits for, and who is told: the parts of mod_1 and life_7
//! that concern several modules, virtual tasks and callbacks.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use common::{PATIENCE, node, seconds, until};
use taskmgr::{
    BoxError, Completion, ErrorCode, Filter, GoneReason, Manager, Provider, State, Stats, Status,
    Uuid,
};

#[test]
fn mod_1_a_close_reaches_children_in_other_modules_through_their_parents() {
    let node = node();
    let other = node.manager.register_module("other").unwrap();
    let root = node.module.task("root").start().unwrap();
    let guest = root.child("guest").module(&other).start().unwrap();
    let theirs = other.task("theirs").start().unwrap();
    let report = node.module.close(Duration::ZERO).unwrap();
    let named: Vec<Uuid> = report.still_running.iter().map(|stats| stats.id).collect();
    assert_eq!(named, [root.id()], "the guest is the other module's");
    assert!(root.abort_requested() && guest.abort_requested());
    assert!(!theirs.abort_requested(), "the other module goes on");
    // The other module is open, but what is made under an aborted parent is born aborted.
    let late = root.child("late").module(&other).create().unwrap();
    assert!(late.abort_requested(), "abort_2");
    assert!(late.start().unwrap_err().is_aborted());
    other.task("still open").start().unwrap().finish().unwrap();
    drop((root, guest));
}

#[test]
fn mod_1_a_module_is_closing_until_the_last_of_its_tasks_has_settled() {
    let node = node();
    let other = node.manager.register_module("other").unwrap();
    let root = node.module.task("root").start().unwrap();
    let guest = root.child("guest").module(&other).start().unwrap();
    let id = root.id();
    node.module.close(Duration::ZERO).unwrap();
    drop(root);
    // It has ended, but its child runs: the id is found, the name is taken.
    assert_eq!(node.manager.status(id).unwrap().state, State::Failed);
    assert_eq!(node.manager.modules().unwrap(), ["m", "other"]);
    let taken = node.manager.register_module("m").unwrap_err();
    assert_eq!(taken.code(), ErrorCode::ModuleExists);
    drop(guest);
    let gone = node.manager.status(id).unwrap_err().gone();
    assert_eq!(gone, Some((GoneReason::Drained, State::Failed)));
    assert_eq!(node.manager.modules().unwrap(), ["other"]);
    node.manager.register_module("m").unwrap();
}

#[test]
fn mod_1_a_second_close_waits_on_for_what_the_first_left_running() {
    let node = node();
    let task = node.module.task("slow").start().unwrap();
    for _ in 0..2 {
        let report = node.module.close(Duration::ZERO).unwrap();
        assert_eq!(report.still_running[0].id, task.id());
    }
    let module = node.module.clone();
    let closer = std::thread::spawn(move || module.close(PATIENCE));
    assert!(task.finish().unwrap_err().is_aborted());
    assert!(closer.join().unwrap().unwrap().is_complete());
    assert!(node.module.close(PATIENCE).unwrap().is_complete());
}

#[test]
fn mod_1_a_close_wakes_a_sleeper_and_calls_callbacks() {
    let node = node();
    let task = node.module.task("sleeper").start().unwrap();
    let observer = task.observe();
    let (sender, called) = mpsc::channel();
    task.on_abort(move || sender.send(()).unwrap())
        .unwrap()
        .forget();
    observer.suspend().unwrap();
    let sleeper = std::thread::spawn(move || {
        let told = task.checkpoint();
        drop(task);
        told
    });
    until("it sleeps", || {
        observer.status().unwrap().state == State::Suspended
    });
    assert!(node.module.close(PATIENCE).unwrap().is_complete());
    assert!(sleeper.join().unwrap().unwrap_err().is_aborted());
    called.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn mod_1_no_root_of_a_closed_module_is_kept_for_its_ttl() {
    let node = node();
    let ids = [false, true].map(|user| {
        let task = node.module.task("t");
        let task = if user { task.user_task() } else { task }.start().unwrap();
        let id = task.id();
        task.finish().unwrap();
        id
    });
    assert!(node.module.close(Duration::ZERO).unwrap().is_complete());
    for id in ids {
        let gone = node.manager.status(id).unwrap_err().gone();
        assert_eq!(gone, Some((GoneReason::Drained, State::Done)));
    }
    assert!(node.module.list(&Filter::new()).unwrap_err().is_closed());
}

/// A provider whose one task never ends, and which keeps every watch.
struct Endless(mpsc::Sender<Completion>);

const ENDLESS: Uuid = Uuid::from_u128(0xe0);

impl Provider for Endless {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(vec![Stats::new(ENDLESS, "endless")])
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        Ok((id == ENDLESS).then(|| Status::new(id, "endless")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
        self.0.send(done).map_err(|_| "the test is over")?;
        Ok(())
    }
}

#[test]
fn mod_1_who_waits_for_a_virtual_task_gets_closed_with_the_manager() {
    let node = node();
    let (watch, watches) = mpsc::channel();
    node.module.register_provider(Endless(watch)).unwrap();
    let observer = node.manager.observe(ENDLESS).unwrap();
    let (sender, told) = mpsc::channel();
    let tell = sender.clone();
    let patient = observer.clone();
    let waiter = std::thread::spawn(move || tell.send(patient.wait()).unwrap());
    observer
        .on_done(move |status| sender.send(status).unwrap())
        .unwrap()
        .forget();
    let watched: Vec<Completion> = (0..2)
        .map(|_| watches.recv_timeout(PATIENCE).unwrap())
        .collect();
    node.manager.close(Duration::ZERO).unwrap();
    // Less patient than elsewhere: nothing but a close can end these waits.
    let told: Vec<_> = (0..2)
        .map(|_| told.recv_timeout(seconds(10)))
        .map(|told| told.map(|status| status.unwrap_err().code()))
        .collect();
    drop(watched);
    waiter.join().unwrap();
    assert_eq!(told, [Ok(ErrorCode::Closed), Ok(ErrorCode::Closed)]);
}

#[test]
fn life_7_the_last_manager_calls_abort_callbacks_and_lets_handles_work_on() {
    let node = node();
    let task = node.module.task("t").total(4, "rows").start().unwrap();
    let child = task.child("c").start().unwrap();
    let (reporter, observer) = (task.reporter(), task.observe());
    let (sender, called) = mpsc::channel();
    child
        .on_abort(move || sender.send(()).unwrap())
        .unwrap()
        .forget();
    let module = node.module.clone();
    drop(node);
    called.recv_timeout(PATIENCE).unwrap();
    reporter.advance(3);
    assert_eq!(observer.status().unwrap().progress.completed, 3);
    assert_eq!(observer.status_tree().unwrap().len(), 2);
    for refused in [
        module.task("t").create().map(drop),
        reporter.child("c").create().map(drop),
        module.list(&Filter::new()).map(drop),
        module.drain().map(drop),
        module.close(Duration::ZERO).map(drop),
    ] {
        assert!(refused.unwrap_err().is_closed());
    }
    let waiter = {
        let observer = observer.clone();
        std::thread::spawn(move || observer.wait_timeout(PATIENCE))
    };
    drop(child);
    task.fail("no more").unwrap();
    let last = waiter.join().unwrap().unwrap();
    assert_eq!(
        last.error.as_deref(),
        Some("aborted: the manager is gone: no more")
    );
    assert_eq!((last.state, last.progress.completed), (State::Failed, 3));
    assert!(observer.status().unwrap().settled);
}

/// Makes trees that end only when they are told to abort, until it is told to stop itself.
fn restless(manager: &Manager, aborted: &AtomicU64, over: &AtomicBool) {
    while !over.load(Ordering::SeqCst) {
        let (Ok(mine), Ok(other)) = (manager.module("m"), manager.module("other")) else {
            continue;
        };
        // Each may be refused, as the module may be closed by now.
        let Ok(root) = mine.task("t").start() else {
            continue;
        };
        let guest = root.child("guest").module(&other).start().ok();
        let child = guest.as_ref().and_then(|guest| {
            let child = guest.child("t").module(&mine);
            child.start().ok()
        });
        until("an abort, as closing must reach it", || {
            root.abort_requested()
        });
        aborted.fetch_add(1, Ordering::SeqCst);
        for task in [child, guest].into_iter().flatten() {
            assert!(task.abort_requested(), "abort_2: it is below");
        }
        assert!(root.finish().unwrap_err().is_aborted());
    }
}

#[test]
fn mod_1_no_task_escapes_a_close_that_comes_while_it_is_made() {
    const ENOUGH: u64 = 200;
    let node = node();
    node.manager.register_module("other").unwrap();
    let (aborted, over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let manager = node.manager.clone();
            let (aborted, over) = (Arc::clone(&aborted), Arc::clone(&over));
            std::thread::spawn(move || restless(&manager, &aborted, &over))
        })
        .collect();
    let mut module = node.module.clone();
    until("enough of them were aborted", || {
        let report = module.close(PATIENCE).unwrap();
        assert!(report.is_complete(), "{report:?}");
        module = node.manager.register_module("m").unwrap();
        aborted.load(Ordering::SeqCst) >= ENOUGH
    });
    over.store(true, Ordering::SeqCst);
    assert!(module.close(PATIENCE).unwrap().is_complete());
    for worker in workers {
        worker.join().unwrap();
    }
    let all = Filter::new().internal(true);
    assert!(node.manager.list("other", &all).unwrap().is_empty());
    assert!(node.manager.close(PATIENCE).unwrap().is_complete());
}
