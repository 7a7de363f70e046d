//! One registration of a module and the next of the same name: what a handle, a close and a
//! wait concern (mod_1, seq_1, wait_5).

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::{PATIENCE, node, seconds, until, watched};
use taskmgr::{
    BoxError, CloseReport, Completion, ErrorCode, Filter, GoneReason, Manager, Module, Provider,
    Result, Stats, Status, Task, Uuid,
};

const NOW: Duration = Duration::ZERO;

#[test]
fn mod_1_closing_again_answers_as_the_first_close_did() {
    let node = node();
    let task = node.module.task("slow").start().unwrap();
    for _ in 0..2 {
        let report = node.module.close(NOW).unwrap();
        assert_eq!(report.still_running[0].id, task.id());
    }
    drop(task);
    for _ in 0..2 {
        assert!(node.module.close(PATIENCE).unwrap().is_complete());
    }
    let next = node.manager.register_module("m").unwrap();
    let theirs = next.task("t").start().unwrap();
    assert!(node.module.close(PATIENCE).unwrap().is_complete());
    assert!(!theirs.abort_requested(), "it is the next registration's");
    let report = node.manager.close(NOW).unwrap();
    assert_eq!(report.still_running[0].id, theirs.id());
    let report = next.close(NOW).unwrap();
    assert_eq!(report.still_running[0].id, theirs.id());
    drop(theirs);
    for _ in 0..2 {
        assert!(node.manager.close(PATIENCE).unwrap().is_complete());
        assert!(next.close(PATIENCE).unwrap().is_complete());
        assert!(node.module.close(PATIENCE).unwrap().is_complete());
    }
}

#[test]
fn mod_1_a_module_that_was_told_to_close_is_closed_again_when_the_manager_is_gone() {
    let node = node();
    let other = node.manager.register_module("other").unwrap();
    let task = node.module.task("slow").start().unwrap();
    node.module.close(NOW).unwrap();
    drop(node.manager);
    let report = node.module.close(NOW).unwrap();
    assert_eq!(report.still_running[0].id, task.id());
    let closer = std::thread::spawn(move || node.module.close(PATIENCE));
    drop(task);
    assert!(closer.join().unwrap().unwrap().is_complete());
    assert!(other.close(NOW).unwrap_err().is_closed(), "nobody has");
}

#[test]
fn mod_1_two_closes_of_one_module_both_wait() {
    let node = node();
    let task = node.module.task("slow").start().unwrap();
    let closers: Vec<_> = (0..2)
        .map(|_| {
            let module = node.module.clone();
            std::thread::spawn(move || module.close(PATIENCE))
        })
        .collect();
    until("both have begun", || task.abort_requested());
    drop(task);
    for closer in closers {
        assert!(closer.join().unwrap().unwrap().is_complete());
    }
    node.manager.register_module("m").unwrap();
}

#[test]
fn mod_1_a_handle_of_an_earlier_registration_touches_nothing_of_a_later_one() {
    let node = node();
    let old = node.module;
    old.close(NOW).unwrap();
    let new = node.manager.register_module("m").unwrap();
    let root = new.task("t").start().unwrap();
    let kept = new.task("t").start().unwrap();
    let kept_id = kept.id();
    kept.finish().unwrap();
    let all = Filter::new().internal(true);
    for refused in [
        old.list(&all).map(drop),
        old.drain().map(drop),
        old.task("t").create().map(drop),
        root.child("t").module(&old).create().map(drop),
        old.register_provider(Remote::default()),
    ] {
        assert!(refused.unwrap_err().is_closed());
    }
    assert!(old.close(NOW).unwrap().is_complete());
    assert!(!root.abort_requested());
    node.manager.status(kept_id).unwrap();
    assert_eq!(new.list(&all).unwrap().len(), 2);
    assert_eq!(node.manager.modules().unwrap(), ["m"]);
    new.task("t")
        .start()
        .expect("its gate is open")
        .finish()
        .unwrap();
}

#[test]
fn mod_1_the_name_is_taken_until_a_close_under_way_has_returned() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let mine: Arc<Mutex<Option<Task>>> = Arc::default();
    let (theirs, manager) = (Arc::clone(&mine), node.manager.clone());
    let (sender, told) = mpsc::channel();
    let callback = move || {
        // The last task ends here, while the close that aborts it is under way.
        drop(theirs.lock().unwrap().take());
        let registered = manager.register_module("m").map(drop);
        sender.send((registered, manager.modules())).unwrap();
    };
    task.on_abort(callback).unwrap().forget();
    *mine.lock().unwrap() = Some(task);
    assert!(node.module.close(PATIENCE).unwrap().is_complete());
    let (registered, modules) = told.recv().unwrap();
    let error = registered.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModuleExists);
    assert!(error.to_string().contains("closing"), "{error}");
    assert_eq!(modules.unwrap(), ["m"]);
    node.manager.register_module("m").unwrap();
}

#[test]
fn mod_1_modules_are_closing_until_the_close_of_their_manager_has_returned() {
    let node = node();
    node.manager.register_module("idle").unwrap();
    let task = node.module.task("t").start().unwrap();
    let (sender, told) = mpsc::channel();
    let manager = node.manager.clone();
    let callback = move || sender.send(manager.modules()).unwrap();
    task.on_abort(callback).unwrap().forget();
    assert!(!node.manager.close(NOW).unwrap().is_complete());
    assert_eq!(told.recv().unwrap().unwrap(), ["m", "idle"]);
    assert_eq!(node.manager.modules().unwrap(), ["m"]);
    drop(task);
}

#[test]
fn seq_1_a_module_that_is_registered_anew_numbers_from_one() {
    let node = node();
    let mut module = node.module;
    for _ in 0..3 {
        for (shard, number) in [(0, 1), (0, 2), (5, 1), (5, 2)] {
            let root = module.task("t").shard(shard).start().unwrap();
            assert_eq!(root.status().unwrap().sequence_number, number);
            let child = root.child("c").shard(9).start().unwrap();
            assert_eq!(child.status().unwrap().sequence_number, number);
        }
        module.close(NOW).unwrap();
        module = node.manager.register_module("m").unwrap();
    }
}

/// What a close would do to tasks, had it been let.
fn is_untouched(manager: &Manager, module: &Module, task: &Task, kept: Uuid) {
    assert!(!task.abort_requested());
    manager.status(kept).unwrap();
    module.task("t").start().unwrap().finish().unwrap();
}

#[test]
fn wait_5_a_close_with_a_deadline_inside_a_callback_changes_nothing() {
    watched(|| {
        let node = node();
        let task = node.module.task("t").start().unwrap();
        let kept = node.module.task("kept").start().unwrap();
        let id = kept.id();
        kept.finish().unwrap();
        taskmgr::nonblocking(|| {
            for refused in [
                node.module.close(seconds(1)),
                node.manager.close_module("m", seconds(1)),
                node.manager.close(Duration::MAX),
            ] {
                let code = refused.unwrap_err().code();
                assert_eq!(code, ErrorCode::WouldDeadlock);
                is_untouched(&node.manager, &node.module, &task, id);
            }
            let report = node.module.close(NOW).unwrap();
            assert_eq!(report.still_running[0].id, task.id());
            let gone = node.manager.status(id).unwrap_err().gone();
            assert_eq!(gone.unwrap().0, GoneReason::Drained);
            assert!(!node.manager.close(NOW).unwrap().is_complete());
        });
        assert!(task.finish().unwrap_err().is_aborted());
        assert!(node.manager.close(seconds(1)).unwrap().is_complete());
    });
}

#[test]
fn mod_1_a_waiter_hears_of_a_deadline_that_passed_before_another_close() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    node.manager.close(NOW).unwrap();
    let manager = node.manager.clone();
    let closer = std::thread::spawn(move || manager.close(PATIENCE));
    // Whether the second close has begun or not: the first one's deadline has passed.
    assert!(observer.wait_timeout(PATIENCE).unwrap_err().is_closed());
    let (sender, told) = mpsc::channel();
    let tell = move |status: Result<Status>| sender.send(status).unwrap();
    observer.on_done(tell).unwrap().forget();
    let told = told.recv_timeout(seconds(10));
    assert!(told.expect("it is told at once").unwrap_err().is_closed());
    drop(task);
    assert!(closer.join().unwrap().unwrap().is_complete());
    assert!(node.manager.status(observer.id()).unwrap_err().is_closed());
}

#[test]
fn mod_1_a_waiter_hears_of_a_deadline_that_passed_before_the_manager_was_dropped() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let observer = task.observe();
    node.manager.close(NOW).unwrap();
    drop(node.manager);
    assert!(observer.wait_timeout(PATIENCE).unwrap_err().is_closed());
    let (sender, told) = mpsc::channel();
    let tell = move |status: Result<Status>| sender.send(status).unwrap();
    observer.on_done(tell).unwrap().forget();
    let told = told.recv_timeout(seconds(10));
    assert!(told.expect("it is told at once").unwrap_err().is_closed());
    drop(task);
}

#[test]
fn mod_1_all_who_wait_hear_of_a_close_whatever_comes_after_it() {
    for round in 0..100 {
        let node = node();
        let task = node.module.task("t").start().unwrap();
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let observer = task.observe();
                std::thread::spawn(move || observer.wait_timeout(PATIENCE))
            })
            .collect();
        node.manager.close(NOW).unwrap();
        match round % 2 {
            0 => drop(node.manager),
            _ => drop(node.manager.close(Duration::from_micros(100)).unwrap()),
        }
        for waiter in waiters {
            assert!(waiter.join().unwrap().unwrap_err().is_closed());
        }
        drop(task);
    }
}

#[test]
fn mod_1_what_is_asked_after_a_complete_close_is_closed_and_never_unknown() {
    for _ in 0..200 {
        let node = node();
        let task = node.module.task("t").start().unwrap();
        let id = task.id();
        let closers = [NOW, PATIENCE].map(|deadline| {
            let manager = node.manager.clone();
            std::thread::spawn(move || manager.close(deadline).unwrap())
        });
        let manager = node.manager.clone();
        let asker = std::thread::spawn(move || {
            loop {
                let error = match manager.status(id).map(drop).and(manager.module("m")) {
                    Ok(_) => continue,
                    Err(error) => error,
                };
                let is_known = error.is_gone() || error.code() == ErrorCode::UnknownModule;
                assert!(is_known || error.is_closed(), "{error}");
                if error.is_closed() {
                    break;
                }
            }
        });
        drop(task);
        let reports = closers.map(|closer| closer.join().unwrap());
        assert!(reports.iter().any(CloseReport::is_complete));
        assert!(node.manager.status(id).unwrap_err().is_closed());
        assert!(node.manager.module("m").unwrap_err().is_closed());
        asker.join().unwrap();
    }
}

#[test]
fn mod_1_a_closed_manager_stays_closed_while_it_is_closed_again() {
    let node = node();
    let task = node.module.task("t").start().unwrap();
    let id = task.id();
    drop(task);
    assert!(node.manager.close(NOW).unwrap().is_complete());
    let manager = node.manager.clone();
    let closer = std::thread::spawn(move || {
        for _ in 0..2_000 {
            assert!(manager.close(NOW).unwrap().is_complete());
        }
    });
    while !closer.is_finished() {
        assert!(node.manager.status(id).unwrap_err().is_closed());
    }
    closer.join().unwrap();
}

const REMOTE: Uuid = Uuid::from_u128(0xe1);
const OTHER: Uuid = Uuid::from_u128(0xe2);

/// A provider of one task that never ends.
struct Remote {
    id: Uuid,
    watches: Mutex<Vec<Completion>>,
    on_drop: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Default for Remote {
    fn default() -> Self {
        Self::of(REMOTE)
    }
}

impl Remote {
    fn of(id: Uuid) -> Self {
        Self {
            id,
            watches: Mutex::default(),
            on_drop: None,
        }
    }

    fn dropped(on_drop: impl FnOnce() + Send + Sync + 'static) -> Self {
        let mut remote = Self::default();
        remote.on_drop = Some(Box::new(on_drop));
        remote
    }
}

impl Provider for Remote {
    fn list(&self) -> std::result::Result<Vec<Stats>, BoxError> {
        Ok(vec![Stats::new(self.id, "remote")])
    }
    fn status(&self, id: Uuid) -> std::result::Result<Option<Status>, BoxError> {
        Ok((id == self.id).then(|| Status::new(id, "remote")))
    }
    fn abort(&self, _: Uuid, _: &str) -> std::result::Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, done: Completion) -> std::result::Result<(), BoxError> {
        self.watches.lock().unwrap().push(done);
        Ok(())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(f) = self.on_drop.take() {
            f();
        }
    }
}

#[test]
fn mod_1_who_waits_for_a_virtual_task_gets_closed_with_its_module() {
    for with_a_task in [false, true] {
        let node = node();
        let other = node.manager.register_module("other").unwrap();
        other.register_provider(Remote::of(OTHER)).unwrap();
        let theirs = node.manager.observe(OTHER).unwrap();
        let guard = theirs.on_done(|_| panic!("its module is open")).unwrap();
        node.module.register_provider(Remote::default()).unwrap();
        let observer = node.manager.observe(REMOTE).unwrap();
        let running = with_a_task.then(|| node.module.task("t").start().unwrap());
        let (sender, told) = mpsc::channel();
        let tell = sender.clone();
        let patient = observer.clone();
        let waiter = std::thread::spawn(move || tell.send(patient.wait()).unwrap());
        let manager = node.manager.clone();
        let tell = sender.clone();
        let first = observer
            .on_done(move |status| {
                let registered = manager.register_module("m").map(drop);
                let code = registered.unwrap_err().code();
                assert_eq!(code, ErrorCode::ModuleExists, "its close is under way");
                tell.send(status).unwrap();
            })
            .unwrap();
        let report = node.module.close(NOW).unwrap();
        assert_eq!(report.is_complete(), !with_a_task);
        // Who comes later hears of it as well.
        let late = observer.on_done(move |status| sender.send(status).unwrap());
        for _ in 0..3 {
            let told = told.recv_timeout(seconds(10)).expect("nobody is told");
            let error = told.unwrap_err();
            assert!(error.is_closed());
            assert!(error.to_string().contains("\"m\""), "{error}");
        }
        waiter.join().unwrap();
        drop((first, late, guard, running));
    }
}

#[test]
fn virt_1_a_provider_is_dropped_with_no_lock_held() {
    watched(|| {
        // Whoever is the first to see that the last task has ended drops the provider.
        let seers: [fn(&Manager, &Module); 6] = [
            |manager, _| assert!(manager.modules().unwrap().is_empty()),
            |manager, _| assert!(manager.module("m").is_err()),
            |manager, _| assert!(manager.register_module("m").is_ok()),
            |_, module| assert!(module.list(&Filter::new()).is_err()),
            |_, module| assert!(module.close(NOW).unwrap().is_complete()),
            |manager, _| assert!(manager.close(NOW).unwrap().is_complete()),
        ];
        for see in seers {
            let node = node();
            let (sender, dropped) = mpsc::channel();
            let manager = node.manager.clone();
            let on_drop = move || {
                let modules = manager.modules();
                sender
                    .send(modules.is_ok() || modules.unwrap_err().is_closed())
                    .unwrap();
                let refused = manager.close(seconds(1)).unwrap_err();
                assert_eq!(refused.code(), ErrorCode::WouldDeadlock);
                panic!("who closes goes on");
            };
            let provider = Remote::dropped(on_drop);
            node.module.register_provider(provider).unwrap();
            let task = node.module.task("t").start().unwrap();
            node.module.close(NOW).unwrap();
            drop(task);
            assert!(dropped.try_recv().is_err());
            see(&node.manager, &node.module);
            assert_eq!(dropped.try_recv(), Ok(true));
        }
    });
}

#[test]
fn virt_1_a_provider_that_comes_too_late_is_refused_and_dropped_with_no_lock_held() {
    watched(|| {
        let node = node();
        node.module.close(NOW).unwrap();
        let (sender, dropped) = mpsc::channel();
        let manager = node.manager.clone();
        let provider = Remote::dropped(move || sender.send(manager.modules()).unwrap());
        let refused = node.module.register_provider(provider).unwrap_err();
        assert!(refused.is_closed());
        assert!(dropped.try_recv().unwrap().unwrap().is_empty());
    });
}

#[test]
fn mod_1_old_handles_of_a_name_that_is_registered_again_and_again_do_no_harm() {
    let node = node();
    let old = Arc::new(Mutex::new(node.module.clone()));
    let over = Arc::new(AtomicBool::new(false));
    let calls: [fn(&Module); 4] = [
        |module| assert!(module.close(NOW).unwrap().is_complete()),
        |module| drop(module.drain()),
        |module| drop(module.list(&Filter::new())),
        |module| drop(module.register_provider(Remote::default())),
    ];
    let workers: Vec<_> = calls
        .into_iter()
        .map(|call| {
            let (old, over) = (Arc::clone(&old), Arc::clone(&over));
            std::thread::spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let module = old.lock().unwrap().clone();
                    call(&module);
                }
            })
        })
        .collect();
    let mut module = node.module;
    for round in 0..1_000 {
        // What is closed is everybody's to close, drain, list and register providers with.
        *old.lock().unwrap() = module.clone();
        module.close(PATIENCE).unwrap();
        module = node.manager.register_module("m").unwrap();
        let kept = module.task("kept").start().unwrap();
        let (id, root) = (kept.id(), module.task("t").start().unwrap());
        kept.finish().unwrap();
        assert!(!root.abort_requested(), "round {round}");
        assert!(node.manager.status(id).is_ok(), "round {round}");
        assert_eq!(node.manager.modules().unwrap(), ["m"]);
        let listed = module.list(&Filter::new()).unwrap();
        assert_eq!(listed.len(), 2, "round {round}: {listed:?}");
        root.finish().unwrap();
    }
    over.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.join().unwrap();
    }
}

#[test]
fn ttl_9_no_more_modules_than_the_bound_and_the_error_names_it() {
    let manager = Manager::builder().max_modules(2).build().unwrap();
    let one = manager.register_module("one").unwrap();
    let two = manager.register_module("two").unwrap();
    let error = manager.register_module("three").unwrap_err();
    assert_eq!(error.code(), ErrorCode::Exhausted);
    let told = error.to_string();
    assert!(
        told.contains("\"three\"") && told.contains("2 are") && told.contains("max_modules"),
        "{told}"
    );
    // One that is closing counts until nothing of it runs, and then no more.
    let task = one.task("t").start().unwrap();
    assert!(!one.close(Duration::ZERO).unwrap().is_complete());
    assert_eq!(
        manager.register_module("three").unwrap_err().code(),
        ErrorCode::Exhausted
    );
    drop(task);
    let three = manager.register_module("three").unwrap();
    assert_eq!(manager.modules().unwrap(), ["two", "three"]);
    assert!(manager.register_module("one").is_err());
    assert!(three.close(Duration::ZERO).unwrap().is_complete());
    manager.register_module("one").unwrap();
    assert!(two.close(Duration::ZERO).unwrap().is_complete());
}
