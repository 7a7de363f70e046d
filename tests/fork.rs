//! In a forked child every call but reporting says so, and nothing hangs.

#[path = "common/child.rs"]
mod child;
mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use child::{forked, in_child};
use common::{node, seconds};
use taskmgr::{BoxError, Completion, Filter, Manager, Provider, State, Stats, Status, Uuid};

#[test]
fn life_10_every_call_but_reporting_returns_forked_and_dropping_does_nothing() {
    let node = node();
    let root = node
        .module
        .task("t")
        .abortable()
        .total(9, "rows")
        .start()
        .unwrap();
    let child = root.child("c").start().unwrap();
    let unstarted = node.module.task("t").create().unwrap();
    let shared = node.module.task("t").start().unwrap().share();
    let reporter = root.reporter();
    let observer = root.observe();
    let guard = root.on_abort(|| {}).unwrap();
    let done = observer.on_done(drop).unwrap();
    let (root_id, child_id) = (root.id(), child.id());
    let handles = (
        root, child, unstarted, shared, reporter, observer, guard, done,
    );
    let module = node.module.clone();
    let manager = node.manager.clone();
    let handles = in_child(move |_| {
        let (root, child, unstarted, shared, reporter, observer, guard, done) = handles;
        forked(manager.register_module("new"));
        forked(manager.module("m"));
        forked(manager.modules());
        forked(manager.observe(root.id()));
        forked(manager.status(root.id()));
        forked(manager.take_status(root.id()));
        forked(manager.status_tree(root.id()));
        forked(manager.abort(root.id(), "now"));
        forked(manager.wait(root.id()));
        forked(manager.list("m", &Filter::new()));
        forked(manager.drain("m"));
        forked(manager.set_task_ttl(seconds(1)));
        forked(manager.close(seconds(1)));
        assert_eq!(manager.tick(), 0);
        forked(module.task("t").start());
        forked(module.list(&Filter::new()));
        forked(module.close(seconds(1)));
        forked(root.child("c").start());
        forked(root.status());
        forked(root.abort("now"));
        forked(root.on_abort(|| {}));
        forked(unstarted.start());
        forked(shared.finish());
        forked(shared.fail("failed"));
        forked(observer.status());
        forked(observer.wait_timeout(Duration::from_secs(1)));
        forked(observer.abort("now"));
        forked(observer.suspend());
        forked(observer.resume());
        forked(observer.on_done(drop));
        // Reporting.
        root.advance(1);
        root.set_total(10);
        reporter.advance(1);
        reporter.set_completed(5);
        shared.advance(1);
        root.reporter().advance(1);
        assert!(!root.abort_requested() && root.check_abort().is_ok());
        root.checkpoint().unwrap();
        forked(child.finish());
        drop((
            root, unstarted, shared, reporter, observer, guard, done, manager, module,
        ));
    });
    let status = node.manager.status(child_id).unwrap();
    assert_eq!(
        status.state,
        State::Running,
        "the parent's tasks are untouched"
    );
    let status = node.manager.status(root_id).unwrap();
    assert_eq!((status.abort, status.progress.completed), (None, 0));
    drop(handles);
}

#[test]
fn life_10_a_child_may_build_a_manager_of_its_own() {
    let node = node();
    let mine = node.module.task("t").start().unwrap();
    let parent_id = mine.id();
    let _ = in_child(move |_| {
        let manager = Manager::builder()
            .task_ttl(Duration::from_millis(5))
            .build()
            .unwrap();
        let module = manager.register_module("m").unwrap();
        let task = module.task("t").start().unwrap();
        assert_ne!(task.id(), parent_id);
        let child = task.child("c").spawn(|_| Ok(())).unwrap();
        child.join().unwrap();
        let observer = task.observe();
        task.finish().unwrap();
        assert_eq!(observer.wait().unwrap().child_counts.succeeded, 1);
        common::until("expired", || manager.status(observer.id()).is_err());
        // And so may a child's child.
        let _ = in_child(|_| {
            let manager = Manager::builder().build().unwrap();
            let module = manager.register_module("m").unwrap();
            module.task("t").start().unwrap().finish().unwrap();
        });
        assert!(manager.close(seconds(10)).unwrap().is_complete());
    });
    mine.finish().unwrap();
}

#[test]
fn life_10_a_fork_while_others_are_at_work_does_not_hang_the_child() {
    let node = node();
    let over = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let (module, over) = (node.module.clone(), Arc::clone(&over));
            std::thread::spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let root = module.task("t").entity("e").start().unwrap();
                    root.child("c").start().unwrap().finish().unwrap();
                    root.fail("failed").unwrap();
                }
            })
        })
        .collect();
    for _ in 0..20 {
        let task = node.module.task("t").start().unwrap();
        let manager = node.manager.clone();
        let _ = in_child(move |_| {
            forked(manager.list("m", &Filter::new()));
            forked(task.status());
            task.advance(1);
            drop(task);
            let manager = Manager::builder().build().unwrap();
            let module = manager.register_module("m").unwrap();
            module
                .task("t")
                .entity("e")
                .start()
                .unwrap()
                .finish()
                .unwrap();
        });
    }
    over.store(true, Ordering::SeqCst);
    workers
        .into_iter()
        .for_each(|worker| worker.join().unwrap());
}

#[test]
fn life_10_no_thread_is_joined_that_is_not_there() {
    let node = node();
    let (go_on, gate) = mpsc::channel::<()>();
    let work = node.module.task("t").spawn(move |_| {
        gate.recv()?;
        Ok(7)
    });
    let mut work = Some(work.unwrap());
    let _ = in_child(|_| forked(work.take().unwrap().join()));
    go_on.send(()).unwrap();
    assert_eq!(work.unwrap().join().unwrap(), 7);
}

#[test]
fn life_10_no_work_is_done_for_a_task_of_the_parent() {
    let node = node();
    let mut tasks: Vec<_> = (0..3)
        .map(|_| node.module.task("t").start().unwrap())
        .collect();
    tasks.push(node.module.task("t").create().unwrap());
    let _ = in_child(|_| {
        let worked = AtomicBool::new(false);
        let work = || {
            worked.store(true, Ordering::SeqCst);
            Ok(())
        };
        forked(tasks.pop().unwrap().run(|_| work()));
        forked(tasks.pop().unwrap().run(|_| work()));
        forked(tasks.pop().unwrap().spawn(|_| Ok(())));
        forked(node.module.task("t").run(|_| work()));
        forked(tasks[0].child("c").spawn(|_| Ok(())));
        assert!(!worked.load(Ordering::SeqCst));
    });
    assert_eq!(tasks.len(), 4, "the child took its own copies");
}

#[test]
fn life_10_sharing_and_observing_take_no_lock_that_nobody_gives_back() {
    let node = node();
    let over = Arc::new(AtomicBool::new(false));
    // Workers that are at the locks of whatever a task may have, as often as they can.
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let (module, over) = (node.module.clone(), Arc::clone(&over));
            std::thread::spawn(move || {
                let task = module.task("t").start().unwrap();
                while !over.load(Ordering::SeqCst) {
                    let child = task.child("c").entity("e").start().unwrap();
                    child.reporter().advance(1);
                    child.share().finish().unwrap();
                }
            })
        })
        .collect();
    for _ in 0..150 {
        let mut task = Some(node.module.task("t").start().unwrap());
        let _ = in_child(|_| {
            let task = task.take().unwrap();
            let observer = task.observe();
            let reporter = task.reporter();
            reporter.clone().advance(1);
            forked(observer.clone().status());
            let shared = task.share();
            shared.advance(1);
            forked(shared.finish());
            drop((shared, reporter, observer));
        });
    }
    over.store(true, Ordering::SeqCst);
    workers
        .into_iter()
        .for_each(|worker| worker.join().unwrap());
}

/// Answers at once; in a child it must not be asked at all.
struct Remote(Arc<AtomicBool>);

const ID: Uuid = Uuid::from_u128(0xf0);

impl Provider for Remote {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        self.0.store(true, Ordering::SeqCst);
        Ok(Vec::new())
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        self.0.store(true, Ordering::SeqCst);
        Ok((id == ID).then(|| Status::new(id, "remote")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        self.0.store(true, Ordering::SeqCst);
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        self.0.store(true, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn life_10_no_provider_is_asked() {
    let node = node();
    let asked = Arc::new(AtomicBool::new(false));
    node.module
        .register_provider(Remote(Arc::clone(&asked)))
        .unwrap();
    let observer = node.manager.observe(ID).unwrap();
    asked.store(false, Ordering::SeqCst);
    let _ = in_child(|_| {
        forked(observer.status());
        forked(observer.status_tree());
        forked(observer.is_terminal());
        forked(observer.wait());
        forked(observer.abort("now"));
        forked(observer.on_done(drop));
        forked(node.manager.observe(ID));
        forked(node.module.register_provider(Remote(Arc::default())));
        assert!(!asked.load(Ordering::SeqCst));
    });
}
