//! What callbacks and providers own: destroyed exactly once, on every path, with no lock
//! held, and whatever its destructor does.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use common::{Node, node, seconds, watched};
use taskmgr::{
    BoxError, Completion, ErrorCode, Filter, Manager, Module, Provider, State, Stats, Status, Uuid,
};

/// Counts how often it is dropped, and uses the manager while it is: a lock that is held
/// meanwhile is a deadlock.
struct Owned {
    dropped: Arc<AtomicUsize>,
    manager: Manager,
    module: Module,
    task: Uuid,
}

impl Drop for Owned {
    fn drop(&mut self) {
        // Each may be refused; none may wait for itself.
        drop(self.manager.status_tree(self.task));
        drop(self.manager.list("m", &Filter::new().internal(true)));
        drop(self.manager.abort(self.task, "while dropping"));
        drop(self.module.task("made while dropping").entity("e").start());
        drop(self.module.task("child").parent_id(self.task).start());
        if let Ok(observer) = self.manager.observe(self.task) {
            drop(observer.on_done(|_| {}));
        }
        drop(self.manager.drain("m"));
        self.manager.tick();
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// A stage on which everything dropped is counted.
struct Stage {
    node: Node,
    dropped: Arc<AtomicUsize>,
}

impl Stage {
    fn new() -> Self {
        Self {
            node: node(),
            dropped: Arc::default(),
        }
    }

    fn owned(&self, task: Uuid) -> Owned {
        Owned {
            dropped: Arc::clone(&self.dropped),
            manager: self.node.manager.clone(),
            module: self.node.module.clone(),
            task,
        }
    }

    fn expect(&self, count: usize, path: &str) {
        let dropped = self.dropped.swap(0, Ordering::SeqCst);
        assert_eq!(dropped, count, "{path}");
    }
}

#[test]
fn abort_4_what_an_abort_callback_owns_is_dropped_under_no_lock() {
    watched(|| {
        let stage = Stage::new();
        let start = || stage.node.module.task("t").abortable().start().unwrap();
        let task = start();
        let owned = || stage.owned(task.id());

        let data = owned();
        drop(task.on_abort(move || drop(data)).unwrap());
        stage.expect(1, "its guard was dropped");
        let data = owned();
        let kept = task.on_abort(move || drop(data)).unwrap();
        task.abort("enough").unwrap();
        stage.expect(1, "it ran");
        drop(kept);
        let data = owned();
        task.on_abort(move || drop(data)).unwrap().forget();
        stage.expect(1, "it ran at once");
        let data = owned();
        let panics = move || {
            let _data = data;
            std::panic::resume_unwind(Box::new("expected"));
        };
        task.on_abort(panics).unwrap().forget();
        stage.expect(1, "it panicked");

        let task = start();
        let (first, second) = (stage.owned(task.id()), stage.owned(task.id()));
        task.on_abort(move || drop(first)).unwrap().forget();
        let kept = task.on_abort(move || drop(second)).unwrap();
        let reporter = task.reporter();
        drop(task);
        stage.expect(2, "the task ended");
        drop(kept);
        let late = stage.owned(reporter.id());
        reporter.on_abort(move || drop(late)).unwrap().forget();
        stage.expect(1, "the task had ended");
    });
}

#[test]
fn wait_3_what_a_completion_callback_owns_is_dropped_under_no_lock() {
    watched(|| {
        let stage = Stage::new();
        let task = stage.node.module.task("t").start().unwrap();
        let observer = task.observe();
        let owning = || {
            let owned = stage.owned(task.id());
            move |_: taskmgr::Result<Status>| drop(owned)
        };
        drop(observer.on_done(owning()).unwrap());
        stage.expect(1, "its guard was dropped");
        let kept = observer.on_done(owning()).unwrap();
        observer.on_done(owning()).unwrap().forget();
        let owned = stage.owned(task.id());
        let panics = move |_| {
            let _owned = owned;
            std::panic::resume_unwind(Box::new("expected"));
        };
        observer.on_done(panics).unwrap().forget();
        let late = owning();
        task.finish().unwrap();
        stage.expect(3, "they ran");
        drop(kept);
        observer.on_done(late).unwrap().forget();
        stage.expect(1, "it ran at once");
    });
}

#[test]
fn mod_1_what_is_told_of_a_close_is_dropped_once() {
    watched(|| {
        let stage = Stage::new();
        let task = stage.node.module.task("t").start().unwrap();
        let owned = stage.owned(task.id());
        let (sender, told) = mpsc::channel();
        let tell = move |status: taskmgr::Result<Status>| {
            sender.send(status.unwrap_err().code()).unwrap();
            drop(owned);
        };
        task.observe().on_done(tell).unwrap().forget();
        let owned = stage.owned(task.id());
        task.on_abort(move || drop(owned)).unwrap().forget();
        stage.node.manager.close(seconds(0)).unwrap();
        stage.expect(2, "both ran");
        drop(task);
        stage.expect(0, "and not again");
        assert_eq!(told.iter().collect::<Vec<_>>(), [ErrorCode::Closed]);
    });
}

/// Panics when it is dropped.
struct Explosive;

impl Drop for Explosive {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::resume_unwind(Box::new("expected"));
        }
    }
}

#[test]
fn abort_4_a_destructor_that_panics_leaves_its_task_ended() {
    watched(|| {
        for ended_by_drop in [false, true] {
            let node = node();
            let root = node.module.task("t").start().unwrap();
            let task = root.child("t").start().unwrap();
            let observer = task.observe();
            let explosive = Explosive;
            task.on_abort(move || drop(explosive)).unwrap().forget();
            let called = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&called);
            let done = move |_| {
                count.fetch_add(1, Ordering::SeqCst);
            };
            observer.on_done(done).unwrap().forget();
            // Whether the panic comes through is the host's affair; the task has to end.
            let _ = catch_unwind(AssertUnwindSafe(|| match ended_by_drop {
                true => drop(task),
                false => drop(task.finish()),
            }));
            let waited = observer
                .wait_timeout(seconds(10))
                .map(|status| status.state);
            assert!(waited.unwrap().is_terminal());
            assert_eq!(called.load(Ordering::SeqCst), 1);
            assert_eq!(root.status().unwrap().child_counts.live, 0);
            root.finish().unwrap();
        }
    });
}

#[test]
fn abort_4_a_destructor_that_panics_hurts_no_other_callback() {
    watched(|| {
        let node = node();
        let task = node.module.task("t").abortable().start().unwrap();
        let called = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let (count, explosive) = (Arc::clone(&called), Explosive);
            let call = move || {
                let _explosive = explosive;
                count.fetch_add(1, Ordering::SeqCst);
            };
            task.on_abort(call).unwrap().forget();
        }
        task.observe().abort("enough").unwrap();
        assert_eq!(called.load(Ordering::SeqCst), 3);
        let observer = task.observe();
        assert!(task.finish().unwrap_err().is_aborted());
        assert_eq!(observer.status().unwrap().state, State::Failed);
    });
}

const ID: Uuid = Uuid::from_u128(0xda7a);

/// How the provider takes a watch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Takes {
    Keeps,
    Refuses,
    Panics,
}

struct Remote {
    takes: Takes,
    watches: Arc<Mutex<Vec<Completion>>>,
    _owned: Owned,
}

impl Provider for Remote {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(Vec::new())
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        Ok((id == ID).then(|| Status::new(id, "remote")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
        match self.takes {
            Takes::Keeps => self.watches.lock().unwrap().push(done),
            Takes::Refuses => return Err("not now".into()),
            Takes::Panics => std::panic::resume_unwind(Box::new("expected")),
        }
        Ok(())
    }
}

#[test]
fn virt_1_what_a_provider_owns_is_dropped_under_no_lock_with_its_module() {
    watched(|| {
        let stage = Stage::new();
        let cluster = stage.node.manager.register_module("cluster").unwrap();
        let remote = |takes| Remote {
            takes,
            watches: Arc::default(),
            _owned: stage.owned(ID),
        };
        cluster.register_provider(remote(Takes::Keeps)).unwrap();
        cluster.close(seconds(0)).unwrap();
        stage.expect(1, "its module was closed");
        assert!(cluster.register_provider(remote(Takes::Keeps)).is_err());
        stage.expect(1, "it was refused");
        stage
            .node
            .module
            .register_provider(remote(Takes::Keeps))
            .unwrap();
        stage.node.manager.close(seconds(0)).unwrap();
        stage.expect(1, "the manager was closed");
    });
}

#[test]
fn virt_1_what_a_watch_owns_is_dropped_once_on_every_path() {
    watched(|| {
        for takes in [Takes::Keeps, Takes::Refuses, Takes::Panics] {
            let stage = Stage::new();
            let watches: Arc<Mutex<Vec<Completion>>> = Arc::default();
            let remote = Remote {
                takes,
                watches: Arc::clone(&watches),
                _owned: stage.owned(ID),
            };
            stage.node.module.register_provider(remote).unwrap();
            let observer = stage.node.manager.observe(ID).unwrap();
            let owning = || {
                let owned = stage.owned(ID);
                move |_: taskmgr::Result<Status>| drop(owned)
            };
            let guard = observer.on_done(owning());
            if takes != Takes::Keeps {
                assert_eq!(guard.unwrap_err().code(), ErrorCode::Provider);
                stage.expect(1, "there is no watch");
                continue;
            }
            drop(guard);
            stage.expect(1, "its guard was dropped");
            watches.lock().unwrap().clear();
            stage.expect(0, "and not again");
            observer.on_done(owning()).unwrap().forget();
            let watch = watches.lock().unwrap().pop().unwrap();
            watch.complete(Ok(Status::new(ID, "remote")));
            stage.expect(1, "the task ended");
            observer.on_done(owning()).unwrap().forget();
            let watch = watches.lock().unwrap().pop().unwrap();
            drop(watch);
            stage.expect(1, "the provider lost it");
        }
    });
}
