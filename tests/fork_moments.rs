//! Forks at particular moments: inside a callback, inside the first build, unnoticed.
#![allow(unsafe_code)] // there is no fork without it

#[path = "common/child.rs"]
mod child;
mod common;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

use child::{ended_well, exit, forked, in_child, in_child_of, set_alarm};
use common::{node, seconds, until};
use taskmgr::{
    BoxError, Completion, ErrorCode, Filter, Manager, Provider, State, Stats, Status, Uuid,
    nonblocking,
};

/// What only a thread that is in no callback may do.
fn a_life_of_its_own() {
    let manager = Manager::builder().build().unwrap();
    let module = manager.register_module("m").unwrap();
    let (go_on, gate) = mpsc::channel::<()>();
    let root = module.task("t").start().unwrap();
    let work = root.child("c").start().unwrap();
    let work = work.spawn(move |_| Ok(gate.recv()?)).unwrap();
    let observer = work.observer().clone();
    go_on.send(()).unwrap();
    assert_eq!(observer.wait().unwrap().state, State::Done);
    work.join().unwrap();
    root.finish().unwrap();
    assert!(manager.close(seconds(60)).unwrap().is_complete());
}

fn in_one(child: impl FnOnce()) {
    let _ = in_child(|_| child());
}

/// Forks, and says in which process it comes back.
struct Fork {
    child: AtomicI32,
    /// What was called after the fork.
    called: AtomicBool,
}

impl Fork {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            child: AtomicI32::new(-1),
            called: AtomicBool::new(false),
        })
    }

    fn fork(&self) {
        // SAFETY: as `in_child`: the child ends by `_exit`, or at its alarm.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork failed");
        self.child.store(pid, Ordering::SeqCst);
        if pid == 0 {
            set_alarm();
        }
    }

    fn is_in_child(&self) -> bool {
        self.child.load(Ordering::SeqCst) == 0
    }

    /// For a callback that comes after the one that forks.
    fn call(&self) {
        self.called.store(true, Ordering::SeqCst);
    }

    /// Both processes come here once what forked has come back.
    fn meet(&self, check: impl FnOnce()) {
        let called = self.called.load(Ordering::SeqCst);
        match self.child.load(Ordering::SeqCst) {
            0 => {
                let life = std::panic::AssertUnwindSafe(|| {
                    assert!(!called, "the child called what is the parent's");
                    check();
                    a_life_of_its_own();
                });
                exit(std::panic::catch_unwind(life).is_ok());
            }
            child => {
                assert!(called);
                ended_well(child, "what came after the callback");
            }
        }
    }
}

#[test]
fn life_10_a_child_forked_in_a_callback_is_in_none() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let guard = task
        .observe()
        .on_done(|_| in_one(a_life_of_its_own))
        .unwrap();
    task.finish().unwrap();
    drop(guard);
    // Nor is one that is forked in several.
    nonblocking(|| nonblocking(|| in_one(a_life_of_its_own)));
    // And the parent is in it still, and out of it again.
    let task = node.module.task("t").start().unwrap();
    nonblocking(|| {
        nonblocking(|| ());
        in_one(|| nonblocking(|| ()));
        // Elsewhere it would be a timeout.
        let error = task.observe().wait_timeout(Duration::from_millis(1));
        assert_eq!(error.unwrap_err().code(), ErrorCode::WouldDeadlock);
    });
    task.finish().unwrap();
    a_life_of_its_own();
}

#[test]
fn life_10_a_child_that_comes_back_out_of_a_completion_callback_calls_no_other() {
    let node = node();
    let fork = Fork::new();
    let task = node.module.task("t").start().unwrap();
    let guards = [0, 1].map(|at| {
        let fork = Arc::clone(&fork);
        let call = move |_| match at {
            0 => fork.fork(),
            _ => fork.call(),
        };
        task.observe().on_done(call).unwrap()
    });
    let module = node.module.clone();
    let _ = task.finish();
    fork.meet(|| {
        drop(guards);
        forked(module.list(&Filter::new()));
    });
}

#[test]
fn life_10_a_child_that_comes_back_out_of_an_abort_callback_calls_no_other() {
    let node = node();
    let fork = Fork::new();
    let task = node.module.task("t").abortable().start().unwrap();
    let guards = [0, 1].map(|at| {
        let fork = Arc::clone(&fork);
        let call = move || match at {
            0 => fork.fork(),
            _ => fork.call(),
        };
        task.on_abort(call).unwrap()
    });
    let _ = task.abort("now");
    fork.meet(|| {
        drop(guards);
        forked(task.finish());
    });
}

#[test]
fn life_10_a_child_forked_in_a_close_waits_for_nobody() {
    let node = node();
    let fork = Fork::new();
    let task = node.module.task("t").start().unwrap();
    let theirs = Arc::clone(&fork);
    let guard = task.on_abort(move || theirs.fork()).unwrap();
    // It would wait for the task.
    let (manager, parent) = (node.manager.clone(), Arc::clone(&fork));
    let (sender, told) = mpsc::channel();
    let closer = std::thread::spawn(move || {
        let closed = manager.close(seconds(600));
        if parent.is_in_child() {
            // The one thread that is there.
            let check = std::panic::AssertUnwindSafe(|| {
                forked(closed);
                a_life_of_its_own();
            });
            exit(std::panic::catch_unwind(check).is_ok());
        }
        sender.send(()).unwrap();
        closed.unwrap()
    });
    common::until("aborted", || task.abort_requested());
    drop(guard);
    let _ = task.finish();
    told.recv().unwrap();
    assert!(closer.join().unwrap().is_complete());
    ended_well(fork.child.load(Ordering::SeqCst), "close");
}

/// Keeps its watches, and says when it is dropped.
struct Remote {
    watches: mpsc::Sender<Completion>,
    dropped: Arc<AtomicBool>,
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

impl Provider for Remote {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(Vec::new())
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        Ok(Some(Status::new(id, "remote")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
        self.watches.send(done).map_err(|_| "nobody listens".into())
    }
}

#[test]
fn life_10_what_is_the_hosts_is_left_alone_in_a_child() {
    let node = node();
    let (dropped, called) = (Arc::new(AtomicBool::new(false)), Arc::default());
    let (watches, theirs) = mpsc::channel();
    let remote = Remote {
        watches,
        dropped: Arc::clone(&dropped),
    };
    node.module.register_provider(remote).unwrap();
    let observer = node.manager.observe(Uuid::from_u128(0xf0)).unwrap();
    let guards = [0, 1].map(|_| {
        let called: Arc<AtomicBool> = Arc::clone(&called);
        let call = move |_| called.store(true, Ordering::SeqCst);
        observer.on_done(call).unwrap()
    });
    let mut watches = [theirs.recv().unwrap(), theirs.recv().unwrap()].map(Some);
    let mut last = Some(observer);
    let _ = in_child(|_| {
        let [completed, forgotten] = &mut watches;
        let status = Status::new(Uuid::nil(), "remote");
        completed.take().unwrap().complete(Ok(status));
        drop(forgotten.take());
        assert!(!called.load(Ordering::SeqCst), "the child told of an end");
    });
    drop((guards, watches));
    // The provider is nobody's but the observer's.
    node.module.close(seconds(60)).unwrap();
    assert!(!dropped.load(Ordering::SeqCst));
    let _ = in_child(|_| {
        drop(last.take());
        assert!(!dropped.load(Ordering::SeqCst), "the child dropped it");
    });
    drop(last);
    // The thread that asked it last may be about to let go of it.
    until("the provider is dropped", || dropped.load(Ordering::SeqCst));
}

#[test]
fn life_10_the_last_manager_that_goes_in_a_child_aborts_nothing() {
    let mut node = Some(node());
    let task = node.as_ref().unwrap().module.task("t").start().unwrap();
    let called = Arc::new(AtomicBool::new(false));
    let call = {
        let called = Arc::clone(&called);
        move || called.store(true, Ordering::SeqCst)
    };
    let _guard = task.on_abort(call).unwrap();
    let _ = in_child(|_| {
        drop(node.take());
        assert!(!called.load(Ordering::SeqCst), "the child called back");
        assert!(task.check_abort().is_ok(), "the child aborted it");
    });
    drop(node.take());
    assert!(called.load(Ordering::SeqCst));
    assert!(task.check_abort().is_err());
}

#[test]
fn life_10_the_last_manager_that_goes_in_a_child_takes_no_lock() {
    let mut node = Some(node());
    let manager = &node.as_ref().unwrap().manager;
    let closing = manager.register_module("closing").unwrap();
    let root = closing.task("t").start().unwrap();
    let _below: Vec<_> = (0..2000)
        .map(|_| root.child("t").start().unwrap())
        .collect();
    closing.close(Duration::ZERO).unwrap();
    let (test, gate) = mpsc::channel::<()>();
    // Who asks a module that is closing goes, under the modules' lock, through all that runs.
    let asks = std::thread::spawn(move || {
        while gate.try_recv() == Err(mpsc::TryRecvError::Empty) {
            closing.drain().unwrap();
        }
    });
    for _ in 0..20 {
        let _ = in_child(|_| drop(node.take()));
    }
    drop(test);
    asks.join().unwrap();
}

#[test]
fn life_10_a_child_forked_as_the_last_manager_goes_ends_nothing() {
    let node = node();
    let fork = Fork::new();
    let dropped = Arc::new(AtomicBool::new(false));
    let remote = Remote {
        watches: mpsc::channel().0,
        dropped: Arc::clone(&dropped),
    };
    node.module.register_provider(remote).unwrap();
    let task = node.module.task("t").start().unwrap();
    let theirs = Arc::clone(&fork);
    let guard = task.on_abort(move || theirs.fork()).unwrap();
    drop(node);
    if dropped.load(Ordering::SeqCst) {
        fork.call();
    }
    fork.meet(|| drop((guard, task)));
}

#[test]
fn life_10_the_guard_of_a_virtual_task_waits_in_a_child_for_no_callback() {
    let node = node();
    let (watches, theirs) = mpsc::channel();
    let remote = Remote {
        watches,
        dropped: Arc::default(),
    };
    node.module.register_provider(remote).unwrap();
    let id = Uuid::from_u128(0xf0);
    let observer = node.manager.observe(id).unwrap();
    let (runs, running) = mpsc::channel();
    let (go_on, gate) = mpsc::channel::<()>();
    let call = move |_| {
        runs.send(()).unwrap();
        let _ = gate.recv();
    };
    let mut guard = Some(observer.on_done(call).unwrap());
    let completion = theirs.recv().unwrap();
    let provider = std::thread::spawn(move || completion.complete(Ok(Status::new(id, "remote"))));
    running.recv().unwrap();
    // The thread that runs it is not there.
    let _ = in_child(|_| drop(guard.take()));
    go_on.send(()).unwrap();
    provider.join().unwrap();
    drop(guard);
}

#[test]
fn life_10_a_childs_threads_are_begun_past_the_lock_that_std_has_for_them() {
    fn name() -> Option<String> {
        let manager = Manager::builder().build().unwrap();
        let task = manager.register_module("m").unwrap().task("t");
        let work = task.spawn(|_| Ok(std::thread::current().name().map(str::to_owned)));
        work.unwrap().join().unwrap()
    }
    assert_eq!(name().as_deref(), Some("taskmgr-task"));
    // Those that std begins have the name that they were given.
    in_one(|| assert_eq!(name(), None));
}

#[test]
fn id_1_children_forked_at_the_same_moment_have_ids_of_their_own() {
    let (mut from, to) = std::io::pipe().unwrap();
    let _ = Uuid::new_v4();
    for _ in 0..3 {
        let _ = in_child(|_| {
            let manager = Manager::builder().build().unwrap();
            let task = manager.register_module("m").unwrap().task("t").start();
            let ids = [task.unwrap().id(), Uuid::new_v4()];
            (&to)
                .write_all(ids.map(|id| format!("{id}\n")).concat().as_bytes())
                .unwrap();
        });
    }
    drop(to);
    let mut said = String::new();
    from.read_to_string(&mut said).unwrap();
    assert_eq!(said.lines().collect::<HashSet<_>>().len(), 6, "{said}");
}

/// Runs this test in a process of its own, told by `moment` what to do there.
fn in_a_process_of_its_own(test: &str, moment: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(MOMENT, moment)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "at {moment}: {said}");
}

const MOMENT: &str = "TASKMGR_TEST_MOMENT";

#[test]
fn life_10_a_child_forked_in_the_first_build_builds_its_own() {
    let Ok(moment) = std::env::var(MOMENT) else {
        for moment in [
            0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000,
        ] {
            let name = "life_10_a_child_forked_in_the_first_build_builds_its_own";
            in_a_process_of_its_own(name, &moment.to_string());
        }
        return;
    };
    let moment = Duration::from_micros(moment.parse().unwrap());
    let ready = Arc::new(Barrier::new(3));
    let builders = [0, 1].map(|_| {
        let ready = Arc::clone(&ready);
        std::thread::spawn(move || {
            ready.wait();
            Manager::builder().build().unwrap()
        })
    });
    ready.wait();
    let begun = Instant::now();
    while begun.elapsed() < moment {
        std::hint::spin_loop();
    }
    let _ = in_child(|_| {
        a_life_of_its_own();
        // Nor does it stand in the way of a child's child.
        let _ = in_child(|_| a_life_of_its_own());
    });
    for builder in builders {
        let manager = builder.join().unwrap();
        let _ = in_child(|_| forked(manager.modules()));
    }
}

#[test]
fn life_10_a_child_of_which_no_handler_was_told_builds_its_own() {
    let Ok(_) = std::env::var(MOMENT) else {
        let name = "life_10_a_child_of_which_no_handler_was_told_builds_its_own";
        return in_a_process_of_its_own(name, "any");
    };
    let node = node();
    let task = node.module.task("t").start().unwrap();
    // SAFETY: no other thread of this process is in the allocator: the harness waits for this one.
    let clone = || unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    let _ = in_child_of(
        || clone() as libc::pid_t,
        |_| {
            a_life_of_its_own();
            // From here on it is known.
            forked(task.status());
            forked(node.manager.modules());
        },
    );
    assert!(task.status().is_ok());
}
