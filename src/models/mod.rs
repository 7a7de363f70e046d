//! Every race between two threads, played through by `loom` on the code that ships.
//!
//! A model is named after what it shows, and its comment says which change breaks it. Run
//! them with `RUSTFLAGS="--cfg loom" cargo test --release --lib models`. One that takes minutes
//! has a name that begins with `long_`, and its place in `tests/run soak`.
//!
//! An execution leaves some 5 KB behind, as pools are never given back: a hundred thousand of
//! them are much for a model.
//!
//! Loom plays through what the memory model allows in executions with a bounded number of
//! preemptions. Not modelled: the standard library's `OnceLock`, `Arc` and channels; no
//! modelled operation lies within them. Its parking of threads is modelled by a lock and a
//! condition variable.

mod abort;
mod callback;
mod close;
mod end;
mod evict;
mod fold;
mod live;
mod lookup;
mod memory;
mod progress;
mod reaper;
mod registrations;
mod retain;
mod reused;
mod settled;
mod suspend;
mod wait;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::node::slot::Slot;
use crate::{Clock, Manager, ManagerBuilder, ManualClock, Module, Observer, Task};

/// Plays the model through, with up to so many preemptions in an execution.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    // Every execution sets a whole manager up, and takes it down again.
    builder.max_branches = 50_000;
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&executions);
    let begun = Instant::now();
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        model();
    });
    println!("{executions:?} executions in {:?}", begun.elapsed());
}

/// A manager with one module, on a clock that stands still.
struct Host {
    manager: Manager,
    repair: Module,
    clock: ManualClock,
}

/// For how long the roots of users are kept; others are not.
const TTL: Duration = Duration::from_secs(60);

impl Host {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(set: impl FnOnce(ManagerBuilder) -> ManagerBuilder) -> Self {
        let clock = ManualClock::new();
        let builder = Manager::builder()
            .clock(Clock::Manual(clock.clone()))
            .reaper(false)
            .user_task_ttl(TTL);
        let manager = set(builder).build().expect("a manager");
        let repair = manager.register_module("repair").expect("a module");
        Self {
            manager,
            repair,
            clock,
        }
    }

    /// A running root that an observer may abort, and that is not kept.
    fn root(&self) -> Task {
        let root = self.repair.task("repair").abortable().start();
        root.expect("a root")
    }

    /// The same, kept when it has settled.
    fn kept_root(&self) -> Task {
        let root = self.repair.task("repair").user_task().abortable().start();
        root.expect("a root")
    }
}

/// The slot of a regular task.
fn slot_of(observer: &Observer) -> &'static Slot {
    let (held, _) = observer.registered().expect("a regular task");
    held.slot()
}

/// Counts where no scheduler looks, so that counting adds nothing to a model.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// A callback's user data, which counts how often it is destroyed.
struct Data(Count);

impl Drop for Data {
    fn drop(&mut self) {
        self.0.add();
    }
}
