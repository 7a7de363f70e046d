//! What may be called from where: no public call deadlocks inside a callback or a provider.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::Duration;

use common::{Node, PATIENCE, node, seconds, until};
use taskmgr::{
    AbortGuard, BoxError, Completion, DoneGuard, ErrorCode, Filter, Manager, Module, Provider,
    Stats, Status, Task, Uuid,
};

/// Fails, rather than hangs, if `work` does not come back.
fn in_time(work: impl FnOnce() + Send + 'static) {
    let (sender, done) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        work();
        sender.send(()).unwrap();
    });
    if done.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("deadlock");
    }
    worker.join().unwrap();
}

/// Calls everything that is public on a manager in use; what would block says so.
fn call_everything(manager: &Manager, module: &Module, running: &Mutex<Option<Task>>) {
    let deadlock = |code| assert_eq!(code, ErrorCode::WouldDeadlock);
    let running = running.lock().unwrap().take().unwrap();
    let (id, observer, reporter) = (running.id(), running.observe(), running.reporter());

    let task = module
        .task("made inside")
        .abortable()
        .total(2, "rows")
        .create()
        .unwrap();
    task.start().unwrap();
    task.advance(1);
    task.try_advance(1).unwrap();
    task.set_completed(2);
    task.set_total(3);
    assert!(!task.abort_requested());
    task.check_abort().unwrap();
    task.checkpoint().unwrap();
    let guard = task.on_abort(|| {}).unwrap();
    let child = task.child("c").start().unwrap();
    child.run(|_| Ok(())).unwrap();
    task.child("c").spawn(|_| Ok(())).unwrap();
    task.observe().abort("inside").unwrap();
    drop(guard);
    let done = task.observe().on_done(drop).unwrap();
    assert!(task.finish().unwrap_err().is_aborted());
    drop(done);

    reporter.advance(1);
    observer.status().unwrap();
    observer.status_tree().unwrap();
    assert!(!observer.is_terminal().unwrap());
    observer.suspend().unwrap();
    deadlock(running.checkpoint().unwrap_err().code());
    deadlock(observer.wait().unwrap_err().code());
    deadlock(manager.wait(id).unwrap_err().code());
    deadlock(observer.wait_timeout(seconds(1)).unwrap_err().code());
    observer.resume().unwrap();
    assert!(
        observer
            .wait_timeout(Duration::ZERO)
            .unwrap_err()
            .is_timeout()
    );
    manager.on_done(id, drop).unwrap().forget();

    manager.observe(id).unwrap();
    manager.status(id).unwrap();
    manager.status_tree(id).unwrap();
    manager.read_status(id).unwrap();
    assert!(manager.take_status(id).is_err());
    assert!(manager.abort(id, "inside").is_err());
    manager.suspend(id).unwrap();
    manager.resume(id).unwrap();
    manager.list("m", &Filter::new()).unwrap();
    manager.drain("m").unwrap();
    manager.tick();
    manager.set_task_ttl(manager.task_ttl()).unwrap();
    manager.modules().unwrap();
    let other = manager.register_module("inside").unwrap();
    let slow = other.task("t").start().unwrap();
    let refused = manager.close_module("inside", PATIENCE).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::WouldDeadlock);
    let report = manager.close_module("inside", Duration::ZERO).unwrap();
    assert_eq!(report.still_running.len(), 1, "nobody is waited for");
    drop(slow);
    assert!(manager.close_module("inside", Duration::ZERO).is_err());
    running.fail("ended inside").unwrap();
    observer.wait().unwrap();
}

fn stage() -> (Node, Arc<Mutex<Option<Task>>>) {
    let node = node();
    let running = node.module.task("running").start().unwrap();
    (node, Arc::new(Mutex::new(Some(running))))
}

#[test]
fn wait_5_every_call_works_or_says_so_inside_on_abort() {
    in_time(|| {
        let (node, running) = stage();
        let task = node.module.task("t").start().unwrap();
        let (manager, module, called) = (
            node.manager.clone(),
            node.module.clone(),
            Arc::new(AtomicUsize::new(0)),
        );
        let count = Arc::clone(&called);
        let call = move || {
            call_everything(&manager, &module, &running);
            count.fetch_add(1, Ordering::SeqCst);
        };
        let guard = task.on_abort(call).unwrap();
        task.abort("enough").unwrap();
        assert_eq!(called.load(Ordering::SeqCst), 1);
        drop(guard);
    });
}

#[test]
fn wait_5_every_call_works_or_says_so_inside_on_done() {
    in_time(|| {
        let (node, running) = stage();
        let task = node.module.task("t").start().unwrap();
        let (manager, module, called) = (
            node.manager.clone(),
            node.module.clone(),
            Arc::new(AtomicUsize::new(0)),
        );
        let count = Arc::clone(&called);
        let call = move |_| {
            call_everything(&manager, &module, &running);
            count.fetch_add(1, Ordering::SeqCst);
        };
        task.observe().on_done(call).unwrap().forget();
        task.finish().unwrap();
        assert_eq!(called.load(Ordering::SeqCst), 1);
    });
}

/// A provider that calls everything when it is asked for the status of its task.
struct Caller {
    id: Uuid,
    manager: Manager,
    module: Module,
    running: Arc<Mutex<Option<Task>>>,
}

impl Provider for Caller {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(Vec::new())
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        if id == self.id && self.running.lock().unwrap().is_some() {
            call_everything(&self.manager, &self.module, &self.running);
        }
        Ok((id == self.id).then(|| Status::new(id, "virtual")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Err("nobody watches".into())
    }
    fn contains(&self, id: Uuid) -> Result<bool, BoxError> {
        Ok(id == self.id)
    }
}

#[test]
fn wait_5_every_call_works_or_says_so_inside_a_provider() {
    in_time(|| {
        let (node, running) = stage();
        let id = Uuid::from_u128(7);
        let provider = Caller {
            id,
            manager: node.manager.clone(),
            module: node.module.clone(),
            running: Arc::clone(&running),
        };
        // Of another module, as the list of one with a provider would ask it.
        let cluster = node.manager.register_module("cluster").unwrap();
        cluster.register_provider(provider).unwrap();
        assert_eq!(node.manager.status(id).unwrap().type_, "virtual");
        assert!(running.lock().unwrap().is_none(), "it was called");
        // What asks a provider would have to wait for it.
        let ask = || taskmgr::nonblocking(|| node.manager.status(id));
        assert_eq!(ask().unwrap_err().code(), ErrorCode::WouldDeadlock);
    });
}

#[test]
fn abort_4_a_guard_may_be_dropped_inside_its_own_callback() {
    in_time(|| {
        let node = node();
        let task = node.module.task("t").start().unwrap();
        let slot: Arc<Mutex<Option<AbortGuard>>> = Arc::default();
        let own = Arc::clone(&slot);
        let guard = task
            .on_abort(move || drop(own.lock().unwrap().take()))
            .unwrap();
        *slot.lock().unwrap() = Some(guard);
        task.abort("enough").unwrap();
        assert!(slot.lock().unwrap().is_none());

        let slot: Arc<Mutex<Option<DoneGuard>>> = Arc::default();
        let own = Arc::clone(&slot);
        let guard = task
            .observe()
            .on_done(move |_| drop(own.lock().unwrap().take()))
            .unwrap();
        *slot.lock().unwrap() = Some(guard);
        drop(task);
        assert!(slot.lock().unwrap().is_none());
    });
}

#[test]
fn wait_5_callbacks_that_drop_each_others_guards_come_back() {
    in_time(|| {
        let node = node();
        let tasks = [(); 2].map(|()| node.module.task("t").start().unwrap());
        let guards: Arc<Mutex<Vec<Option<AbortGuard>>>> = Arc::new(Mutex::new(vec![None, None]));
        let both_run = Arc::new(Barrier::new(2));
        for (at, task) in tasks.iter().enumerate() {
            let (guards_of_both, both_run) = (Arc::clone(&guards), Arc::clone(&both_run));
            let drop_the_other = move || {
                both_run.wait();
                let other = guards_of_both.lock().unwrap()[1 - at].take();
                drop(other);
            };
            guards.lock().unwrap()[at] = Some(task.on_abort(drop_the_other).unwrap());
        }
        let aborters = tasks.map(|task| std::thread::spawn(move || task.abort("enough").unwrap()));
        for aborter in aborters {
            aborter.join().unwrap();
        }
    });
}

#[test]
fn abort_4_dropping_a_guard_and_ending_the_task_wait_for_a_running_callback() {
    for end_the_task in [false, true] {
        let node = node();
        let task = node.module.task("t").abortable().start().unwrap();
        let observer = task.observe();
        let (running, at_work) = mpsc::channel();
        let (go_on, gate) = mpsc::channel::<()>();
        let over = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&over);
        let slow = move || {
            running.send(()).unwrap();
            gate.recv().unwrap();
            count.fetch_add(1, Ordering::SeqCst);
        };
        let guard = task.on_abort(slow).unwrap();
        let aborter = std::thread::spawn(move || observer.abort("enough").unwrap());
        at_work.recv().unwrap();
        let seen = Arc::clone(&over);
        let ender = std::thread::spawn(move || {
            match end_the_task {
                true => {
                    guard.forget();
                    assert!(task.finish().unwrap_err().is_aborted());
                }
                false => drop(guard),
            }
            assert_eq!(seen.load(Ordering::SeqCst), 1, "it has waited");
        });
        assert!(!ender.is_finished());
        go_on.send(()).unwrap();
        ender.join().unwrap();
        aborter.join().unwrap();
    }
}

/// What a callback owns, counted.
struct Owned(Arc<AtomicUsize>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn abort_4_ending_the_task_waits_for_a_running_callback_whoever_drops_its_guard() {
    // Within the callback, within another one, within another task's, and on a further thread.
    for dropped_by in 0..4 {
        let node = node();
        let task = |type_| node.module.task(type_).abortable().start().unwrap();
        let (work, other) = (task("work"), task("other"));
        let guard: Arc<Mutex<Option<AbortGuard>>> = Arc::default();
        let drop_guard = {
            let guard = Arc::clone(&guard);
            move || drop(guard.lock().unwrap().take())
        };
        let (entered, runs) = mpsc::channel();
        let (go_on, waits) = mpsc::channel::<()>();
        let is_over = Arc::new(AtomicUsize::new(0));
        let over = Arc::clone(&is_over);
        let drops = (dropped_by == 0).then(|| drop_guard.clone());
        let callback = move || {
            drops.into_iter().for_each(|drop_guard| drop_guard());
            entered.send(()).unwrap();
            waits.recv().unwrap();
            (0..1000).for_each(|_| std::thread::yield_now());
            over.store(1, Ordering::SeqCst);
        };
        let (locked, observer) = (guard.lock().unwrap(), work.observe());
        let mut place = locked;
        *place = Some(work.on_abort(callback).unwrap());
        drop(place);
        let aborter = std::thread::spawn(move || observer.abort("now").unwrap());
        runs.recv().unwrap();
        let mut dropper = None;
        match dropped_by {
            0 => {}
            1 => work.on_abort(drop_guard).unwrap().forget(),
            2 => {
                other.abort("now").unwrap();
                other.on_abort(drop_guard).unwrap().forget();
            }
            _ => {
                let taken = guard.lock().unwrap().take();
                dropper = Some(std::thread::spawn(move || drop(taken)));
            }
        }
        go_on.send(()).unwrap();
        assert!(work.finish().unwrap_err().is_aborted());
        assert_eq!(is_over.load(Ordering::SeqCst), 1, "dropped by {dropped_by}");
        aborter.join().unwrap();
        dropper
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    }
}

#[test]
fn abort_4_what_a_callback_owns_is_dropped_once_on_every_path() {
    let node = node();
    let dropped = Arc::new(AtomicUsize::new(0));
    let owning = |_: &str| {
        let owned = Owned(Arc::clone(&dropped));
        move || drop(owned)
    };
    let expect =
        |count: usize, path: &str| assert_eq!(dropped.swap(0, Ordering::SeqCst), count, "{path}");

    let task = node.module.task("t").start().unwrap();
    drop(task.on_abort(owning("cancelled")).unwrap());
    expect(1, "cancelled");
    let kept = task.on_abort(owning("ran")).unwrap();
    task.on_abort(owning("ran, forgotten")).unwrap().forget();
    task.abort("enough").unwrap();
    expect(2, "ran");
    drop(kept);
    let late = task.on_abort(owning("at once")).unwrap();
    expect(1, "at once");
    drop((late, task));
    expect(0, "nothing is dropped twice");

    let task = node.module.task("t").start().unwrap();
    let kept = task.on_abort(owning("ended")).unwrap();
    task.on_abort(owning("ended, forgotten")).unwrap().forget();
    let reporter = task.reporter();
    task.finish().unwrap();
    expect(2, "the task has ended");
    drop(kept);
    let after = reporter.on_abort(owning("after the end")).unwrap();
    expect(1, "registered after the end");
    drop(after);
    expect(0, "nothing is dropped twice");
}

#[test]
fn wait_3_what_a_completion_callback_owns_is_dropped_once_on_every_path() {
    let node = node();
    let dropped = Arc::new(AtomicUsize::new(0));
    let owning = || {
        let owned = Owned(Arc::clone(&dropped));
        move |_: taskmgr::Result<Status>| drop(owned)
    };
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    drop(observer.on_done(owning()).unwrap());
    assert_eq!(dropped.swap(0, Ordering::SeqCst), 1, "cancelled");
    let kept = observer.on_done(owning()).unwrap();
    observer.on_done(owning()).unwrap().forget();
    task.finish().unwrap();
    assert_eq!(dropped.swap(0, Ordering::SeqCst), 2, "ran");
    let late = observer.on_done(owning()).unwrap();
    drop((kept, late));
    assert_eq!(dropped.swap(0, Ordering::SeqCst), 1, "at once");
}

#[test]
fn wait_3_a_completion_callback_of_a_child_runs_though_nobody_holds_that_and_whoever_ends_it() {
    let node = node();
    let root = node.module.task("t").start().unwrap();
    let ends: [fn(Task); 5] = [
        |task| task.finish().unwrap(),
        |task| task.fail("no space").unwrap(),
        drop,
        // Its handle stays.
        |task| {
            let task = task.share();
            task.finish().unwrap();
            drop(task);
        },
        |task| {
            let task = task.share();
            let further = task.clone();
            drop(task);
            further.fail("no space").unwrap();
        },
    ];
    for (at, end) in ends.into_iter().enumerate() {
        let (sender, told) = mpsc::channel();
        let child = root.child("part").start().unwrap();
        let call = move |status: taskmgr::Result<Status>| sender.send(status).unwrap();
        // No handle but the owner's is left.
        child.observe().on_done(call).unwrap().forget();
        end(child);
        let status = told.try_recv().expect("it has ended").unwrap();
        let is_done = at % 3 == 0;
        assert_eq!(status.state == taskmgr::State::Done, is_done);
        assert!(told.recv().is_err(), "once");
    }
}

#[test]
fn abort_4_one_that_panics_hurts_nobody_else() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let called = Arc::new(AtomicUsize::new(0));
    let mut guards = Vec::new();
    for turn in 0..3 {
        let count = Arc::clone(&called);
        let call = move || {
            assert_ne!(turn, 1, "this panic is expected");
            count.fetch_add(1, Ordering::SeqCst);
        };
        guards.push(task.on_abort(call).unwrap());
        let count = Arc::clone(&called);
        let call = move |_| {
            assert_ne!(turn, 1, "this panic is expected");
            count.fetch_add(1, Ordering::SeqCst);
        };
        task.observe().on_done(call).unwrap().forget();
    }
    task.abort("enough").unwrap();
    assert_eq!(called.load(Ordering::SeqCst), 2);
    drop(guards);
    let observer = task.observe();
    assert!(task.finish().unwrap_err().is_aborted());
    until("both others have been called", || {
        called.load(Ordering::SeqCst) == 4
    });
    observer.wait().unwrap();
}
