//! What a manager or a module leaves goes to the next: whoever has a handle of the one before
//! learns that it is closed, and does nothing to its successor.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::PATIENCE;
use taskmgr::{
    BoxError, Completion, ErrorCode, Filter, Manager, Module, Provider, Result, State, Stats,
    Status, Task, Uuid,
};

const NOW: Duration = Duration::ZERO;

fn manager(node: &str) -> Manager {
    Manager::builder().node(node).build().unwrap()
}

/// A manager that works, with one task that runs and one that is kept.
struct Successor {
    manager: Manager,
    module: Module,
    runs: Task,
    kept: Uuid,
}

impl Successor {
    fn of(manager: Manager, name: &str) -> Self {
        let module = manager.register_module(name).unwrap();
        let kept = module.task("kept").user_task().start().unwrap();
        let id = kept.id();
        kept.finish().unwrap();
        let runs = module.task("runs").start().unwrap();
        Self {
            manager,
            module,
            runs,
            kept: id,
        }
    }

    fn check(&self) {
        assert!(!self.runs.abort_requested());
        let kept = self.manager.status(self.kept).unwrap();
        assert_eq!(
            (kept.state, &*kept.module),
            (State::Done, self.module.name())
        );
        assert_eq!(self.module.list(&Filter::new()).unwrap().len(), 2);
        assert_eq!(self.manager.modules().unwrap(), [self.module.name()]);
    }
}

/// Managers in whatever those before have left.
fn successors() -> Vec<Successor> {
    // So many that all that was left is looked through.
    let between: Vec<Manager> = (0..100).map(|_| manager("between")).collect();
    drop(between);
    let successor = |_| Successor::of(manager("after"), "after");
    (0..200).map(successor).collect()
}

/// Has one task, which never ends.
struct Remote;

const REMOTE: Uuid = Uuid::from_u128(7);

impl Provider for Remote {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(Vec::new())
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        Ok((id == REMOTE).then(|| Status::new(id, "remote")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, completion: Completion) -> Result<(), BoxError> {
        // Told by nobody, and never dropped.
        static KEPT: Mutex<Vec<Completion>> = Mutex::new(Vec::new());
        KEPT.lock().unwrap().push(completion);
        Ok(())
    }
}

#[test]
fn mod_1_handles_of_a_manager_that_is_gone_do_nothing_to_the_next() {
    let before = manager("before");
    let module = before.register_module("before").unwrap();
    let builder = module.task("late");
    drop(before);
    let successors = successors();
    assert!(module.list(&Filter::new()).unwrap_err().is_closed());
    assert!(module.drain().unwrap_err().is_closed());
    assert!(module.register_provider(Remote).unwrap_err().is_closed());
    assert!(module.close(NOW).unwrap_err().is_closed(), "nobody had");
    assert!(builder.start().unwrap_err().is_closed());
    assert!(module.task("t").id(REMOTE).start().unwrap_err().is_closed());
    let runs = &successors[0].runs;
    assert!(runs.child("t").module(&module).start().is_err());
    assert_eq!(module.name(), "before");
    successors.iter().for_each(Successor::check);
}

/// Has no task, and counts who asks.
struct Asked(Arc<AtomicUsize>);

impl Provider for Asked {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(Vec::new())
    }
    fn status(&self, _: Uuid) -> Result<Option<Status>, BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn mod_1_a_task_of_a_manager_that_is_gone_asks_nobody_for_its_parent() {
    let before = manager("before");
    let module = before.register_module("before").unwrap();
    drop(before);
    let successors = successors();
    let asked = Arc::new(AtomicUsize::new(0));
    for successor in &successors {
        let provider = Asked(Arc::clone(&asked));
        successor.module.register_provider(provider).unwrap();
    }
    let child = module.task("t").parent_id(REMOTE);
    assert!(child.start().unwrap_err().is_closed());
    let child = module.task("t").parent_id(REMOTE).id(Uuid::from_u128(8));
    assert!(child.start().unwrap_err().is_closed());
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    successors.iter().for_each(Successor::check);
}

#[test]
fn mod_1_a_module_that_was_closed_before_its_manager_stays_closed() {
    let before = manager("before");
    let module = before.register_module("before").unwrap();
    module.close(NOW).unwrap();
    drop(before);
    let successors = successors();
    assert!(module.close(NOW).unwrap().is_complete());
    successors.iter().for_each(Successor::check);
}

#[test]
fn life_7_a_task_of_a_manager_that_is_gone_shows_what_it_was() {
    let before = manager("before");
    let module = before.register_module("before").unwrap();
    let root = module.task("root").start().unwrap();
    let child = root.child("part").entity("e").start().unwrap();
    let (settled, ended) = (child.observe(), child.id());
    child.finish().unwrap();
    let runs = module.task("runs").start().unwrap();
    drop(before);
    let successors = successors();
    successors.iter().for_each(Successor::check);
    let status = settled.status().unwrap();
    assert_eq!((&*status.module, &*status.entity), ("before", "e"));
    let status = root.observe().status().unwrap();
    assert_eq!(&*status.module, "before");
    assert_eq!(status.children[0].task_id, ended);
    assert_eq!(&*status.children[0].node, "before");
    assert!(root.finish().unwrap_err().is_aborted());
    assert!(runs.child("t").start().unwrap_err().is_closed());
    drop(runs);
    assert!(settled.status().unwrap().settled);
    successors.iter().for_each(Successor::check);
}

#[test]
fn life_7_a_handle_of_a_task_that_has_ended_keeps_what_its_manager_was() {
    let before = manager("before");
    let module = before.register_module("before").unwrap();
    let root = module.task("root").start().unwrap();
    root.child("part").start().unwrap().finish().unwrap();
    let observer = root.observe();
    root.finish().unwrap();
    drop(before);
    let successors = successors();
    let status = observer.status().unwrap();
    assert_eq!(&*status.module, "before");
    assert_eq!(&*status.children[0].node, "before");
    drop(observer);
    successors.iter().for_each(Successor::check);
}

#[test]
fn wait_5_callbacks_of_a_manager_that_is_gone_take_nobody_elses_back() {
    let before = manager("before");
    let module = before.register_module("before").unwrap();
    module.register_provider(Remote).unwrap();
    let remote = before.observe(REMOTE).unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    let tell = || {
        let told = Arc::clone(&told);
        move |status: Result<Status>| {
            assert!(status.unwrap_err().is_closed());
            told.fetch_add(1, Ordering::SeqCst);
        }
    };
    let guard = remote.on_done(tell()).unwrap();
    drop(before);
    assert_eq!(told.load(Ordering::SeqCst), 1);
    let successors = successors();
    let waiting = successors.iter().map(|next| {
        next.module.register_provider(Remote).unwrap();
        let theirs = next.manager.observe(REMOTE).unwrap();
        let local = next.module.task("local").parent_id(REMOTE).start().unwrap();
        assert_eq!(theirs.status().unwrap().children.len(), 1);
        theirs.on_done(tell()).unwrap().forget();
        local
    });
    let locals: Vec<Task> = waiting.collect();
    drop(guard);
    if let Ok(status) = remote.status() {
        assert!(status.children.is_empty(), "they are of other managers");
    }
    assert!(remote.on_done(tell()).is_ok_and(|guard| {
        guard.forget();
        true
    }));
    assert_eq!(told.load(Ordering::SeqCst), 2);
    drop(locals);
    let count = successors.len();
    drop(successors);
    assert_eq!(told.load(Ordering::SeqCst), 2 + count);
}

#[test]
fn mod_1_a_module_takes_what_one_of_another_name_has_left() {
    let node = manager("node");
    let before = node.register_module("before").unwrap();
    let task = before.task("t").start().unwrap();
    let observer = task.observe();
    let virtual_id = Uuid::from_u128(9);
    drop(task);
    assert!(before.close(PATIENCE).unwrap().is_complete());
    let others: Vec<Module> = (0..100)
        .map(|number| node.register_module(&format!("after {number}")).unwrap())
        .collect();
    let tasks: Vec<Task> = others
        .iter()
        .map(|module| module.task("t").start().unwrap())
        .collect();
    assert_eq!(&*observer.status().unwrap().module, "before");
    assert_eq!(before.name(), "before");
    assert!(before.close(PATIENCE).unwrap().is_complete());
    assert!(before.list(&Filter::new()).unwrap_err().is_closed());
    assert!(before.drain().unwrap_err().is_closed());
    assert!(before.task("t").start().unwrap_err().is_closed());
    let late = before.task("t").id(virtual_id).start();
    assert!(late.unwrap_err().is_closed());
    for (module, task) in others.iter().zip(&tasks) {
        assert!(!task.abort_requested());
        assert_eq!(&*task.status().unwrap().module, module.name());
        assert_eq!(module.list(&Filter::new()).unwrap().len(), 1);
        assert_eq!(task.status().unwrap().sequence_number, 1);
    }
}

#[test]
fn mod_1_a_handle_of_an_earlier_registration_closes_nothing_of_another_manager() {
    let (first, second) = (manager("first"), manager("second"));
    let before = first.register_module("before").unwrap();
    before.close(NOW).unwrap();
    let others: Vec<(Module, Task)> = (0..100)
        .map(|number| {
            let module = second.register_module(&format!("after {number}")).unwrap();
            let task = module.task("t").start().unwrap();
            (module, task)
        })
        .collect();
    others[0].0.register_provider(Remote).unwrap();
    for (module, _) in &others {
        assert!(!module.close(NOW).unwrap().is_complete());
    }
    assert!(before.drain().unwrap_err().is_closed());
    assert!(before.list(&Filter::new()).unwrap_err().is_closed());
    assert!(before.close(PATIENCE).unwrap().is_complete());
    assert_eq!(second.modules().unwrap().len(), others.len());
    second.observe(REMOTE).unwrap();
    for (module, task) in others {
        let taken = second.register_module(module.name()).unwrap_err();
        assert_eq!(taken.code(), ErrorCode::ModuleExists);
        drop(task);
        second.register_module(module.name()).unwrap();
    }
}

#[test]
fn mod_1_modules_of_managers_that_are_gone_are_used_again_once_nothing_of_them_runs() {
    let before = manager("before");
    let module = before.register_module("before").unwrap();
    let root = module.task("root").start().unwrap();
    let child = root.child("child").start().unwrap();
    drop((before, root));
    let successors = successors();
    assert!(child.abort_requested());
    assert_eq!(&*child.status().unwrap().module, "before");
    assert!(child.finish().unwrap_err().is_aborted());
    for next in successors {
        next.check();
        assert!(!next.manager.close(NOW).unwrap().is_complete());
        drop(next.runs);
        assert!(next.manager.close(NOW).unwrap().is_complete());
    }
}
