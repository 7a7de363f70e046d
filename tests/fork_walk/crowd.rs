//! Threads that are at everything there is, as often as they can.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use taskmgr::{
    BoxError, Completion, Filter, Manager, Module, Observer, Provider, Stats, Status, Task, Uuid,
};

use super::Handles;
use super::common::{Dice, seconds};

pub(crate) const VIRTUAL: Uuid = Uuid::from_u128(0xf0);

/// Has one task, answers at once, and keeps the watches.
#[derive(Clone)]
pub(crate) struct Remote {
    id: Uuid,
    watches: Arc<Mutex<Vec<Completion>>>,
}

impl Remote {
    pub(crate) fn new(id: Uuid) -> Self {
        Self {
            id,
            watches: Arc::default(),
        }
    }
}

impl Provider for Remote {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(vec![Stats::new(self.id, "remote")])
    }
    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        Ok((id == self.id).then(|| Status::new(id, "remote")))
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
        self.watches.lock().unwrap().push(done);
        Ok(())
    }
}

pub(crate) struct Crowd {
    manager: Manager,
    module: Module,
    remote: Remote,
    over: Arc<AtomicBool>,
    /// Tasks that all are at, those of the handles among them.
    targets: Arc<Mutex<Vec<Observer>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    pub(crate) fn gather() -> Self {
        let manager = Manager::builder()
            .node("here")
            .task_ttl(Duration::from_millis(1));
        let manager = manager.provider_deadline(seconds(60)).build().unwrap();
        let module = manager.register_module("walked").unwrap();
        let remote = Remote::new(VIRTUAL);
        module.register_provider(remote.clone()).unwrap();
        let mut crowd = Self {
            manager,
            module,
            remote,
            over: Arc::default(),
            targets: Arc::default(),
            threads: Vec::new(),
        };
        crowd.keep_at(look);
        crowd.keep_at(call);
        crowd.keep_at(work);
        crowd.keep_at(register);
        crowd
    }

    fn keep_at(&mut self, act: fn(&Manager, &Module, &[Observer], &mut Dice)) {
        let (manager, module) = (self.manager.clone(), self.module.clone());
        let (over, targets) = (Arc::clone(&self.over), Arc::clone(&self.targets));
        let mut dice = Dice(self.threads.len() as u64 * 7919 + 1);
        self.threads.push(std::thread::spawn(move || {
            while !over.load(Ordering::SeqCst) {
                let targets = targets.lock().unwrap().clone();
                for _ in 0..20 {
                    act(&manager, &module, &targets, &mut dice);
                }
            }
        }));
    }

    /// Handles of new tasks, to which the crowd goes over.
    pub(crate) fn handles(&self) -> Handles {
        let start = |id: Option<Uuid>| {
            let task = self.module.task("t").total(9, "rows");
            let task = task.entity("an entity that is too long for a label of its task's");
            match id {
                Some(id) => task.id(id).start().unwrap(),
                None => task.start().unwrap(),
            }
        };
        let tasks = [start(None), start(Some(Uuid::new_v4()))];
        let shared = [start(None), start(Some(Uuid::new_v4()))].map(Task::share);
        let reporters = [tasks[0].reporter(), tasks[1].reporter()];
        let observers = [tasks[0].observe(), tasks[1].observe()];
        let remote = self.manager.observe(VIRTUAL).unwrap();
        let aborts = [0, 1].map(|at| tasks[at].on_abort(|| {}).unwrap());
        let spawned = [0, 1].map(|at| {
            let (over, child) = (Arc::clone(&self.over), tasks[at].child("spawned"));
            let work = move |_: &Task| {
                while !over.load(Ordering::SeqCst) {
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                Ok(())
            };
            child.start().unwrap().spawn(work).unwrap()
        });
        let done = [observers[0].clone(), observers[1].clone(), remote.clone()];
        let done = done.map(|observer| observer.on_done(drop).unwrap());
        let watch = remote.on_done(drop).unwrap();
        let mut kept = self.remote.watches.lock().unwrap();
        let (second, first) = (kept.pop().unwrap(), kept.pop().unwrap());
        kept.clear();
        drop(kept);
        watch.forget();
        let mut targets = self.targets.lock().unwrap();
        targets.clear();
        targets.extend(observers.iter().cloned());
        targets.extend(shared.iter().map(|shared| shared.observe()));
        drop(targets);
        let ids = [VIRTUAL, VIRTUAL, tasks[0].id(), tasks[1].id()];
        Handles {
            builder: self.module.task("t"),
            manager: self.manager.clone(),
            module: self.module.clone(),
            tasks,
            reporters,
            shared,
            observers,
            remote,
            aborts,
            done,
            spawned,
            completions: [first, second],
            searches: ids.map(|id| self.manager.search(id, None)),
        }
    }

    pub(crate) fn go(self, handles: Handles) {
        self.over.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().unwrap();
        }
        drop(handles);
    }
}

/// The locks of the tasks that the handles are of.
fn look(manager: &Manager, module: &Module, targets: &[Observer], dice: &mut Dice) {
    let Some(target) = dice.pick(targets) else {
        return;
    };
    match dice.roll(6) {
        0 => drop(target.status().unwrap()),
        1 => drop(target.status_tree().unwrap()),
        2 => drop(manager.status(target.id())),
        3 => drop(module.list(&Filter::new().internal(true).limit(50))),
        4 => drop(manager.list("walked", &Filter::new())),
        _ => drop(target.wait_timeout(Duration::from_micros(10))),
    }
}

fn call(_: &Manager, _: &Module, targets: &[Observer], dice: &mut Dice) {
    let Some(target) = dice.pick(targets) else {
        return;
    };
    match dice.roll(4) {
        0 => drop(target.on_done(drop).unwrap()),
        1 => target.suspend().unwrap(),
        _ => drop(target.status().unwrap()),
    }
    target.resume().unwrap();
}

fn work(manager: &Manager, module: &Module, _: &[Observer], dice: &mut Dice) {
    let id = Uuid::from_u128(dice.0.into());
    let root = module.task("t").id(id).abortable().start().unwrap();
    let guard = root.on_abort(|| {}).unwrap();
    for at in 0..dice.roll(8) {
        let child = root.child("c").entity("e").start().unwrap();
        child.reporter().advance(1);
        match at % 3 {
            0 => child.share().finish().unwrap(),
            1 => child.fail("failed").unwrap(),
            _ => child.finish().unwrap(),
        }
    }
    match dice.roll(3) {
        0 => root.abort("enough").unwrap(),
        1 => drop(manager.abort(id, "enough")),
        _ => {}
    }
    drop((guard, root));
    drop(manager.take_status(id));
}

fn register(manager: &Manager, _: &Module, _: &[Observer], dice: &mut Dice) {
    let name = ["one", "two"][dice.roll(2)];
    let Ok(module) = manager.register_module(name) else {
        return;
    };
    // A task of its own: who asks for the crowd's is told by the one who keeps its watches.
    let remote = Remote::new(Uuid::from_u128(0xf1));
    module.register_provider(remote).unwrap();
    let task = module.task("t").user_task().start().unwrap();
    let guard = task.observe().on_done(drop).unwrap();
    drop((task, guard));
    drop(module.close(seconds(60)));
    if dice.roll(20) == 0 {
        let other = Manager::builder().build().unwrap();
        let module = other.register_module("m").unwrap();
        let _ = module.task("t").start().unwrap().finish();
    }
}
