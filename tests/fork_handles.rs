//! What a forked child must not do with handles of threads that it does not have.
#![allow(unsafe_code)] // there is no fork without it

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use common::node;
use taskmgr::{BoxError, Completion, ErrorCode, Provider, Stats, Status, Uuid};

/// Seconds that a child gets before its alarm ends it.
const LIFE: u32 = 20;

/// Runs `child` in a forked process; what it owns is given back, as the parent has it too.
fn in_child<F: FnOnce()>(child: F) -> F {
    // SAFETY: the child runs only this library's code and the test's assertions before it
    // ends by `_exit`. What it allocates is safe after a fork: glibc's malloc sees to it.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork failed");
    if pid == 0 {
        // SAFETY: an alarm has no precondition; its default action ends the process.
        unsafe { libc::alarm(LIFE) };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
        // SAFETY: ends the process at once, without the destructors of its dead threads.
        unsafe { libc::_exit(i32::from(result.is_err())) };
    }
    let mut status = 0;
    // SAFETY: `pid` is this process's own child, and `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert!(!libc::WIFSIGNALED(status), "the child hung");
    assert_eq!(status, 0, "the child failed");
    child
}

fn forked<T>(result: taskmgr::Result<T>) {
    assert_eq!(result.map(drop).unwrap_err().code(), ErrorCode::Forked);
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
    let _ = in_child(|| forked(work.take().unwrap().join()));
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
    let _ = in_child(|| {
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
        let _ = in_child(|| {
            let task = task.take().unwrap();
            let observer = task.observe();
            let reporter = task.reporter();
            reporter.clone().advance(1);
            forked(observer.clone().status());
            let shared = task.share();
            shared.advance(1);
            forked(shared.clone().finish());
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
    let _ = in_child(|| {
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
