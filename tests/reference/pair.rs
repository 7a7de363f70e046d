//! The model and a real manager side by side, and what each operation must answer.

use std::time::Duration;

use taskmgr::{
    Clock, ErrorCode, GoneReason, Manager, ManualClock, Module, Reporter, Task, TaskBuilder, Uuid,
};

use super::ops::Op;
use super::{Bounds, Fate, GivenId, How, MODULES, Model, Wish};

/// A task has the same number in both.
pub struct Pair {
    pub model: Model,
    pub manager: Manager,
    clock: ManualClock,
    modules: [Option<Module>; 2],
    pub owners: Vec<Option<Task>>,
    reporters: Vec<(usize, Reporter)>,
}

impl Pair {
    pub fn new(bounds: Bounds, remembers: bool) -> Self {
        let clock = ManualClock::new();
        let manager = Manager::builder()
            .clock(Clock::Manual(clock.clone()))
            .task_ttl(Duration::from_secs(10))
            .user_task_ttl(Duration::from_secs(100))
            .max_kept_children(bounds.per_parent)
            .max_kept_per_root(bounds.per_root)
            .max_live_tasks(bounds.live)
            .tombstones(if remembers { 4096 } else { 0 })
            .build()
            .unwrap();
        let modules = MODULES.map(|name| Some(manager.register_module(name).unwrap()));
        Self {
            model: Model::new(bounds, remembers),
            manager,
            clock,
            modules,
            owners: Vec::new(),
            reporters: Vec::new(),
        }
    }

    fn pick(&self, number: usize) -> Option<usize> {
        let len = self.owners.len();
        (len > 0).then(|| number % len)
    }

    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Root { wish, start } => self.create(None, false, wish, *start),
            Op::Child {
                parent,
                by_id,
                wish,
                start,
            } => {
                if let Some(parent) = self.pick(*parent) {
                    self.create(Some(parent), *by_id, wish, *start);
                }
            }
            Op::Start { task } => self.with_owner(*task, Self::start),
            Op::End { task, how } => self.with_owner(*task, |pair, task| pair.end(task, *how)),
            Op::Abort { task, by_owner } => self.abort(*task, *by_owner),
            Op::Take { task } => self.take(*task),
            Op::Pass { seconds } => {
                self.clock.advance(Duration::from_secs(*seconds));
                self.model.now += seconds;
            }
            Op::Tick => drop(self.manager.tick()),
            Op::SetTtl { ttl, user } => self.set_ttl(*ttl, *user),
            Op::Drain { module } => self.drain(*module),
            Op::Close { module } => self.close(*module),
            Op::Register { module } => self.register(*module),
            counting => self.count(counting),
        }
        self.model.expire();
    }

    pub fn with_owner(&mut self, number: usize, f: impl FnOnce(&mut Self, usize)) {
        if let Some(task) = self.pick(number)
            && self.owners[task].is_some()
        {
            f(self, task);
        }
    }

    fn count(&mut self, op: &Op) {
        match *op {
            Op::Advance { task, by } => self.with_owner(task, |pair, task| {
                pair.owners[task].as_ref().unwrap().advance(by);
                if pair.counted(task, by) {
                    pair.model.tasks[task].by_owner += by;
                }
            }),
            Op::SetCompleted { task, to } => self.with_owner(task, |pair, task| {
                pair.owners[task].as_ref().unwrap().set_completed(to);
                let more = to.saturating_sub(pair.model.tasks[task].by_owner);
                if pair.counted(task, more) {
                    pair.model.tasks[task].by_owner += more;
                }
            }),
            Op::SetTotal { task, total } => self.with_owner(task, |pair, task| {
                pair.owners[task].as_ref().unwrap().set_total(total);
                if pair.model.tasks[task].ended.is_none() {
                    pair.model.tasks[task].total = Some(total);
                }
            }),
            Op::Report { task, by } => self.with_owner(task, |pair, task| {
                let reporter = pair.owners[task].as_ref().unwrap().reporter();
                reporter.advance(by);
                pair.reporters.push((task, reporter));
                pair.counted(task, by);
            }),
            Op::ReportOn { reporter, by } if !self.reporters.is_empty() => {
                let at = reporter % self.reporters.len();
                let (task, reporter) = &self.reporters[at];
                reporter.advance(by);
                self.counted(*task, by);
            }
            Op::DropReporter { reporter } if !self.reporters.is_empty() => {
                let at = reporter % self.reporters.len();
                self.reporters.swap_remove(at);
            }
            _ => {}
        }
    }

    /// What is reported after the end is dropped.
    fn counted(&mut self, task: usize, by: u64) -> bool {
        let counts = self.model.tasks[task].ended.is_none();
        if counts {
            self.model.tasks[task].completed += by;
        }
        counts
    }

    fn given_id(&self, wish: &Wish) -> Option<Uuid> {
        match wish.id {
            GivenId::None => None,
            GivenId::Own(number) => Some(Uuid::from_u128(0xabc0 + u128::from(number))),
            GivenId::Of(task) => self.model.tasks[self.pick(task)?].id,
            GivenId::Nil => Some(Uuid::nil()),
        }
    }

    fn create(&mut self, parent: Option<usize>, by_id: bool, wish: &Wish, start: bool) {
        let Some(module) = &self.modules[wish.module] else {
            return;
        };
        let id = self.given_id(wish);
        let mut builder = dressed(module.task("task"), wish, id);
        let by_id = by_id || parent.is_some_and(|parent| self.owners[parent].is_none());
        match parent {
            Some(parent) if !by_id => {
                builder = builder.parent(self.owners[parent].as_ref().unwrap());
            }
            Some(parent) => match self.model.tasks[parent].id {
                Some(id) => builder = builder.parent_id(id),
                None => return,
            },
            None => {}
        }
        let made = match start {
            true => builder.start(),
            false => builder.create(),
        };
        match self.parent_for(parent, by_id, wish, id) {
            Err(codes) => {
                let code = made.map(drop).unwrap_err().code();
                assert!(codes.contains(&code), "{code:?} not in {codes:?}: {wish:?}");
            }
            Ok(parent) => self.created(parent, wish, id, start, made),
        }
    }

    fn created(
        &mut self,
        parent: Option<usize>,
        wish: &Wish,
        id: Option<Uuid>,
        start: bool,
        made: taskmgr::Result<Task>,
    ) {
        let aborted = parent.is_some_and(|parent| self.model.reached(parent).is_some());
        if start && aborted {
            let task = self.model.create(parent, wish.clone(), id);
            assert_eq!(made.unwrap_err().code(), ErrorCode::Aborted);
            self.model.end(task, How::Finish);
            self.owners.push(None);
            return;
        }
        let made = made.unwrap();
        if let Some(id) = id {
            assert_eq!(made.id(), id);
        }
        let task = self.model.create(parent, wish.clone(), Some(made.id()));
        if start {
            self.model.start(task);
        }
        self.owners.push(Some(made));
    }

    /// The parent that a new task would have, or why it would be refused: where several
    /// things are wrong any of them may be named.
    fn parent_for(
        &self,
        parent: Option<usize>,
        by_id: bool,
        wish: &Wish,
        id: Option<Uuid>,
    ) -> Result<Option<usize>, Vec<ErrorCode>> {
        let mut wrong = Vec::new();
        if self.model.closing[wish.module] {
            wrong.push(ErrorCode::Closed);
        }
        if id == Some(Uuid::nil()) {
            wrong.push(ErrorCode::InvalidArgument);
        } else if id.is_some_and(|id| matches!(self.model.fate(id), Fate::Lives(_))) {
            wrong.push(ErrorCode::IdInUse);
        }
        let parent = match parent {
            Some(parent) if by_id => match self.model.fate(self.model.tasks[parent].id.unwrap()) {
                Fate::Lives(parent) => Some(parent),
                Fate::Gone(_) => return Err(vec![ErrorCode::Gone]),
                Fate::Forgotten => return Err(vec![ErrorCode::NotFound]),
            },
            parent => parent,
        };
        if parent.is_some_and(|parent| self.model.tasks[parent].ended.is_some()) {
            wrong.push(ErrorCode::ParentTerminal);
        }
        match wrong.is_empty() {
            // The last that speaks against it.
            true if self.model.is_full() => Err(vec![ErrorCode::Exhausted]),
            true => Ok(parent),
            false => Err(wrong),
        }
    }

    fn start(&mut self, task: usize) {
        let started = self.owners[task].as_ref().unwrap().start();
        let at = &self.model.tasks[task];
        let (ended, was_started) = (at.ended.is_some(), at.started);
        let aborted = self.model.reached(task).is_some();
        let code = started.map_err(|error| error.code());
        let expected = match (ended, was_started, aborted) {
            (true, ..) => Err(ErrorCode::AlreadyFinished),
            (false, true, _) => Err(ErrorCode::AlreadyStarted),
            (false, false, true) => Err(ErrorCode::Aborted),
            (false, false, false) => Ok(()),
        };
        assert_eq!(code, expected);
        match expected {
            Ok(()) => self.model.start(task),
            Err(ErrorCode::Aborted) => drop(self.model.end(task, How::Finish)),
            Err(_) => {}
        }
    }

    pub fn end(&mut self, task: usize, how: How) {
        let owner = self.owners[task].take().unwrap();
        let over = self.model.tasks[task].ended.is_some();
        let aborted = self.model.reached(task).is_some();
        let as_asked = over || self.model.end(task, how);
        let result = match how {
            How::Finish => owner.finish(),
            How::Fail => owner.fail("failed"),
            How::Drop => return,
        };
        let expected = match (over, as_asked) {
            (true, _) => Err(ErrorCode::AlreadyFinished),
            (false, true) => Ok(()),
            (false, false) if !aborted => Err(ErrorCode::NotStarted),
            (false, false) => Err(ErrorCode::Aborted),
        };
        assert_eq!(result.map_err(|error| error.code()), expected);
    }

    fn abort(&mut self, number: usize, by_owner: bool) {
        let Some(task) = self.pick(number) else {
            return;
        };
        let reason = format!("abort of {task}");
        if let (Some(owner), true) = (&self.owners[task], by_owner) {
            owner.abort(&reason).unwrap();
            return self.model.abort(task, reason);
        }
        let Some(id) = self.model.tasks[task].id else {
            return;
        };
        let aborted = self.manager.abort(id, &reason);
        let expected = match self.model.fate(id) {
            Fate::Gone(_) => Err(ErrorCode::Gone),
            Fate::Forgotten => Err(ErrorCode::NotFound),
            Fate::Lives(task) if !self.model.tasks[task].wish.abortable => {
                Err(ErrorCode::NotAbortable)
            }
            Fate::Lives(task) => {
                self.model.abort(task, reason);
                Ok(())
            }
        };
        assert_eq!(aborted.map_err(|error| error.code()), expected);
    }

    fn take(&mut self, number: usize) {
        let Some(id) = self.pick(number).and_then(|task| self.model.tasks[task].id) else {
            return;
        };
        let taken = self.manager.take_status(id).map(|status| status.state);
        let expected = match self.model.fate(id) {
            Fate::Gone(_) => Err(ErrorCode::Gone),
            Fate::Forgotten => Err(ErrorCode::NotFound),
            Fate::Lives(task) if !self.model.tasks[task].settled => Err(ErrorCode::NotSettled),
            Fate::Lives(task) => {
                self.model.go(task, GoneReason::Read);
                Ok(self.model.tasks[task].state())
            }
        };
        assert_eq!(taken.map_err(|error| error.code()), expected);
    }

    fn set_ttl(&mut self, ttl: u64, user: bool) {
        let new = Duration::from_secs(ttl);
        let (before, place) = match user {
            true => (
                self.manager.set_user_task_ttl(new),
                &mut self.model.user_ttl,
            ),
            false => (self.manager.set_task_ttl(new), &mut self.model.ttl),
        };
        assert_eq!(before.unwrap().as_secs(), std::mem::replace(place, ttl));
    }

    fn drain(&mut self, module: usize) {
        if self.is_registered(module) {
            let drained = self.manager.drain(MODULES[module]).unwrap();
            assert_eq!(drained, self.model.drain(module));
        }
    }

    fn close(&mut self, module: usize) {
        if !self.is_registered(module) {
            return;
        }
        self.model.closing[module] = true;
        let report = self
            .manager
            .close_module(MODULES[module], Duration::ZERO)
            .unwrap();
        let running: Vec<usize> = self.model.unsettled(module).collect();
        assert_eq!(report.still_running.len(), running.len());
        for task in &running {
            let parent = self.model.tasks[*task].parent;
            if parent.is_none_or(|parent| !running.contains(&parent)) {
                let reason = format!("the module {:?} is closed", MODULES[module]);
                self.model.abort(*task, reason);
            }
        }
        self.model.drain(module);
    }

    /// Open, or closing with tasks that run.
    pub fn is_registered(&self, module: usize) -> bool {
        !self.model.closing[module] || self.model.unsettled(module).next().is_some()
    }

    fn register(&mut self, module: usize) {
        let registered = self.manager.register_module(MODULES[module]);
        if self.is_registered(module) {
            assert_eq!(registered.unwrap_err().code(), ErrorCode::ModuleExists);
        } else {
            self.modules[module] = Some(registered.unwrap());
            self.model.register(module);
        }
    }
}

fn dressed<'a>(mut builder: TaskBuilder<'a>, wish: &Wish, id: Option<Uuid>) -> TaskBuilder<'a> {
    builder = builder.units(wish.units);
    if let Some(total) = wish.total {
        builder = builder.total(total, wish.units);
    }
    if let Some(shard) = wish.shard {
        builder = builder.shard(shard);
    }
    if let Some(id) = id {
        builder = builder.id(id);
    }
    if wish.user {
        builder = builder.user_task();
    }
    if wish.internal {
        builder = builder.internal();
    }
    if wish.abortable {
        builder = builder.abortable();
    }
    builder
}
