//! Calls that would have to block where they must not, and ends that have to wait.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use common::{PATIENCE, node, until};
use taskmgr::{ErrorCode, Spawned, nonblocking};

/// Where the work of another thread is put, so that a callback can take it.
type Slot = Arc<Mutex<Option<Spawned<()>>>>;

#[test]
fn wait_5_joining_inside_a_callback_would_deadlock() {
    let node = node();
    let (release, gate) = mpsc::channel::<()>();
    let work = node.module.task("t").spawn(move |_| {
        let _ = gate.recv();
        Ok(())
    });
    let work = work.unwrap();
    let observer = work.observer().clone();
    let code = nonblocking(|| {
        // Whoever came to wait for the work here would be its last user.
        let guard = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(200));
            drop(release);
        });
        let code = work.join().unwrap_err().code();
        (code, guard)
    });
    code.1.join().unwrap();
    assert_eq!(code.0, ErrorCode::WouldDeadlock);
    observer.wait_timeout(PATIENCE).unwrap();
}

#[test]
fn wait_5_work_that_joins_itself_from_its_completion_callback_is_told() {
    let node = node();
    let (go_on, gate) = mpsc::channel::<()>();
    let work = node.module.task("t").spawn(move |_| {
        gate.recv()?;
        Ok(())
    });
    let work = work.unwrap();
    let observer = work.observer().clone();
    let slot: Slot = Arc::default();
    let (sender, told) = mpsc::channel();
    let own = Arc::clone(&slot);
    observer
        .on_done(move |_| {
            let work = own.lock().unwrap().take().unwrap();
            let joined = work.join();
            sender.send(joined.map_err(|error| error.code())).unwrap();
        })
        .unwrap()
        .forget();
    *slot.lock().unwrap() = Some(work);
    go_on.send(()).unwrap();
    let joined = told
        .recv_timeout(PATIENCE)
        .expect("the callback came to its end");
    assert_eq!(joined, Err(ErrorCode::WouldDeadlock));
}

#[test]
fn abort_4_an_end_waits_for_a_callback_that_runs_on_the_thread_that_registers_it() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let reporter = task.reporter();
    task.abort("enough").unwrap();
    let (running, at_work) = mpsc::channel();
    let (go_on, gate) = mpsc::channel::<()>();
    let over = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&over);
    let registrar = std::thread::spawn(move || {
        // The abort came first, so this runs at once, on this thread.
        let slow = move || {
            running.send(()).unwrap();
            gate.recv().unwrap();
            count.fetch_add(1, Ordering::SeqCst);
        };
        reporter.on_abort(slow).unwrap().forget();
    });
    at_work.recv_timeout(PATIENCE).unwrap();
    let seen = Arc::clone(&over);
    let ender = std::thread::spawn(move || {
        assert!(task.finish().unwrap_err().is_aborted());
        seen.load(Ordering::SeqCst)
    });
    // Long enough for an end that does not wait to have come back.
    std::thread::sleep(std::time::Duration::from_millis(100));
    go_on.send(()).unwrap();
    assert_eq!(ender.join().unwrap(), 1, "it has waited");
    registrar.join().unwrap();
}

#[test]
fn abort_4_an_end_waits_for_a_callback_of_an_abort_from_above() {
    let node = node();
    let root = node.module.task("t").abortable().start().unwrap();
    let child = root.child("t").start().unwrap();
    let (running, at_work) = mpsc::channel();
    let (go_on, gate) = mpsc::channel::<()>();
    let over = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&over);
    let slow = move || {
        running.send(()).unwrap();
        gate.recv().unwrap();
        count.fetch_add(1, Ordering::SeqCst);
    };
    child.on_abort(slow).unwrap().forget();
    let observer = root.observe();
    let aborter = std::thread::spawn(move || observer.abort("enough").unwrap());
    at_work.recv_timeout(PATIENCE).unwrap();
    let seen = Arc::clone(&over);
    let ender = std::thread::spawn(move || {
        drop(child);
        seen.load(Ordering::SeqCst)
    });
    std::thread::sleep(std::time::Duration::from_millis(50));
    go_on.send(()).unwrap();
    assert_eq!(ender.join().unwrap(), 1, "it has waited");
    aborter.join().unwrap();
}

#[test]
fn abort_4_a_task_may_be_ended_inside_its_own_abort_callback() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    let reporter = task.reporter();
    let slot = Arc::new(Mutex::new(Some(task)));
    let own = Arc::clone(&slot);
    let guard = reporter
        .on_abort(move || drop(own.lock().unwrap().take()))
        .unwrap();
    reporter.abort("enough").unwrap();
    assert!(slot.lock().unwrap().is_none());
    assert_eq!(
        observer.wait_timeout(PATIENCE).unwrap().error.as_deref(),
        Some("aborted: enough: dropped before it finished")
    );
    drop(guard);
}

#[test]
fn wait_3_a_completion_callback_may_register_another() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    let again = observer.clone();
    let called = Arc::new(AtomicUsize::new(0));
    let (first, second) = (Arc::clone(&called), Arc::clone(&called));
    observer
        .on_done(move |_| {
            first.fetch_add(1, Ordering::SeqCst);
            let late = move |_| {
                second.fetch_add(1, Ordering::SeqCst);
            };
            again.on_done(late).unwrap().forget();
        })
        .unwrap()
        .forget();
    task.finish().unwrap();
    assert_eq!(called.load(Ordering::SeqCst), 2);
}

#[test]
fn life_8_inside_a_completion_callback_the_end_has_brought_about_everything() {
    let node = common::node_with(|builder| builder.task_ttl(common::seconds(0)));
    let manager = node.manager.clone();
    let task = node.module.task("t").start().unwrap();
    let id = task.id();
    let (sender, seen) = mpsc::channel();
    let look = move |_| {
        let gone = manager.status(id).unwrap_err().gone();
        sender.send(gone).unwrap();
    };
    task.observe().on_done(look).unwrap().forget();
    task.finish().unwrap();
    let gone = seen.recv().unwrap();
    assert_eq!(
        gone,
        Some((taskmgr::GoneReason::Expired, taskmgr::State::Done))
    );
}

#[test]
fn life_8_whoever_has_waited_finds_a_root_without_ttl_gone() {
    let node = common::node_with(|builder| builder.task_ttl(common::seconds(0)));
    for _ in 0..200 {
        let task = node.module.task("t").start().unwrap();
        let (id, observer, manager) = (task.id(), task.observe(), node.manager.clone());
        let waiter = std::thread::spawn(move || {
            observer.wait().unwrap();
            manager.status(id).unwrap_err().is_gone()
        });
        task.finish().unwrap();
        assert!(node.manager.status(id).unwrap_err().is_gone());
        assert!(waiter.join().unwrap());
    }
    until("nothing is listed", || {
        let all = taskmgr::Filter::new().internal(true);
        node.module.list(&all).unwrap().is_empty()
    });
}
