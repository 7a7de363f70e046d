//! The library's own threads: no more of them than are needed, and none after the last close
//! (ttl_2). One test, as the threads of a process have no owner that tells them apart.
#![cfg(target_os = "linux")]

#[path = "common/child.rs"]
mod child;
mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use child::in_child;
use common::{PATIENCE, seconds, until};
use taskmgr::{
    BoxError, Completion, ErrorCode, Filter, Manager, Module, Provider, Stats, Status, Uuid,
};

/// How many threads the process has whose names, of which the system keeps 15 bytes, begin so.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    // One may go while it is looked at.
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|other| other.starts_with(name)).count()
}

fn none_is_left() {
    // The system says that a thread is gone a moment before it takes it off its list.
    until("no thread is left", || threads("taskmgr-") == 0);
}

/// A manager that keeps a root.
fn keeper() -> (Manager, Module) {
    let manager = Manager::builder().task_ttl(seconds(3600)).build().unwrap();
    let module = manager.register_module("m").unwrap();
    module.task("t").start().unwrap().finish().unwrap();
    (manager, module)
}

#[test]
fn ttl_2_the_threads_of_the_library_are_few_and_end_with_the_last_manager() {
    one_thread_serves_all_managers();
    a_drop_ends_it_too();
    a_provider_that_answers_is_waited_for();
    a_provider_that_is_late_is_not();
    a_close_on_a_thread_of_the_library_waits_for_none();
    a_forked_child_has_its_own();
}

fn one_thread_serves_all_managers() {
    // The second time it is begun again.
    for _ in 0..2 {
        let managers: Vec<_> = (0..100).map(|_| keeper()).collect();
        until("it has begun", || threads("taskmgr-reaper") == 1);
        for (manager, _) in &managers {
            assert_eq!(threads("taskmgr-reaper"), 1);
            assert!(manager.close(Duration::ZERO).unwrap().is_complete());
        }
        none_is_left();
    }
}

fn a_drop_ends_it_too() {
    drop(keeper());
    none_is_left();
    // What a drop has not waited for, the next close does.
    let (manager, _) = keeper();
    drop(keeper());
    drop(manager);
    let manager = Manager::builder().build().unwrap();
    assert!(manager.close(Duration::ZERO).unwrap().is_complete());
    none_is_left();
}

/// A provider whose list does what it is told to.
struct Host<F>(F);

impl<F: Fn() + Send + Sync + 'static> Provider for Host<F> {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        (self.0)();
        Ok(Vec::new())
    }
    fn status(&self, _: Uuid) -> Result<Option<Status>, BoxError> {
        Ok(None)
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Ok(())
    }
}

fn a_provider_that_answers_is_waited_for() {
    let manager = Manager::builder()
        .provider_deadline(PATIENCE)
        .build()
        .unwrap();
    let module = manager.register_module("m").unwrap();
    let (asked, is_asked) = mpsc::channel();
    let came_back = Arc::new(AtomicBool::new(false));
    let (theirs, flag) = (manager.clone(), Arc::clone(&came_back));
    let host = Host(move || {
        asked.send(()).unwrap();
        until("the manager is closed", || theirs.modules().is_err());
        flag.store(true, Ordering::SeqCst);
    });
    module.register_provider(host).unwrap();
    let asker = std::thread::spawn(move || module.list(&Filter::new()));
    is_asked.recv().unwrap();
    assert!(manager.close(PATIENCE).unwrap().is_complete());
    assert!(came_back.load(Ordering::SeqCst), "it is at work still");
    let _ = asker.join().unwrap();
    none_is_left();
}

fn a_provider_that_is_late_is_not() {
    let deadline = Duration::from_millis(1);
    let manager = Manager::builder()
        .provider_deadline(deadline)
        .build()
        .unwrap();
    let module = manager.register_module("m").unwrap();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let host = Host(move || {
        let _ = released.lock().unwrap().recv();
    });
    module.register_provider(host).unwrap();
    assert!(!module.listing(&Filter::new()).unwrap().is_complete());
    // Would it wait, it would not return.
    assert!(manager.close(Duration::MAX).unwrap().is_complete());
    assert_eq!(threads("taskmgr-provide"), 1);
    drop(release);
    none_is_left();
}

fn a_close_on_a_thread_of_the_library_waits_for_none() {
    let (manager, module) = keeper();
    let (theirs, closed) = (manager.clone(), Arc::new(OnceLock::new()));
    let answers = Arc::clone(&closed);
    let host = Host(move || {
        let patient = theirs.close(PATIENCE).unwrap_err().code();
        let hurried = theirs.close(Duration::ZERO).unwrap().is_complete();
        answers.set((patient, hurried)).unwrap();
    });
    module.register_provider(host).unwrap();
    let _ = module.list(&Filter::new());
    until("it has closed the manager", || closed.get().is_some());
    assert_eq!(*closed.get().unwrap(), (ErrorCode::WouldDeadlock, true));
    assert!(manager.close(PATIENCE).unwrap().is_complete());
    none_is_left();
}

fn a_forked_child_has_its_own() {
    let (manager, _module) = keeper();
    until("it has begun", || threads("taskmgr-reaper") == 1);
    let all = || threads("");
    let _ = in_child(|step| {
        assert_eq!(all(), 1);
        for _ in 0..2 {
            step.at("keep");
            let (manager, _) = keeper();
            until("it has begun", || all() == 2);
            step.at("close");
            assert!(manager.close(Duration::ZERO).unwrap().is_complete());
            until("it has ended", || all() == 1);
        }
    });
    assert!(manager.close(Duration::ZERO).unwrap().is_complete());
    none_is_left();
}
