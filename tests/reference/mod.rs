//! The sequential reference model: what a manager must answer, in plain vectors and with no
//! thought of speed or threads.
#![allow(unreachable_pub)] // a module of a test has no outside

mod compare;
mod figures;
pub mod ops;
pub mod pair;

use std::collections::{HashMap, VecDeque};

use taskmgr::{GoneReason, State, Uuid};

pub use figures::Shown;
use figures::Sums;

pub const MODULES: [&str; 2] = ["a", "b"];

/// How many records are kept, and how many tasks may live.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub per_parent: usize,
    pub per_root: usize,
    pub live: usize,
}

/// The id that the host gives a new task.
#[derive(Clone, Copy, Debug)]
pub enum GivenId {
    /// None: the manager makes one.
    None,
    /// One of a few of its own, so that they collide and come back.
    Own(u8),
    /// The one that this task has or had.
    Of(usize),
    Nil,
}

/// What a new task shall be.
#[derive(Clone, Debug)]
pub struct Wish {
    pub module: usize,
    pub id: GivenId,
    pub shard: Option<u32>,
    pub user: bool,
    pub internal: bool,
    pub abortable: bool,
    pub units: &'static str,
    pub total: Option<u64>,
}

/// A child that has folded, as its parent keeps it.
#[derive(Clone, Debug)]
pub struct Record {
    pub task: usize,
    pub error: Option<String>,
    pub shown: Shown,
    pub children: Vec<Record>,
    pub not_kept: u64,
    pub first_error: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub wish: Wish,
    /// A task that failed before anybody saw it has one that nobody knows.
    pub id: Option<Uuid>,
    pub parent: Option<usize>,
    pub sequence: u64,
    pub shard: u32,
    pub born: u64,
    pub started: bool,
    pub started_at: Option<u64>,
    pub ended_at: Option<u64>,
    /// The reason of the abort that reached it before it ended.
    pub ended_by_abort: Option<String>,
    /// Terminal, with its error if it failed.
    pub ended: Option<Option<String>>,
    pub settled: bool,
    pub gone: Option<GoneReason>,
    pub abort: Option<String>,
    /// What the owner and all reporters have counted, and the owner alone.
    pub completed: u64,
    pub by_owner: u64,
    pub total: Option<u64>,
    pub deadline: Option<u64>,
    pub live: Vec<usize>,
    pub succeeded: VecDeque<Record>,
    pub failed: Vec<Record>,
    pub counts: (u64, u64, u64),
    pub first_error: Option<String>,
    folded: Sums,
}

#[derive(Clone)]
pub struct Model {
    pub now: u64,
    pub ttl: u64,
    pub user_ttl: u64,
    pub bounds: Bounds,
    pub tasks: Vec<Task>,
    pub closing: [bool; 2],
    /// Whether roots that are gone are remembered.
    pub remembers: bool,
    tombstones: HashMap<Uuid, (GoneReason, State)>,
    sequences: HashMap<(usize, u32), u64>,
}

/// What is said of an id.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Found: this task.
    Lives(usize),
    /// Gone, and how; a record that is kept may be of any task that had the id.
    Gone(Vec<(GoneReason, State)>),
    /// As if it had never been.
    Forgotten,
}

/// How an owner ends its task.
#[derive(Clone, Copy, Debug)]
pub enum How {
    Finish,
    Fail,
    Drop,
}

impl Task {
    pub fn has_succeeded(&self) -> bool {
        matches!(self.ended, Some(None))
    }

    pub fn state(&self) -> State {
        match &self.ended {
            Some(None) => State::Done,
            Some(Some(_)) => State::Failed,
            None if self.started => State::Running,
            None => State::Created,
        }
    }
}

impl Record {
    fn leads_to_failure(&self) -> bool {
        self.error.is_some() || !self.children.is_empty() || self.first_error.is_some()
    }

    fn size(&self) -> usize {
        1 + self.children.iter().map(Record::size).sum::<usize>()
    }

    pub fn holds(&self, task: usize) -> bool {
        self.task == task || self.children.iter().any(|child| child.holds(task))
    }
}

impl Model {
    pub fn new(bounds: Bounds, remembers: bool) -> Self {
        Self {
            remembers,
            tombstones: HashMap::new(),
            sequences: HashMap::new(),
            now: 0,
            ttl: 10,
            user_ttl: 100,
            bounds,
            tasks: Vec::new(),
            closing: [false; 2],
        }
    }

    /// A module that is registered anew numbers its roots from 1.
    pub fn register(&mut self, module: usize) {
        self.closing[module] = false;
        self.sequences.retain(|(of, _), _| *of != module);
    }

    /// Whether no further task may live.
    pub fn is_full(&self) -> bool {
        let live = self.tasks.iter().filter(|task| !task.settled);
        live.count() >= self.bounds.live
    }

    /// A task in the state `created`.
    pub fn create(&mut self, parent: Option<usize>, wish: Wish, id: Option<Uuid>) -> usize {
        let task = self.tasks.len();
        let (shard, sequence) = match parent {
            Some(parent) => {
                let parent = &self.tasks[parent];
                (wish.shard.unwrap_or(parent.shard), parent.sequence)
            }
            None => {
                let shard = wish.shard.unwrap_or(0);
                let last = self.sequences.entry((wish.module, shard)).or_default();
                *last += 1;
                (shard, *last)
            }
        };
        if let Some(id) = id {
            self.tombstones.remove(&id);
        }
        self.tasks.push(Task {
            id,
            shard,
            sequence,
            started_at: None,
            ended_at: None,
            ended_by_abort: None,
            by_owner: 0,
            parent,
            born: self.now,
            started: false,
            ended: None,
            settled: false,
            gone: None,
            abort: None,
            completed: 0,
            total: wish.total,
            deadline: None,
            live: Vec::new(),
            succeeded: VecDeque::new(),
            failed: Vec::new(),
            counts: (0, 0, 0),
            first_error: None,
            folded: Sums::default(),
            wish,
        });
        if let Some(parent) = parent {
            self.tasks[parent].live.push(task);
        }
        task
    }

    pub fn start(&mut self, task: usize) {
        self.tasks[task].started = true;
        self.tasks[task].started_at = Some(self.now);
    }

    /// What is said of an id.
    pub fn fate(&self, id: Uuid) -> Fate {
        let lives = |task: &Task| task.id == Some(id) && task.gone.is_none();
        if let Some(task) = self.tasks.iter().position(lives) {
            return Fate::Lives(task);
        }
        if let Some(gone) = self.tombstones.get(&id) {
            return Fate::Gone(vec![*gone]);
        }
        let had_it = (0..self.tasks.len()).filter(|task| self.tasks[*task].id == Some(id));
        let kept: Vec<_> = had_it
            .filter(|task| self.is_kept(*task))
            .map(|task| (GoneReason::Folded, self.tasks[task].state()))
            .collect();
        match kept.is_empty() {
            true => Fate::Forgotten,
            false => Fate::Gone(kept),
        }
    }

    /// A root goes.
    pub fn go(&mut self, root: usize, reason: GoneReason) {
        let state = self.tasks[root].state();
        self.tasks[root].gone = Some(reason);
        if let Some(id) = self.tasks[root].id.filter(|_| self.remembers) {
            self.tombstones.insert(id, (reason, state));
        }
    }

    /// The reason of the abort that reaches the task.
    pub fn reached(&self, task: usize) -> Option<String> {
        let at = &self.tasks[task];
        at.abort
            .clone()
            .or_else(|| at.parent.and_then(|parent| self.reached(parent)))
    }

    /// Marks the task; the first reason wins, also where it came from above.
    pub fn abort(&mut self, task: usize, reason: String) {
        let first = self.reached(task).unwrap_or(reason);
        if !self.tasks[task].settled {
            self.tasks[task].abort.get_or_insert(first);
        }
    }

    /// Ends the task; `false` if a finish made it fail.
    pub fn end(&mut self, task: usize, how: How) -> bool {
        let as_asked = self.end_alone(task, how, self.reached(task));
        self.settle(task);
        as_asked
    }

    /// The same without what its end brings about, as seen by one who found this abort.
    pub fn end_alone(&mut self, task: usize, how: How, reached: Option<String>) -> bool {
        let own = match how {
            // A task that was not started never is done.
            How::Finish if !self.tasks[task].started && reached.is_none() => {
                Some("finished before it was started".to_owned())
            }
            How::Finish => None,
            How::Fail => Some("failed".to_owned()),
            How::Drop => Some("dropped before it finished".to_owned()),
        };
        let error = match (&reached, own) {
            (Some(reason), Some(own)) => Some(format!("aborted: {reason}: {own}")),
            (Some(reason), None) => Some(format!("aborted: {reason}")),
            (None, own) => own,
        };
        let as_asked = error.is_none() || !matches!(how, How::Finish);
        self.tasks[task].ended_by_abort = reached;
        self.tasks[task].ended_at = Some(self.now);
        self.tasks[task].ended = Some(error);
        as_asked
    }

    fn settle(&mut self, task: usize) {
        if !self.settle_alone(task) {
            return;
        }
        match self.tasks[task].parent {
            Some(parent) => self.settle(parent),
            None => self.retain(task, self.now),
        }
    }

    /// Settles the task if it is due, and folds it if it has a parent.
    pub fn settle_alone(&mut self, task: usize) -> bool {
        let at = &mut self.tasks[task];
        if at.settled || at.ended.is_none() || !at.live.is_empty() {
            return false;
        }
        at.settled = true;
        if let Some(parent) = at.parent {
            self.fold(task, parent);
        }
        true
    }

    /// A root that has settled is kept from now on, or goes.
    pub fn retain(&mut self, root: usize, now: u64) {
        let (ttl, user_ttl) = (self.ttl, self.user_ttl);
        let task = &self.tasks[root];
        let ttl = if task.wish.user { user_ttl } else { ttl };
        if self.closing[task.wish.module] {
            self.go(root, GoneReason::Drained);
        } else if ttl == 0 || task.wish.internal {
            self.go(root, GoneReason::Expired);
        } else {
            self.tasks[root].deadline = Some(now + ttl);
        }
    }

    fn fold(&mut self, child: usize, parent: usize) {
        let shown = self.shown(child);
        let task = &mut self.tasks[child];
        task.succeeded.clear();
        task.failed.sort_by_key(|record| record.task);
        let record = Record {
            task: child,
            error: task.ended.clone().unwrap(),
            shown: shown.clone(),
            children: std::mem::take(&mut task.failed),
            not_kept: task.counts.2,
            first_error: task.first_error.clone(),
        };
        task.gone = Some(GoneReason::Folded);
        let at = &mut self.tasks[parent];
        at.live.retain(|live| *live != child);
        at.folded.add(&shown, record.error.is_none());
        match record.error {
            Some(_) => at.counts.1 += 1,
            None => at.counts.0 += 1,
        }
        at.counts.2 += record.not_kept;
        let error = record.first_error.clone().or_else(|| record.error.clone());
        at.first_error = at.first_error.take().or(error);
        self.keep(parent, record);
    }

    fn keep(&mut self, parent: usize, record: Record) {
        let (bounds, size) = (self.bounds, record.size());
        let mut used = self.used(parent);
        let at = &mut self.tasks[parent];
        if !record.leads_to_failure() {
            if at.succeeded.len() == bounds.per_parent || used + 1 > bounds.per_root {
                at.counts.2 += 1;
                if at.succeeded.pop_front().is_none() {
                    return;
                }
            }
            at.succeeded.push_back(record);
            return;
        }
        if at.failed.len() == bounds.per_parent {
            at.counts.2 += size as u64;
            return;
        }
        at.failed.push(record);
        used += size;
        while used > bounds.per_root && at.succeeded.pop_front().is_some() {
            at.counts.2 += 1;
            used -= 1;
        }
        while used > bounds.per_root {
            drop_deepest(&mut at.failed);
            at.counts.2 += 1;
            used -= 1;
        }
    }

    /// Records that the whole tree keeps.
    fn used(&self, task: usize) -> usize {
        let root = self.root(task);
        let members = (0..self.tasks.len()).filter(|other| self.root(*other) == root);
        let kept = members.filter(|member| self.tasks[*member].gone != Some(GoneReason::Folded));
        kept.map(|member| {
            let task = &self.tasks[member];
            task.succeeded.len() + task.failed.iter().map(Record::size).sum::<usize>()
        })
        .sum()
    }

    pub fn root(&self, task: usize) -> usize {
        self.tasks[task]
            .parent
            .map_or(task, |parent| self.root(parent))
    }

    pub fn unsettled(&self, module: usize) -> impl Iterator<Item = usize> {
        let in_module = move |task: &usize| {
            let task = &self.tasks[*task];
            task.wish.module == module && !task.settled
        };
        (0..self.tasks.len()).filter(in_module)
    }

    /// The settled roots that are kept, and for which this holds.
    fn retained(&self, which: impl Fn(&Task) -> bool) -> Vec<usize> {
        let is_retained = |task: &Task| task.deadline.is_some() && task.gone.is_none();
        let at = |task: &usize| is_retained(&self.tasks[*task]) && which(&self.tasks[*task]);
        (0..self.tasks.len()).filter(at).collect()
    }

    /// Makes what has expired be gone.
    pub fn expire(&mut self) {
        for root in self.retained(|task| task.deadline <= Some(self.now)) {
            self.go(root, GoneReason::Expired);
        }
    }

    pub fn drain(&mut self, module: usize) -> usize {
        let drained = self.retained(|task| task.wish.module == module);
        for root in &drained {
            self.go(*root, GoneReason::Drained);
        }
        drained.len()
    }

    /// Whether some parent that is there keeps a record of the task.
    pub fn is_kept(&self, task: usize) -> bool {
        let there = self.tasks.iter().filter(|task| task.gone.is_none());
        there
            .flat_map(|task| task.succeeded.iter().chain(&task.failed))
            .any(|record| record.holds(task))
    }
}

/// Drops the last of the deepest records, and counts it with all above it.
fn drop_deepest(records: &mut Vec<Record>) {
    fn depth(record: &Record) -> usize {
        1 + record.children.iter().map(depth).max().unwrap_or(0)
    }
    let deepest = records.iter().map(depth).max().unwrap_or(0);
    let last = records
        .iter()
        .rposition(|record| depth(record) == deepest)
        .unwrap();
    if deepest == 1 {
        records.remove(last);
    } else {
        records[last].not_kept += 1;
        drop_deepest(&mut records[last].children);
    }
}
