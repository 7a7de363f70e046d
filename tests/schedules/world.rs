//! A program at work on a real manager, and the history of what was asked and answered.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::schedules::program::{Elder, Op, Patience, Program, is_abortable, is_held};
use crate::schedules::reference::{How, MODULES};
use crate::schedules::virtuals::{Elsewhere, VIRTUAL};
use crate::{
    AbortGuard, Clock, CloseReport, DoneGuard, Error, ErrorCode, Filter, GoneReason, Kind, Manager,
    ManualClock, Module, Observer, SharedTask, State, Status, Task, Uuid,
};

pub const TTL: u64 = 10;
pub const USER_TTL: u64 = 100;

/// The ids that the host brings.
pub const BROUGHT: [Uuid; 2] = [Uuid::from_u128(1), Uuid::from_u128(2)];

/// An error as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub code: ErrorCode,
    pub gone: Option<(GoneReason, State)>,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self {
            code: error.code(),
            gone: error.gone(),
        }
    }
}

/// A status as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    pub state: State,
    pub is_aborted: bool,
    pub settled: bool,
    pub completed: u64,
    /// Live, succeeded, failed.
    pub children: (u64, u64, u64),
}

impl From<Status> for Seen {
    fn from(status: Status) -> Self {
        let counts = status.child_counts;
        Self {
            state: status.state,
            is_aborted: status.abort.is_some(),
            settled: status.settled,
            completed: status.progress.completed,
            children: (counts.live, counts.succeeded, counts.failed),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Done(Result<(), Fault>),
    Seen(Result<Seen, Fault>),
    Count(Result<usize, Fault>),
    /// Tasks that still run, or are listed, with their states.
    Tasks(Result<Vec<(Uuid, State)>, Fault>),
}

impl Answer {
    /// The error's, if it is one.
    pub fn code(&self) -> Option<ErrorCode> {
        let fault = match self {
            Self::Done(result) => result.as_ref().err(),
            Self::Seen(result) => result.as_ref().err(),
            Self::Count(result) => result.as_ref().err(),
            Self::Tasks(result) => result.as_ref().err(),
        };
        fault.map(|fault| fault.code)
    }
}

#[derive(Clone, Debug)]
pub enum What {
    Asked(Op),
    /// The completion callback of a task ran.
    Told {
        task: usize,
    },
    /// The completion callback of a module's virtual task ran.
    VirtualTold {
        module: usize,
    },
    /// The abort callback of a task ran.
    Interrupted {
        task: usize,
    },
}

/// One operation, from when it was invoked to when it answered.
#[derive(Clone, Debug)]
pub struct Event {
    pub lane: usize,
    pub what: What,
    pub answer: Answer,
    pub invoked: u64,
    pub answered: u64,
    /// Which registration of a module was meant: that of the event which was invoked then, or
    /// the first.
    pub registration: Option<u64>,
    /// Whether it named a task that is another thread's.
    pub by_id: bool,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            invoked, answered, ..
        } = self;
        let lane = match self.lane {
            usize::MAX => "callback".to_owned(),
            lane => format!("thread {lane}"),
        };
        let (what, answer) = (&self.what, &self.answer);
        write!(
            f,
            "{invoked:>4}-{answered:<4} {lane:<8} {what:?}: {answer:?}"
        )
    }
}

enum Owner {
    Single(Task),
    Shared(SharedTask),
}

pub struct World {
    pub manager: Manager,
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
            manager,
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
                crate::sync::thread::spawn(move || world.run(lane, owners, &ops))
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let resumers = std::mem::take(&mut *world.resumers.lock().unwrap());
        resumers
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        world.run(program.threads.len(), HashMap::new(), &epilogue(program));
        world.expect_empty_lists();
        world.run(program.threads.len(), HashMap::new(), &close(program));
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
        for name in self.manager.modules().unwrap_or_default() {
            self.manager.drain(&name).unwrap();
            let listed = self
                .manager
                .list(&name, &Filter::new().internal(true))
                .unwrap();
            assert!(
                listed.iter().all(|task| task.kind == Kind::Cluster),
                "all has ended, and is listed: {listed:?}"
            );
        }
    }

    /// After all has been let go of, nothing is left.
    fn expect_nothing(self, module: &Module) {
        let held = module.engine.realm.slots.taken();
        let held = held.iter().filter(|slot| slot.word.load().is_live());
        assert_eq!(held.count(), 0, "slots that somebody still refers to");
        assert!(self.manager.close(Duration::ZERO).unwrap().is_complete());
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

    fn run(self: &Arc<Self>, lane: usize, owners: HashMap<usize, Owner>, ops: &[Op]) {
        let mut mine = Mine {
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

    /// `None` if the task is not there to be asked, or the owner has gone.
    fn apply(self: &Arc<Self>, op: &Op, invoked: u64, mine: &mut Mine) -> Option<Answer> {
        match op {
            Op::Root { .. } | Op::Child { .. } => self.create(op, mine),
            Op::Start { task }
            | Op::Advance { task, .. }
            | Op::Check { task }
            | Op::Checkpoint { task }
            | Op::OnAbort { task } => self.own(op, *task, invoked, mine),
            Op::End { task, how } => end(mine.owners.remove(task)?, *how).map(done),
            Op::Abort { task } => match mine.owners.get(task) {
                Some(Owner::Single(owner)) => Some(done(owner.abort("enough"))),
                Some(Owner::Shared(owner)) => Some(done(owner.abort("enough"))),
                None => Some(done(self.manager.abort(self.id(*task)?, "enough"))),
            },
            Op::Status { .. } | Op::Tree { .. } | Op::Take { .. } | Op::Wait { .. } => {
                self.look(op)
            }
            Op::OnDone { task, keep } => self.on_done(*task, *keep, invoked, mine),
            Op::Suspend { task } => {
                let observer = self.manager.observe(self.id(*task)?);
                Some(done(observer.and_then(|observer| {
                    observer.suspend()?;
                    let resumer = crate::sync::thread::spawn(move || observer.resume().unwrap());
                    self.resumers.lock().unwrap().push(resumer);
                    Ok(())
                })))
            }
            Op::Resume { task } => Some(done(self.manager.resume(self.id(*task)?))),
            Op::List { .. }
            | Op::Drain { .. }
            | Op::Close { .. }
            | Op::CloseManager { .. }
            | Op::Register { .. }
            | Op::Provide { .. } => Some(self.module(op, invoked, mine)),
            Op::VirtualStatus { module } => {
                Some(done(self.manager.status(VIRTUAL[*module]).map(drop)))
            }
            Op::VirtualOnDone { module, keep } => {
                let (id, module) = (VIRTUAL[*module], *module);
                let f = self.told_later(What::VirtualTold { module }, invoked);
                let guard = self.manager.on_done(id, f);
                Some(Self::registered(guard, *keep, mine))
            }
            Op::SetTtl { seconds } => {
                let ttl = Duration::from_secs(*seconds);
                Some(done(self.manager.set_task_ttl(ttl).map(drop)))
            }
            Op::Pass { seconds } => {
                self.clock.advance(Duration::from_secs(*seconds));
                Some(done(Ok(())))
            }
            Op::Tick => {
                self.manager.tick();
                Some(done(Ok(())))
            }
        }
    }

    fn id(&self, task: usize) -> Option<Uuid> {
        self.known.lock().get(&task).map(|known| known.0)
    }

    fn observer(&self, task: usize) -> Option<Observer> {
        self.known.lock().get(&task)?.1.clone()
    }

    fn create(&self, op: &Op, mine: &mut Mine) -> Option<Answer> {
        let (number, start, host, builder) = match *op {
            Op::Root {
                number,
                module,
                user,
                start,
                host,
            } => {
                let builder = mine.modules[module].0.task("root");
                let builder = if user { builder.user_task() } else { builder };
                (number, start, host, builder)
            }
            Op::Child {
                number,
                parent,
                start,
                host,
            } => {
                let builder = match mine.owners.get(&parent) {
                    Some(Owner::Single(parent)) => parent.child("part"),
                    Some(Owner::Shared(parent)) => parent.child("part"),
                    // A child by its parent's id says of which module it is.
                    None => {
                        let id = self.id(parent)?;
                        mine.modules[0].0.task("part").parent_id(id)
                    }
                };
                (number, start, host, builder)
            }
            _ => unreachable!("{op:?} makes no task"),
        };
        let builder = match host {
            Some(host) => builder.id(BROUGHT[host]),
            None => builder,
        };
        let builder = match is_abortable(number) {
            true => builder.abortable(),
            false => builder,
        };
        let made = if start {
            builder.start()
        } else {
            builder.create()
        };
        Some(done(made.map(|task| {
            self.know(number, &task);
            mine.owners.insert(number, Owner::Single(task));
        })))
    }

    fn own(
        self: &Arc<Self>,
        op: &Op,
        task: usize,
        invoked: u64,
        mine: &mut Mine,
    ) -> Option<Answer> {
        let owner = mine.owners.get(&task)?;
        Some(match (op, owner) {
            (Op::Start { .. }, Owner::Single(owner)) => done(owner.start()),
            (Op::Start { .. }, Owner::Shared(_)) => return None,
            (Op::Advance { by, .. }, Owner::Single(owner)) => {
                owner.advance(*by);
                done(Ok(()))
            }
            (Op::Advance { by, .. }, Owner::Shared(owner)) => {
                owner.advance(*by);
                done(Ok(()))
            }
            (Op::Check { .. }, Owner::Single(owner)) => done(owner.check_abort()),
            (Op::Check { .. }, Owner::Shared(owner)) => done(owner.check_abort()),
            (Op::Checkpoint { .. }, Owner::Single(owner)) => done(owner.checkpoint()),
            (Op::Checkpoint { .. }, Owner::Shared(owner)) => done(owner.checkpoint()),
            (Op::OnAbort { .. }, owner) => {
                let (world, registered) = (Arc::downgrade(self), invoked);
                let f = move || {
                    let Some(world) = world.upgrade() else { return };
                    world.told(What::Interrupted { task }, registered, Answer::Done(Ok(())));
                };
                let guard = match owner {
                    Owner::Single(owner) => owner.on_abort(f),
                    Owner::Shared(owner) => owner.on_abort(f),
                };
                done(guard.map(|guard| mine.interrupted.push(guard)))
            }
            _ => unreachable!("{op:?} is no owner's"),
        })
    }

    fn told(&self, what: What, invoked: u64, answer: Answer) {
        let event = Event {
            lane: usize::MAX,
            what,
            answer,
            invoked,
            answered: self.tick(),
            registration: None,
            by_id: false,
        };
        self.record(event);
    }

    fn look(&self, op: &Op) -> Option<Answer> {
        let seen = |status: crate::Result<Status>| {
            Answer::Seen(status.map(Seen::from).map_err(Fault::from))
        };
        Some(match *op {
            Op::Status { task } => seen(self.manager.status(self.id(task)?)),
            Op::Take { task } => seen(self.manager.take_status(self.id(task)?)),
            Op::Tree { task } => {
                let tree = self.manager.status_tree(self.id(task)?);
                let tasks = tree.map(|tree| tree.into_iter().map(|at| (at.id, at.state)).collect());
                Answer::Tasks(tasks.map_err(Fault::from))
            }
            Op::Wait { task, patience } => {
                let observer = match self.observer(task) {
                    Some(observer) => observer,
                    None => match self.manager.observe(self.id(task)?) {
                        Ok(observer) => observer,
                        Err(error) => return Some(Answer::Seen(Err(error.into()))),
                    },
                };
                seen(match patience {
                    Patience::Endless => observer.wait(),
                    patience => observer.wait_timeout(timeout(patience)),
                })
            }
            _ => unreachable!("{op:?} is no look"),
        })
    }

    fn on_done(
        self: &Arc<Self>,
        task: usize,
        keep: bool,
        invoked: u64,
        mine: &mut Mine,
    ) -> Option<Answer> {
        let f = self.told_later(What::Told { task }, invoked);
        let guard = match self.observer(task) {
            Some(observer) => observer.on_done(f),
            None => self.manager.on_done(self.id(task)?, f),
        };
        Some(Self::registered(guard, keep, mine))
    }

    /// A completion callback that records what it is told.
    fn told_later(
        self: &Arc<Self>,
        what: What,
        invoked: u64,
    ) -> impl FnOnce(crate::Result<Status>) + Send + 'static {
        let world = Arc::downgrade(self);
        move |status| {
            let Some(world) = world.upgrade() else { return };
            let answer = Answer::Seen(status.map(Seen::from).map_err(Fault::from));
            world.told(what, invoked, answer);
        }
    }

    fn registered(guard: crate::Result<DoneGuard>, keep: bool, mine: &mut Mine) -> Answer {
        done(guard.map(|guard| match keep {
            true => mine.told.push(guard),
            false => drop(guard),
        }))
    }

    fn module(&self, op: &Op, invoked: u64, mine: &mut Mine) -> Answer {
        match *op {
            Op::List { module } => {
                let listing = mine.modules[module]
                    .0
                    .listing(&Filter::new().internal(true));
                let tasks = listing.and_then(|mut listing| match listing.missing.pop() {
                    None => Ok(listing.tasks.iter().map(|at| (at.id, at.state)).collect()),
                    Some(missing) => Err(missing.error),
                });
                Answer::Tasks(tasks.map_err(Fault::from))
            }
            Op::Drain { module } => {
                Answer::Count(mine.modules[module].0.drain().map_err(Fault::from))
            }
            Op::Close { module, patience } => {
                still_running(mine.modules[module].0.close(timeout(patience)))
            }
            Op::CloseManager { patience } => still_running(self.manager.close(timeout(patience))),
            Op::Provide { module } => {
                let provider = Elsewhere::new(module);
                done(mine.modules[module].0.register_provider(provider))
            }
            Op::Register { module } => {
                let registered = self.manager.register_module(MODULES[module]);
                done(
                    registered.map(|registered| mine.modules[module] = (registered, Some(invoked))),
                )
            }
            _ => unreachable!("{op:?} is about no module"),
        }
    }
}

fn timeout(patience: Patience) -> Duration {
    match patience {
        Patience::Zero => Duration::ZERO,
        Patience::Some => Duration::from_secs(1),
        Patience::Endless => Duration::MAX,
    }
}

fn still_running(report: crate::Result<CloseReport>) -> Answer {
    let tasks = report.map(|report| {
        let running = report.still_running.iter();
        running.map(|at| (at.id, at.state)).collect()
    });
    Answer::Tasks(tasks.map_err(Fault::from))
}

fn end(owner: Owner, how: How) -> Option<crate::Result<()>> {
    Some(match (owner, how) {
        (Owner::Single(owner), How::Finish) => owner.finish(),
        (Owner::Single(owner), How::Fail) => owner.fail("failed"),
        (Owner::Single(owner), How::Drop) => {
            drop(owner);
            Ok(())
        }
        (Owner::Shared(owner), How::Finish) => owner.finish(),
        // A drop of one of several ends nothing, which is nothing to ask about.
        (Owner::Shared(owner), How::Fail | How::Drop) => owner.fail("failed"),
    })
}

fn done(result: crate::Result<()>) -> Answer {
    Answer::Done(result.map_err(Fault::from))
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
