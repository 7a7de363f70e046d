//! In a forked child every call but reporting says so, and nothing hangs.
#![allow(unsafe_code)] // there is no fork without it

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{node, seconds};
use taskmgr::{ErrorCode, Filter, Manager, State};

/// Runs `child` in a forked process, which has no other thread of this one; what it panics
/// with is a failure, and a child that hangs is ended by its alarm. What `child` owns is
/// given back, as the parent still has it.
fn in_child<F: FnOnce()>(child: F) -> F {
    // SAFETY: the child runs only this library's code and the test's assertions before it
    // ends by `_exit`. What it allocates is safe after a fork: glibc's malloc sees to it.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork failed");
    if pid == 0 {
        // SAFETY: an alarm has no precondition; its default action ends the process.
        unsafe { libc::alarm(60) };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
        // SAFETY: ends the process at once, without the destructors of its dead threads.
        unsafe { libc::_exit(i32::from(result.is_err())) };
    }
    let mut status = 0;
    // SAFETY: `pid` is this process's own child, and `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert_eq!(status, 0, "the child failed or hung");
    child
}

fn forked<T: std::fmt::Debug>(result: taskmgr::Result<T>) {
    assert_eq!(result.unwrap_err().code(), ErrorCode::Forked);
}

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
    let handles = in_child(move || {
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
    let _ = in_child(move || {
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
        let _ = in_child(|| {
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
        let _ = in_child(move || {
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
