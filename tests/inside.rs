//! More of what may be called inside callbacks: shared owners, reporters, other managers,
//! virtual tasks, closing (wait_5). What would block says so; nothing deadlocks.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::{Node, PATIENCE, node, seconds, watched};
use taskmgr::{
    BoxError, Completion, ErrorCode, Filter, Manager, Module, Provider, State, Stats, Status, Uuid,
    nonblocking,
};

const ID: Uuid = Uuid::from_u128(0x1d);

/// One task that never ends.
struct Remote;

impl Provider for Remote {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(vec![Stats::new(ID, "remote")])
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        Ok((id == ID).then(|| Status::new(id, "remote")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Ok(())
    }
}

fn shared_owners(module: &Module) {
    let task = module.task("t").abortable().create().unwrap().share();
    task.start().unwrap();
    task.advance(1);
    task.try_advance(1).unwrap();
    task.set_completed(1);
    task.set_total(9);
    task.checkpoint().unwrap();
    let reporter = task.reporter();
    let clone = reporter.clone();
    clone.advance(1);
    clone.child("c").start().unwrap().finish().unwrap();
    drop(reporter);
    task.status().unwrap();
    task.observe().clone().suspend().unwrap();
    let code = task.checkpoint().unwrap_err().code();
    assert_eq!(code, ErrorCode::WouldDeadlock);
    task.observe().resume().unwrap();
    task.abort("inside").unwrap();
    assert!(task.checkpoint().unwrap_err().is_aborted());
    assert!(task.finish().unwrap_err().is_aborted());
    drop(task);
    drop(module.task("dropped inside").start().unwrap());
    drop(module.task("dropped unstarted").create().unwrap());
}

fn callbacks_in_callbacks(module: &Module) {
    let task = module.task("t").start().unwrap();
    let (sender, called) = mpsc::channel();
    let (inner, reporter) = (sender.clone(), task.reporter());
    let nested = move || {
        inner.send("outer").unwrap();
        let innermost = move || inner.send("inner").unwrap();
        reporter.on_abort(innermost).unwrap().forget();
    };
    let guard = task.on_abort(nested).unwrap();
    task.abort("inside").unwrap();
    drop(guard);
    let done = move |_| sender.send("done").unwrap();
    task.observe().on_done(done).unwrap().forget();
    drop(task);
    assert_eq!(
        called.iter().collect::<Vec<_>>(),
        ["outer", "inner", "done"]
    );
}

fn other_managers() {
    let manager = Manager::builder().node("another").build().unwrap();
    let module = manager.register_module("m").unwrap();
    let task = module.task("t").user_task().start().unwrap();
    let id = task.id();
    assert_eq!(
        nonblocking(|| manager.status(id)).unwrap().state,
        State::Running
    );
    task.finish().unwrap();
    manager.take_status_tree(id).unwrap();
    module.register_provider(Remote).unwrap();
    let slow = module.task("slow").start().unwrap();
    let refused = manager.close(PATIENCE).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::WouldDeadlock);
    let report = manager.close(Duration::ZERO).unwrap();
    assert!(!report.is_complete(), "nobody is waited for");
    drop(slow);
    assert!(manager.close(Duration::ZERO).unwrap().is_complete());
    // And one that is dropped with all that it has.
    let manager = Manager::builder().build().unwrap();
    let task = manager
        .register_module("m")
        .unwrap()
        .task("t")
        .start()
        .unwrap();
    drop(manager);
    assert!(task.abort_requested());
}

/// What would have to ask a provider says that it would block.
fn virtual_tasks(node: &Node) {
    let manager = &node.manager;
    let would_block = |code: ErrorCode| assert_eq!(code, ErrorCode::WouldDeadlock);
    would_block(manager.observe(ID).unwrap_err().code());
    would_block(manager.status(ID).unwrap_err().code());
    would_block(manager.wait_timeout(ID, Duration::ZERO).unwrap_err().code());
    would_block(manager.abort(ID, "inside").unwrap_err().code());
    would_block(manager.on_done(ID, drop).unwrap_err().code());
    would_block(node.module.list(&Filter::new()).unwrap_err().code());
    let child = node.module.task("t").parent_id(ID);
    would_block(child.start().unwrap_err().code());
    // What is regular needs no provider.
    let task = node.module.task("t").start().unwrap();
    manager.status(task.id()).unwrap();
    let child = node.module.task("t").parent_id(task.id()).start().unwrap();
    child.finish().unwrap();
    node.module.register_provider(Remote).unwrap();
    node.module.drain().unwrap();
}

fn everything(node: &Node) {
    shared_owners(&node.module);
    callbacks_in_callbacks(&node.module);
    other_managers();
    virtual_tasks(node);
}

/// A stage with a virtual task, which the callback shares.
fn stage() -> Arc<Node> {
    let node = node();
    node.module.register_provider(Remote).unwrap();
    Arc::new(node)
}

#[test]
fn wait_5_inside_an_abort_callback() {
    watched(|| {
        let node = stage();
        let task = node.module.task("t").start().unwrap();
        let (theirs, (sender, over)) = (Arc::clone(&node), mpsc::channel());
        let call = move || {
            everything(&theirs);
            sender.send(()).unwrap();
        };
        task.on_abort(call).unwrap().forget();
        task.abort("enough").unwrap();
        over.recv().expect("it came to its end");
    });
}

#[test]
fn wait_5_inside_an_abort_callback_that_runs_at_once() {
    watched(|| {
        let node = stage();
        let task = node.module.task("t").start().unwrap();
        task.abort("enough").unwrap();
        let (theirs, (sender, over)) = (Arc::clone(&node), mpsc::channel());
        let call = move || {
            everything(&theirs);
            sender.send(()).unwrap();
        };
        task.on_abort(call).unwrap().forget();
        over.recv().expect("it came to its end");
    });
}

#[test]
fn wait_5_inside_a_completion_callback() {
    watched(|| {
        for late in [false, true] {
            let node = stage();
            let task = node.module.task("t").start().unwrap();
            let observer = task.observe();
            let (theirs, (sender, over)) = (Arc::clone(&node), mpsc::channel());
            let call = move |_| {
                everything(&theirs);
                sender.send(()).unwrap();
            };
            let mut task = Some(task);
            if late {
                drop(task.take());
            }
            observer.on_done(call).unwrap().forget();
            drop(task);
            over.recv().expect("it came to its end");
        }
    });
}

#[test]
fn wait_5_inside_a_completion_callback_of_a_child_that_folds() {
    watched(|| {
        let node = stage();
        let root = node.module.task("t").start().unwrap();
        let child = root.child("t").start().unwrap();
        let (theirs, (sender, over)) = (Arc::clone(&node), mpsc::channel());
        let of_root = root.reporter();
        let call = move |_| {
            // Into the very family that the child has just left.
            of_root.child("t").start().unwrap().finish().unwrap();
            assert_eq!(of_root.status().unwrap().child_counts.succeeded, 2);
            everything(&theirs);
            sender.send(()).unwrap();
        };
        child.observe().on_done(call).unwrap().forget();
        child.finish().unwrap();
        over.recv().expect("it came to its end");
    });
}

#[test]
fn wait_5_a_callback_may_end_the_manager_that_calls_it() {
    watched(|| {
        let node = node();
        let task = node.module.task("t").abortable().start().unwrap();
        let other = node.module.task("other").start().unwrap();
        let observer = task.observe();
        let last = Arc::new(Mutex::new(Some(node)));
        let theirs = Arc::clone(&last);
        let call = move || drop(theirs.lock().unwrap().take());
        task.on_abort(call).unwrap().forget();
        observer.abort("enough").unwrap();
        assert!(last.lock().unwrap().is_none());
        assert!(other.abort_requested(), "life_7");
        drop((task, other));
        assert!(observer.wait_timeout(seconds(30)).is_ok());
    });
}

#[test]
fn wait_5_a_callback_may_close_the_manager_that_calls_it() {
    watched(|| {
        let node = node();
        let task = node.module.task("t").start().unwrap();
        let observer = task.observe();
        let (manager, (sender, told)) = (node.manager.clone(), mpsc::channel());
        let call = move |_| {
            let report = manager.close(Duration::ZERO).unwrap();
            sender.send(report.is_complete()).unwrap();
        };
        observer.on_done(call).unwrap().forget();
        task.finish().unwrap();
        assert_eq!(told.recv(), Ok(true), "life_8: the task has settled before");
    });
}

#[test]
fn wait_5_nonblocking_ends_with_its_closure_also_by_a_panic() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    let blocked = || observer.wait_timeout(Duration::from_millis(1)).unwrap_err();
    nonblocking(|| {
        nonblocking(|| assert_eq!(blocked().code(), ErrorCode::WouldDeadlock));
        assert_eq!(blocked().code(), ErrorCode::WouldDeadlock, "still inside");
    });
    let panic = catch_unwind(AssertUnwindSafe(|| {
        nonblocking(|| std::panic::resume_unwind(Box::new("expected")))
    }));
    assert!(panic.is_err());
    assert!(blocked().is_timeout());
}
