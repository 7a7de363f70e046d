//! What the handles of an owner share that several threads have.

use super::{Engine, Outcome, TaskRef};
use crate::arena::{NONE, Numbered, Pooled};
use crate::error::Result;
use crate::node::progress::Last;
use crate::node::slot::Slot;
use crate::node::word::PARTS;
use crate::sync::{AllAtomic, AtomicRef, AtomicU32, AtomicU64, Ordering};
use crate::tree::abort::Seen;
use crate::tree::root::Tree;

/// What is behind the handles of a shared owner: for bindings, whose own handle is its address.
/// See [`SharedTask::leak`](crate::SharedTask::leak).
///
/// It lies beside the slot of its task, and like that keeps its address for ever: whoever comes too
/// late finds another task, and never memory that is none. So it does nothing by itself: it may
/// be the address of another's task by now.
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// # let task = manager.register_module("repair")?.task("repair").start()?.share();
/// let _raw: &'static taskmgr::RawTask = task.leak();
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Debug)]
pub struct RawTask {
    slot: AtomicRef<Slot>,
    tree: AtomicRef<Tree>,
    seen: Seen,
    /// What the task came to, for as long as its handles alone can tell.
    last: (AtomicU64, AtomicU64),
    handles: AtomicU32,
    /// Not 0 once somebody ends the task in more than a step.
    is_claimed: AtomicU32,
}

impl Pooled for RawTask {
    fn new(_: u32) -> Self {
        Self {
            slot: AtomicRef::none(),
            tree: AtomicRef::none(),
            seen: Seen::at(0),
            last: (AtomicU64::new(0), AtomicU64::new(0)),
            handles: AtomicU32::new(0),
            is_claimed: AtomicU32::new(0),
        }
    }
}

// SAFETY: its fields are atomics, and the insides of the references and of what was seen are.
#[allow(unsafe_code)]
unsafe impl AllAtomic for RawTask {
    #[cfg(all(test, any(loom, shuttle)))]
    fn blank(&self) {
        self.slot.clear();
        self.tree.clear();
        self.seen.set(&Seen::at(0));
        self.last.0.store(0, Ordering::Relaxed);
        self.last.1.store(0, Ordering::Relaxed);
        self.handles.store(0, Ordering::Relaxed);
        self.is_claimed.store(0, Ordering::Relaxed);
    }
}

impl RawTask {
    /// That of the task's one owner, who goes with it.
    #[inline]
    pub(crate) fn of(task: TaskRef) -> &'static Self {
        // In a forked child no lock may be taken, which a first one of its kind could need.
        let realm = task.realm();
        let raw = match realm.is_forked() {
            true => Box::leak(Box::new(Self::new(NONE))),
            false => realm.shared.beside(task.slot.number()),
        };
        raw.prepare(task);
        raw
    }

    #[inline]
    fn prepare(&self, task: TaskRef) {
        self.slot.set(task.slot);
        self.tree.set(task.tree);
        self.seen.set(&Seen::nothing_yet(task.slot, task.tree));
        self.is_claimed.store(0, Ordering::Relaxed);
        self.handles.store(1, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn slot(&self) -> &'static Slot {
        self.slot.get().expect("prepared")
    }

    #[inline]
    pub(crate) fn task(&self) -> TaskRef {
        TaskRef {
            slot: self.slot(),
            tree: self.tree.get().expect("prepared"),
        }
    }

    pub(crate) fn start(&self) -> Result<()> {
        let task = self.task();
        let end = || self.end(Outcome::Done);
        task.engine().start_task(task, &self.seen, end)
    }

    #[inline]
    pub(crate) fn checkpoint(&self) -> Result<()> {
        let task = self.task();
        task.engine().checkpoint(task, &self.seen)
    }

    #[inline]
    pub(crate) fn abort_requested(&self) -> bool {
        let tree = self.tree.get().expect("prepared");
        !self.seen.is_current(tree) && {
            let task = self.task();
            task.engine().abort_requested(task, &self.seen)
        }
    }

    /// The first to come ends the task. Where that takes more than a step it has a handle of its
    /// own meanwhile: the host's code that runs then may free the last one.
    #[inline]
    pub(crate) fn end(&self, outcome: Outcome) -> Result<()> {
        let task = self.task();
        let engine = task.engine();
        engine.realm.check_fork()?;
        // Published with the end.
        let keep = |last: Last| {
            self.last.0.store(last.completed, Ordering::Relaxed);
            self.last.1.store(last.total, Ordering::Relaxed);
        };
        let mut is_mine = false;
        let claim = || {
            is_mine = self.is_claimed.swap(1, Ordering::AcqRel) == 0;
            if is_mine {
                self.retain();
            }
            is_mine
        };
        let ended = engine.end_kept(task, outcome, keep, claim);
        if is_mine {
            self.release();
        }
        ended
    }

    /// Where a task has ended that nobody but its owner could see, others go on counting in
    /// its slot. Who has a further handle finds its figures beside it: had that been taken
    /// before the end, they would have been put there then; now they are.
    pub(crate) fn fix(&self) {
        let task = self.task();
        if Engine::has_ended(task) && !task.realm().is_forked() {
            let last = Last {
                completed: self.last.0.load(Ordering::Relaxed),
                total: self.last.1.load(Ordering::Relaxed),
            };
            let extras = task.slot.extras_or_new(task.realm());
            extras.lock().frozen.get_or_insert(last);
            task.slot.word.mark(PARTS);
        }
    }

    pub(crate) fn retain(&self) {
        // As many handles as would come round fit into no memory.
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// A handle goes, and the task fails with the last if nobody has ended it.
    #[inline]
    pub(crate) fn release(&self) {
        let handles = &self.handles;
        // Who alone has a handle needs no atomic operation to let it go. What the others did
        // with theirs has happened before.
        if handles.load(Ordering::Acquire) != 1 && handles.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let task = self.task();
        let realm = task.realm();
        match Engine::has_ended(task) && !realm.is_forked() {
            true => realm.release(task.slot, 1),
            false => task.owner_goes(&Seen::nothing_yet(task.slot, task.tree)),
        }
    }
}
