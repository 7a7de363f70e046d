//! A provider that does what a test wants.
#![allow(dead_code, unreachable_pub)] // each test uses a part of it

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use taskmgr::{BoxError, Completion, Provider, State, Stats, Status, Uuid};

pub const ID: Uuid = Uuid::from_u128(0xfa4e);

/// While it is shut, whoever passes sleeps.
#[derive(Default)]
pub struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub fn shut(&self) {
        *self.is_shut.lock().unwrap() = true;
    }

    pub fn open(&self) {
        *self.is_shut.lock().unwrap() = false;
        self.opened.notify_all();
    }

    pub fn pass(&self) {
        let mut is_shut = self.is_shut.lock().unwrap();
        while *is_shut {
            is_shut = self.opened.wait(is_shut).unwrap();
        }
    }
}

type Trouble = Arc<dyn Fn() -> Result<(), BoxError> + Send + Sync>;
type OnWatch = Arc<dyn Fn(Completion) -> Result<(), BoxError> + Send + Sync>;

#[derive(Default)]
pub struct Script {
    pub gate: Gate,
    /// What each call but `watch` comes to, if not to an answer.
    pub trouble: Mutex<Option<Trouble>>,
    /// What `watch` does; it keeps the completion unless told.
    pub on_watch: Mutex<Option<OnWatch>>,
    pub kept: Mutex<Vec<Completion>>,
    pub has_ended: Mutex<bool>,
    /// Whether the task is its own.
    pub is_away: Mutex<bool>,
    pub calls: AtomicUsize,
    pub now: AtomicUsize,
    pub most: AtomicUsize,
}

/// One virtual task, which runs until told otherwise. Clones are the same provider.
#[derive(Clone, Default)]
pub struct Fake(pub Arc<Script>);

impl Fake {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn trouble(&self, trouble: impl Fn() -> Result<(), BoxError> + Send + Sync + 'static) {
        *self.0.trouble.lock().unwrap() = Some(Arc::new(trouble));
    }

    pub fn no_trouble(&self) {
        *self.0.trouble.lock().unwrap() = None;
    }

    pub fn on_watch(&self, f: impl Fn(Completion) -> Result<(), BoxError> + Send + Sync + 'static) {
        *self.0.on_watch.lock().unwrap() = Some(Arc::new(f));
    }

    pub fn away(&self, is_away: bool) {
        *self.0.is_away.lock().unwrap() = is_away;
    }

    pub fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// How many calls are under way, those included that were given up.
    pub fn now(&self) -> usize {
        self.0.now.load(Ordering::SeqCst)
    }

    /// How many were at once.
    pub fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }

    pub fn status(&self) -> Status {
        let mut status = Status::new(ID, "fake");
        status.is_abortable = true;
        if *self.0.has_ended.lock().unwrap() {
            status.state = State::Done;
        }
        status
    }

    pub fn end(&self) {
        *self.0.has_ended.lock().unwrap() = true;
        for completion in std::mem::take(&mut *self.0.kept.lock().unwrap()) {
            completion.complete(Ok(self.status()));
        }
    }

    fn enter(&self) -> Inside<'_> {
        let script = &*self.0;
        script.calls.fetch_add(1, Ordering::SeqCst);
        let now = script.now.fetch_add(1, Ordering::SeqCst) + 1;
        script.most.fetch_max(now, Ordering::SeqCst);
        Inside(script)
    }

    fn check(&self) -> Result<(), BoxError> {
        self.0.gate.pass();
        let trouble = self.0.trouble.lock().unwrap().clone();
        trouble.map_or(Ok(()), |trouble| trouble())
    }

    fn is_its_own(&self, id: Uuid) -> bool {
        id == ID && !*self.0.is_away.lock().unwrap()
    }
}

struct Inside<'a>(&'a Script);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Provider for Fake {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        let _inside = self.enter();
        self.check()?;
        Ok(vec![Stats::new(ID, "fake")])
    }

    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        let _inside = self.enter();
        self.check()?;
        Ok(self.is_its_own(id).then(|| Fake::status(self)))
    }

    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        let _inside = self.enter();
        self.check()
    }

    fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
        let _inside = self.enter();
        let on_watch = self.0.on_watch.lock().unwrap().clone();
        match on_watch {
            Some(on_watch) => on_watch(done),
            None if *self.0.has_ended.lock().unwrap() => {
                done.complete(Ok(Fake::status(self)));
                Ok(())
            }
            None => {
                self.0.kept.lock().unwrap().push(done);
                Ok(())
            }
        }
    }
}
