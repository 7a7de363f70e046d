//! The reference model and the real manager go through the same random operations, and
//! have to answer the same after each.

mod reference;

use std::time::Duration;

use proptest::prelude::*;
use reference::ops::{Op, bounds, op};
use reference::{Bounds, How, MODULES, Model, Record, Wish};
use taskmgr::{
    Clock, ErrorCode, Filter, GoneReason, Manager, ManualClock, Module, Reporter, State, Status,
    Task, Uuid,
};

/// The model and the manager side by side; a task has the same number in both.
struct Pair {
    model: Model,
    manager: Manager,
    clock: ManualClock,
    modules: [Option<Module>; 2],
    owners: Vec<Option<Task>>,
    /// Reporters stay, so that what they counted is summed up from live cells.
    reporters: Vec<Reporter>,
    /// A task that never started was never seen, and has none.
    ids: Vec<Option<Uuid>>,
}

impl Pair {
    fn new(bounds: Bounds) -> Self {
        let clock = ManualClock::new();
        let manager = Manager::builder()
            .clock(Clock::Manual(clock.clone()))
            .task_ttl(Duration::from_secs(10))
            .user_task_ttl(Duration::from_secs(100))
            .max_kept_children(bounds.per_parent)
            .max_kept_per_root(bounds.per_root)
            .build()
            .unwrap();
        let modules = MODULES.map(|name| Some(manager.register_module(name).unwrap()));
        Self {
            model: Model::new(bounds),
            manager,
            clock,
            modules,
            owners: Vec::new(),
            reporters: Vec::new(),
            ids: Vec::new(),
        }
    }

    fn pick(&self, number: usize) -> Option<usize> {
        (!self.ids.is_empty()).then(|| number % self.ids.len())
    }

    fn apply(&mut self, op: &Op) {
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
            Op::Advance { task, by } => self.with_owner(*task, |pair, task| {
                pair.owners[task].as_ref().unwrap().advance(*by);
                pair.count(task, *by);
            }),
            Op::SetTotal { task, total } => self.with_owner(*task, |pair, task| {
                pair.owners[task].as_ref().unwrap().set_total(*total);
                if pair.model.tasks[task].ended.is_none() {
                    pair.model.tasks[task].total = Some(*total);
                }
            }),
            Op::Report { task, by } => self.with_owner(*task, |pair, task| {
                let reporter = pair.owners[task].as_ref().unwrap().reporter();
                reporter.advance(*by);
                pair.reporters.push(reporter);
                pair.count(task, *by);
            }),
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
        }
        self.model.expire();
    }

    fn with_owner(&mut self, number: usize, f: impl FnOnce(&mut Self, usize)) {
        if let Some(task) = self.pick(number)
            && self.owners[task].is_some()
        {
            f(self, task);
        }
    }

    fn count(&mut self, task: usize, by: u64) {
        if self.model.tasks[task].ended.is_none() {
            self.model.tasks[task].completed += by;
        }
    }

    fn create(&mut self, parent: Option<usize>, by_id: bool, wish: &Wish, start: bool) {
        let Some(module) = &self.modules[wish.module] else {
            return;
        };
        let mut builder = module.task("task").units(wish.units);
        if let Some(total) = wish.total {
            builder = builder.total(total, wish.units);
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
        let by_id = by_id || parent.is_some_and(|parent| self.owners[parent].is_none());
        match parent {
            Some(parent) if !by_id => {
                builder = builder.parent(self.owners[parent].as_ref().unwrap());
            }
            Some(parent) => match self.ids[parent] {
                Some(id) => builder = builder.parent_id(id),
                None => return,
            },
            None => {}
        }
        let made = if start {
            builder.start()
        } else {
            builder.create()
        };
        match self.refusal(parent, by_id, wish) {
            Some(code) => assert_eq!(made.unwrap_err().code(), code, "{parent:?} {wish:?}"),
            None => self.created(parent, wish, start, made),
        }
    }

    fn created(
        &mut self,
        parent: Option<usize>,
        wish: &Wish,
        start: bool,
        made: taskmgr::Result<Task>,
    ) {
        let task = self.model.create(parent, wish.clone());
        let aborted = self.model.reached(task).is_some();
        if start && aborted {
            assert_eq!(made.unwrap_err().code(), ErrorCode::Aborted);
            self.model.end(task, How::Finish);
            self.owners.push(None);
            self.ids.push(None);
            return;
        }
        self.model.tasks[task].started = start;
        let made = made.unwrap();
        self.ids.push(Some(made.id()));
        self.owners.push(Some(made));
    }

    /// Why the model would refuse such a task.
    fn refusal(&self, parent: Option<usize>, by_id: bool, wish: &Wish) -> Option<ErrorCode> {
        let closing = self.model.closing[wish.module].then_some(ErrorCode::Closed);
        let Some(parent) = parent else { return closing };
        let at = &self.model.tasks[parent];
        match self.fate(parent).filter(|_| by_id) {
            Some(Fate::Gone(..)) => Some(ErrorCode::Gone),
            Some(Fate::Forgotten) => Some(ErrorCode::NotFound),
            None if at.ended.is_some() && closing.is_none() => Some(ErrorCode::ParentTerminal),
            None => closing,
        }
    }

    fn start(&mut self, task: usize) {
        let started = self.owners[task].as_ref().unwrap().start();
        let at = &self.model.tasks[task];
        let expected = match () {
            () if at.ended.is_some() => Err(ErrorCode::AlreadyFinished),
            () if at.started => Err(ErrorCode::AlreadyStarted),
            () if self.model.reached(task).is_some() => Err(ErrorCode::Aborted),
            () => Ok(()),
        };
        // A start that comes after an abort tells of that, whatever else is wrong with it.
        if self.model.tasks[task].started && self.model.reached(task).is_some() {
            assert!(started.is_err());
            if self.model.tasks[task].ended.is_none()
                && started.unwrap_err().code() == ErrorCode::Aborted
            {
                self.model.end(task, How::Finish);
            }
            return;
        }
        assert_eq!(started.map_err(|error| error.code()), expected);
        match expected {
            Ok(()) => self.model.tasks[task].started = true,
            Err(ErrorCode::Aborted) => drop(self.model.end(task, How::Finish)),
            Err(_) => {}
        }
    }

    fn end(&mut self, task: usize, how: How) {
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
        let Some(id) = self.ids[task] else { return };
        let reason = format!("abort of {task}");
        let abortable = self.model.tasks[task].wish.abortable;
        let (result, expected) = match (&self.owners[task], by_owner) {
            (Some(owner), true) => (owner.abort(&reason), Ok(())),
            _ => {
                let expected = match self.fate(task) {
                    Some(Fate::Gone(..)) => Err(ErrorCode::Gone),
                    Some(Fate::Forgotten) => Err(ErrorCode::NotFound),
                    None if !abortable => Err(ErrorCode::NotAbortable),
                    None => Ok(()),
                };
                (self.manager.abort(id, &reason), expected)
            }
        };
        assert_eq!(result.map_err(|error| error.code()), expected);
        if expected.is_ok() {
            self.model.abort(task, reason);
        }
    }

    fn take(&mut self, number: usize) {
        let Some(task) = self.pick(number) else {
            return;
        };
        let Some(id) = self.ids[task] else { return };
        let taken = self.manager.take_status(id).map(|status| status.state);
        let expected = match self.fate(task) {
            Some(Fate::Gone(..)) => Err(ErrorCode::Gone),
            Some(Fate::Forgotten) => Err(ErrorCode::NotFound),
            None if !self.model.tasks[task].settled => Err(ErrorCode::NotSettled),
            None => Ok(self.model.tasks[task].state()),
        };
        assert_eq!(taken.map_err(|error| error.code()), expected);
        if expected.is_ok() {
            self.model.tasks[task].gone = Some(GoneReason::Read);
        }
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
        if !self.is_registered(module) {
            return;
        }
        let drained = self.manager.drain(MODULES[module]).unwrap();
        assert_eq!(drained, self.model.drain(module));
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
    fn is_registered(&self, module: usize) -> bool {
        !self.model.closing[module] || self.model.unsettled(module).next().is_some()
    }

    fn register(&mut self, module: usize) {
        let registered = self.manager.register_module(MODULES[module]);
        if self.is_registered(module) {
            assert_eq!(registered.unwrap_err().code(), ErrorCode::ModuleExists);
        } else {
            self.modules[module] = Some(registered.unwrap());
            self.model.closing[module] = false;
        }
    }

    /// Why a task is not found by its id; `None` if it is.
    fn fate(&self, task: usize) -> Option<Fate> {
        let at = &self.model.tasks[task];
        match at.gone? {
            GoneReason::Folded if !self.model.is_kept(task) => Some(Fate::Forgotten),
            reason => Some(Fate::Gone(reason, at.state())),
        }
    }
}

enum Fate {
    Gone(GoneReason, State),
    Forgotten,
}

/// What must be the same in both after each step.
impl Pair {
    fn compare(&self) {
        for task in 0..self.ids.len() {
            let Some(id) = self.ids[task] else { continue };
            match (self.manager.status_tree(id), self.fate(task)) {
                (Ok(tree), None) => self.compare_tree(&tree, task),
                (Err(error), Some(Fate::Gone(reason, state))) => {
                    assert_eq!(error.gone(), Some((reason, state)), "task {task}");
                }
                (Err(error), Some(Fate::Forgotten)) => assert!(error.is_not_found(), "{error}"),
                (Ok(tree), Some(_)) => panic!("task {task} is shown, but gone: {:?}", tree[0]),
                (Err(error), None) => panic!("task {task} is there, but not shown: {error}"),
            }
        }
        for module in (0..2).filter(|module| self.is_registered(*module)) {
            self.compare_list(module, false);
            self.compare_list(module, true);
        }
    }

    fn compare_list(&self, module: usize, internal: bool) {
        let filter = Filter::new().internal(internal);
        let listed = self.manager.list(MODULES[module], &filter).unwrap();
        let mut expected: Vec<(u64, Uuid)> = Vec::new();
        for (task, at) in self.model.tasks.iter().enumerate() {
            let hidden = at.wish.internal || at.parent.is_some();
            if at.wish.module == module && at.gone.is_none() && (internal || !hidden) {
                expected.push((at.born, self.ids[task].unwrap()));
            }
        }
        expected.sort_unstable();
        let listed: Vec<Uuid> = listed.iter().map(|stats| stats.id).collect();
        assert_eq!(
            listed,
            expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
        );
    }

    /// Breadth-first, siblings by creation, live and kept ones alike.
    fn compare_tree(&self, tree: &[Status], root: usize) {
        let mut expected = vec![Node::Live(root)];
        let mut at = 0;
        while at < expected.len() {
            let mut children: Vec<Node<'_>> = match expected[at] {
                Node::Live(task) => {
                    let task = &self.model.tasks[task];
                    let kept = task.succeeded.iter().chain(&task.failed).map(Node::Kept);
                    kept.chain(task.live.iter().map(|live| Node::Live(*live)))
                        .collect()
                }
                Node::Kept(record) => record.children.iter().map(Node::Kept).collect(),
            };
            children.sort_by_key(|node| node.task());
            expected.append(&mut children);
            at += 1;
        }
        assert_eq!(tree.len(), expected.len(), "the tree of task {root}");
        for (status, node) in tree.iter().zip(&expected) {
            self.compare_status(status, node);
        }
    }

    fn compare_status(&self, status: &Status, node: &Node<'_>) {
        let number = node.task();
        let task = &self.model.tasks[number];
        if let Some(id) = self.ids[number] {
            assert_eq!(status.id, id, "task {number}");
        }
        assert_eq!(status.state, task.state(), "task {number}");
        assert_eq!(status.error, task.ended.clone().flatten(), "task {number}");
        let (shown, not_kept, first_error) = match node {
            Node::Live(task) => {
                let shown = self.model.shown(*task);
                let task = &self.model.tasks[*task];
                let aborted = status.abort.as_ref().map(|abort| abort.reason.clone());
                if task.ended.is_none() {
                    assert_eq!(aborted, self.model.reached(number), "task {number}");
                }
                assert_eq!(status.child_counts.live, task.live.len() as u64);
                (shown, task.counts.2, &task.first_error)
            }
            Node::Kept(record) => (record.shown.clone(), record.not_kept, &record.first_error),
        };
        let progress = (
            status.progress.completed,
            status.progress.total,
            &*status.progress.units,
        );
        let total = shown.total.unwrap_or(0).max(shown.completed);
        assert_eq!(
            progress,
            (shown.completed, total, &*shown.units),
            "task {number}"
        );
        assert_eq!(
            status.progress.total_known,
            shown.total.is_some(),
            "task {number}"
        );
        assert_eq!(status.first_error, *first_error, "task {number}");
        let counts = (status.child_counts.succeeded, status.child_counts.failed);
        assert_eq!(counts, (task.counts.0, task.counts.1), "task {number}");
        assert_eq!(status.child_counts.not_kept, not_kept, "task {number}");
    }
}

enum Node<'a> {
    Live(usize),
    Kept(&'a Record),
}

impl Node<'_> {
    fn task(&self) -> usize {
        match self {
            Self::Live(task) => *task,
            Self::Kept(record) => record.task,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_manager_answers_as_the_model_does(bounds in bounds(), ops in prop::collection::vec(op(), 1..50)) {
        let mut pair = Pair::new(bounds);
        for (step, op) in ops.iter().enumerate() {
            pair.apply(op);
            if step % 4 == 3 {
                pair.compare();
            }
        }
        pair.compare();
        // And when all have ended, in the order in which they came.
        for task in 0..pair.owners.len() {
            pair.with_owner(task, |pair, task| pair.end(task, How::Finish));
        }
        pair.compare();
    }
}
