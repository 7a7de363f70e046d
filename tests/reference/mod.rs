//! The sequential reference model: what a manager must answer, in plain vectors and with no
//! thought of speed or threads.
#![allow(unreachable_pub)] // a module of a test has no outside

pub mod ops;

use std::collections::VecDeque;

use taskmgr::{GoneReason, State};

pub const MODULES: [&str; 2] = ["a", "b"];

/// How many records are kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub per_parent: usize,
    pub per_root: usize,
}

/// What a new task shall be.
#[derive(Clone, Debug)]
pub struct Wish {
    pub module: usize,
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

#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub completed: u64,
    pub total: Option<u64>,
    pub units: String,
}

#[derive(Clone, Debug, Default)]
struct Sums {
    completed: u64,
    total: u64,
    known_total: bool,
    units: Vec<String>,
    terminal: u64,
    known: u64,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub wish: Wish,
    pub parent: Option<usize>,
    pub born: u64,
    pub started: bool,
    /// Terminal, with its error if it failed.
    pub ended: Option<Option<String>>,
    pub settled: bool,
    pub gone: Option<GoneReason>,
    pub abort: Option<String>,
    pub completed: u64,
    pub total: Option<u64>,
    pub deadline: Option<u64>,
    pub live: Vec<usize>,
    pub succeeded: VecDeque<Record>,
    pub failed: Vec<Record>,
    pub counts: (u64, u64, u64),
    pub first_error: Option<String>,
    folded: Sums,
}

pub struct Model {
    pub now: u64,
    pub ttl: u64,
    pub user_ttl: u64,
    pub bounds: Bounds,
    pub tasks: Vec<Task>,
    pub closing: [bool; 2],
}

/// How an owner ends its task.
#[derive(Clone, Copy, Debug)]
pub enum How {
    Finish,
    Fail,
    Drop,
}

impl Task {
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

impl Sums {
    fn add(&mut self, shown: &Shown, terminal: bool) {
        self.completed += shown.completed;
        self.total += shown.total.unwrap_or(0).max(shown.completed);
        self.known_total |= shown.total.is_some();
        self.terminal += u64::from(terminal);
        self.known += 1;
        if !self.units.contains(&shown.units) {
            self.units.push(shown.units.clone());
        }
    }
}

impl Model {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            now: 0,
            ttl: 10,
            user_ttl: 100,
            bounds,
            tasks: Vec::new(),
            closing: [false; 2],
        }
    }

    /// A task in the state `created`.
    pub fn create(&mut self, parent: Option<usize>, wish: Wish) -> usize {
        let task = self.tasks.len();
        self.tasks.push(Task {
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
        let own = match how {
            // A task that was not started never is done.
            How::Finish if !self.tasks[task].started && self.reached(task).is_none() => {
                Some("finished before it was started".to_owned())
            }
            How::Finish => None,
            How::Fail => Some("failed".to_owned()),
            How::Drop => Some("dropped before it finished".to_owned()),
        };
        let error = match (self.reached(task), own) {
            (Some(reason), Some(own)) => Some(format!("aborted: {reason}: {own}")),
            (Some(reason), None) => Some(format!("aborted: {reason}")),
            (None, own) => own,
        };
        let as_asked = error.is_none() || !matches!(how, How::Finish);
        self.tasks[task].ended = Some(error);
        self.settle(task);
        as_asked
    }

    fn settle(&mut self, task: usize) {
        if self.tasks[task].ended.is_none() || !self.tasks[task].live.is_empty() {
            return;
        }
        self.tasks[task].settled = true;
        match self.tasks[task].parent {
            Some(parent) => {
                self.fold(task, parent);
                self.settle(parent);
            }
            None => self.retain(task),
        }
    }

    fn retain(&mut self, root: usize) {
        let (now, ttl, user_ttl) = (self.now, self.ttl, self.user_ttl);
        let closing = self.closing[self.tasks[root].wish.module];
        let task = &mut self.tasks[root];
        let ttl = if task.wish.user { user_ttl } else { ttl };
        if closing {
            task.gone = Some(GoneReason::Drained);
        } else if ttl == 0 || task.wish.internal {
            task.gone = Some(GoneReason::Expired);
        } else {
            task.deadline = Some(now + ttl);
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
        at.folded.add(&shown, true);
        match record.error {
            Some(_) => at.counts.1 += 1,
            None => at.counts.0 += 1,
        }
        at.counts.2 += record.not_kept;
        let error = record.error.clone().or_else(|| record.first_error.clone());
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

    /// What a task shows of its progress.
    pub fn shown(&self, task: usize) -> Shown {
        let at = &self.tasks[task];
        let mut sums = at.folded.clone();
        for child in &at.live {
            sums.add(&self.shown(*child), self.tasks[*child].ended.is_some());
        }
        let own = Shown {
            completed: at.completed,
            total: at.total,
            units: at.wish.units.to_owned(),
        };
        if sums.known == 0 {
            let silent = own.completed == 0 && own.total.is_none() && own.units.is_empty();
            return match silent {
                true => Shown {
                    completed: at.ended.is_some().into(),
                    total: Some(1),
                    ..own
                },
                false => own,
            };
        }
        let theirs = match sums.units.as_slice() {
            [units] => Shown {
                completed: sums.completed,
                total: sums.known_total.then_some(sums.total),
                units: units.clone(),
            },
            _ => Shown {
                completed: sums.terminal,
                total: Some(sums.known),
                units: "children".into(),
            },
        };
        let comparable = own.units.is_empty() || own.units == theirs.units;
        let mixed = sums.units.len() > 1;
        match own.total {
            Some(total) if comparable && (own.completed == 0 || !mixed) => Shown {
                completed: own.completed.max(theirs.completed),
                total: Some(total),
                units: theirs.units,
            },
            None if comparable && own.completed == 0 => theirs,
            _ => own,
        }
    }

    pub fn unsettled(&self, module: usize) -> impl Iterator<Item = usize> {
        let in_module = move |task: &usize| {
            let task = &self.tasks[*task];
            task.wish.module == module && !task.settled
        };
        (0..self.tasks.len()).filter(in_module)
    }

    /// Makes what has expired be gone.
    pub fn expire(&mut self) {
        for task in &mut self.tasks {
            if task.gone.is_none() && task.deadline.is_some_and(|deadline| deadline <= self.now) {
                task.gone = Some(GoneReason::Expired);
            }
        }
    }

    pub fn drain(&mut self, module: usize) -> usize {
        let drained = self.tasks.iter_mut().filter(|task| {
            task.wish.module == module && task.deadline.is_some() && task.gone.is_none()
        });
        drained
            .map(|task| task.gone = Some(GoneReason::Drained))
            .count()
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
