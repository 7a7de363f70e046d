//! A program at work on a real manager.

mod acts;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::schedules::history::{Event, What};
use crate::schedules::program::{Elder, Op, Patience, Program, is_abortable, is_held};
use crate::schedules::reference::MODULES;
use crate::schedules::virtuals::Elsewhere;
use crate::{
    AbortGuard, Clock, DoneGuard, Filter, Kind, Manager, ManualClock, Module, Observer, SharedTask,
    Task, Uuid,
};

pub const TTL: u64 = 10;
pub const USER_TTL: u64 = 100;

/// The ids that the host brings.
pub const BROUGHT: [Uuid; 2] = [Uuid::from_u128(1), Uuid::from_u128(2)];

enum Owner {
    Single(Task),
    Shared(SharedTask),
}

pub struct World {
    /// Unless the threads alone have it.
    manager: Option<Manager>,
    clock: ManualClock,
    modules: [Module; 2],
    now: AtomicU64,
    pub history: Mutex<Vec<Event>>,
    told: Mutex<Vec<DoneGuard>>,
    resumers: Mutex<Vec<shuttle::thread::JoinHandle<()>>>,
    /// The ids that are known, and observers of some.
    known: crate::sync::Lock<HashMap<usize, (Uuid, Option<Observer>)>>,
}

/// What a thread holds.
struct Mine {
    manager: Option<Manager>,
    owners: HashMap<usize, Owner>,
    modules: [(Module, Option<u64>); 2],
    told: Vec<DoneGuard>,
    interrupted: Vec<AbortGuard>,
}

impl World {
    /// Runs the program to its end, and returns the history and each task's id.
    pub fn play(program: &Program) -> (Vec<Event>, HashMap<usize, Uuid>) {
        let clock = ManualClock::new();
        let manager = Manager::builder()
            .clock(Clock::Manual(clock.clone()))
            .task_ttl(Duration::from_secs(TTL))
            .user_task_ttl(Duration::from_secs(USER_TTL))
            .max_live_tasks(program.most_live)
            // No clock decides about an answer.
            .provider_deadline(Duration::MAX)
            .build()
            .unwrap();
        let modules = MODULES.map(|name| manager.register_module(name).unwrap());
        for (number, module) in modules.iter().enumerate() {
            if program.provided[number] {
                module.register_provider(Elsewhere::new(number)).unwrap();
            }
        }
        let module = modules[0].clone();
        let world = Arc::new(Self {
            manager: (!program.drops).then(|| manager.clone()),
            clock,
            modules,
            now: AtomicU64::new(0),
            history: Mutex::default(),
            told: Mutex::default(),
            resumers: Mutex::default(),
            known: crate::sync::Lock::default(),
        });
        let owners = world.elders(&program.elders, program.threads.len());
        let threads: Vec<_> = owners
            .into_iter()
            .enumerate()
            .map(|(lane, owners)| {
                let (world, ops) = (Arc::clone(&world), program.threads[lane].clone());
                let manager = Some(manager.clone());
                crate::sync::thread::spawn(move || world.run(lane, manager, owners, &ops))
            })
            .collect();
        drop(manager);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let resumers = std::mem::take(&mut *world.resumers.lock().unwrap());
        resumers
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let last = |ops: Vec<Op>| {
            let manager = world.manager.clone();
            world.run(program.threads.len(), manager, HashMap::new(), &ops);
        };
        last(epilogue(program));
        world.expect_empty_lists();
        last(close(program));
        let history = std::mem::take(&mut *world.history.lock().unwrap());
        let known = std::mem::take(&mut *world.known.lock());
        let ids = known.iter().map(|(task, (id, _))| (*task, *id)).collect();
        drop(known);
        let told = std::mem::take(&mut *world.told.lock().unwrap());
        drop(told);
        let world = Arc::into_inner(world).expect("all threads have gone");
        world.expect_nothing(&module);
        (history, ids)
    }

    /// After all has ended and been drained, nothing is listed.
    fn expect_empty_lists(&self) {
        // One that is closed lists none.
        let Some(manager) = &self.manager else { return };
        for name in manager.modules().unwrap_or_default() {
            manager.drain(&name).unwrap();
            let listed = manager.list(&name, &Filter::new().internal(true)).unwrap();
            assert!(
                listed.iter().all(|task| task.kind == Kind::Cluster),
                "all has ended, and is listed: {listed:?}"
            );
        }
    }

    /// After all has been let go of, nothing is left.
    fn expect_nothing(self, module: &Module) {
        let held = module.engine.realm.slots.taken(|slot| slot);
        let held = held.iter().filter(|slot| slot.word.load().is_live());
        assert_eq!(held.count(), 0, "slots that somebody still refers to");
        if let Some(manager) = self.manager {
            assert!(manager.close(Duration::ZERO).unwrap().is_complete());
        }
    }

    fn elders(&self, elders: &[Elder], threads: usize) -> Vec<HashMap<usize, Owner>> {
        let mut owners: Vec<HashMap<usize, Owner>> = (0..threads).map(|_| HashMap::new()).collect();
        let mut made: Vec<Task> = Vec::new();
        for (number, elder) in elders.iter().enumerate() {
            let mut builder = self.modules[elder.module].task("elder");
            if let Some(parent) = elder.parent {
                builder = builder.parent(&made[parent]);
            }
            if elder.user {
                builder = builder.user_task();
            }
            if is_abortable(number) {
                builder = builder.abortable();
            }
            let task = builder.create().unwrap();
            if elder.start {
                task.start().unwrap();
            }
            self.know(number, &task);
            made.push(task);
        }
        for (number, (elder, task)) in elders.iter().zip(made).enumerate() {
            match elder.owners[..] {
                [owner] => drop(owners[owner].insert(number, Owner::Single(task))),
                ref several => {
                    let shared = task.share();
                    for owner in several {
                        owners[*owner].insert(number, Owner::Shared(shared.clone()));
                    }
                }
            }
        }
        owners
    }

    fn know(&self, number: usize, task: &Task) {
        let observer = is_held(number).then(|| task.observe());
        let known = (task.id(), observer);
        self.known.lock().insert(number, known);
    }

    fn tick(&self) -> u64 {
        self.now.fetch_add(1, Relaxed)
    }

    fn run(
        self: &Arc<Self>,
        lane: usize,
        manager: Option<Manager>,
        owners: HashMap<usize, Owner>,
        ops: &[Op],
    ) {
        let mut mine = Mine {
            manager,
            owners,
            modules: self.modules.clone().map(|module| (module, None)),
            told: Vec::new(),
            interrupted: Vec::new(),
        };
        for op in ops {
            let invoked = self.tick();
            let registration = module_of(op).and_then(|module| mine.modules[module].1);
            let by_id = match op {
                Op::Child { parent, .. } => !mine.owners.contains_key(parent),
                Op::Abort { task } => !mine.owners.contains_key(task),
                _ => false,
            };
            let Some(answer) = self.apply(op, invoked, &mut mine) else {
                continue;
            };
            self.record(Event {
                lane,
                what: What::Asked(op.clone()),
                answer,
                invoked,
                answered: self.tick(),
                registration,
                by_id,
            });
        }
        // Whoever is to hear of an end is not forgotten with this thread.
        self.told.lock().unwrap().append(&mut mine.told);
    }

    fn record(&self, event: Event) {
        self.history.lock().unwrap().push(event);
    }

    fn id(&self, task: usize) -> Option<Uuid> {
        self.known.lock().get(&task).map(|known| known.0)
    }

    fn observer(&self, task: usize) -> Option<Observer> {
        self.known.lock().get(&task)?.1.clone()
    }
}

/// The module that an operation names through a handle.
pub fn module_of(op: &Op) -> Option<usize> {
    match *op {
        Op::Root { module, .. }
        | Op::List { module }
        | Op::Drain { module }
        | Op::Provide { module }
        | Op::Close { module, .. } => Some(module),
        // One by its parent's id.
        Op::Child { .. } => Some(0),
        _ => None,
    }
}

/// What is asked once all threads have gone.
fn epilogue(program: &Program) -> Vec<Op> {
    let all = || (0..program.tasks).map(|task| Op::Status { task });
    let later = Op::Pass { seconds: 1000 };
    all().chain([later]).chain(all()).collect()
}

/// And then the manager is closed.
fn close(program: &Program) -> Vec<Op> {
    let close = Op::CloseManager {
        patience: Patience::Zero,
    };
    let all = (0..program.tasks).map(|task| Op::Status { task });
    [close].into_iter().chain(all).collect()
}
