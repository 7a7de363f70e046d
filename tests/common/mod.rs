//! What many tests begin with.
#![allow(dead_code, unreachable_pub)] // each test uses a part of it

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use taskmgr::{Clock, Manager, ManagerBuilder, ManualClock, Module, Uuid};

/// Longer than any machine needs for anything, so that what hangs fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A manager whose time stands still, and which keeps finished roots for a minute.
pub struct Node {
    pub manager: Manager,
    pub clock: ManualClock,
    pub module: Module,
}

pub fn node() -> Node {
    node_with(|builder| builder)
}

pub fn node_with(set: impl FnOnce(ManagerBuilder) -> ManagerBuilder) -> Node {
    let clock = ManualClock::new();
    let builder = Manager::builder()
        .clock(Clock::Manual(clock.clone()))
        .task_ttl(seconds(60))
        .user_task_ttl(seconds(600));
    let manager = set(builder).build().unwrap();
    let module = manager.register_module("m").unwrap();
    Node {
        manager,
        clock,
        module,
    }
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Node {
    /// The entities of a tree, breadth-first.
    pub fn entities(&self, id: Uuid) -> Vec<String> {
        let tree = self.manager.status_tree(id).unwrap();
        tree.iter()
            .map(|status| status.entity.to_string())
            .collect()
    }
}

/// Waits for what another thread brings about.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "never came: {what}");
        std::thread::yield_now();
    }
}

/// Ends the process, rather than hang, if `work` does not come back.
pub fn watched(work: impl FnOnce() + Send + 'static) {
    let (sender, done) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        sender.send(()).unwrap();
        if let Err(panic) = result {
            resume_unwind(panic);
        }
    });
    if done.recv_timeout(PATIENCE).is_err() {
        eprintln!("deadlock: {:?}", std::thread::current().name());
        std::process::abort();
    }
    if let Err(panic) = worker.join() {
        resume_unwind(panic);
    }
}

/// Xorshift: the same steps in each run, if not the same interleaving.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        (!from.is_empty()).then(|| &from[self.roll(from.len())])
    }

    pub fn take<T>(&mut self, from: &mut Vec<T>) -> Option<T> {
        (!from.is_empty()).then(|| from.swap_remove(self.roll(from.len())))
    }
}
