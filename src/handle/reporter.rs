//! A further handle of a task, for another worker.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use super::{AsParent, AsTask, TaskContext, counting};
use crate::arena::{Held, NONE, Pooled};
use crate::engine::{ParentSpec, TaskRef};
use crate::node::progress;
use crate::node::word::PARTS;
use crate::sync::{AtomicU64, Ordering};

/// One more handle of a task for another worker.
///
/// It counts in a cell of its own, which nobody else writes; the task's `completed` is the
/// sum over all. It can make children and look for an abort, but not end the task. A clone
/// is a further worker's, with a cell of its own.
///
/// ```
/// # let manager = taskmgr::Manager::builder().build()?;
/// let task = manager.register_module("repair")?.task("repair").total(8, "ranges").start()?;
/// let workers: Vec<_> = (0..2)
///     .map(|_| task.reporter())
///     .map(|worker| std::thread::spawn(move || (0..4).for_each(|_| worker.advance(1))))
///     .collect();
/// workers.into_iter().for_each(|worker| worker.join().unwrap());
/// assert_eq!(task.status()?.progress.completed, 8);
/// task.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
pub struct Reporter {
    context: TaskContext,
    cell: &'static progress::Cell,
    not_sync: PhantomData<Cell<()>>,
}

impl Reporter {
    pub(super) fn of(task: TaskRef) -> Self {
        let realm = task.realm();
        if realm.is_forked() {
            // No lock may be taken, and nobody will ever read what is counted.
            let cell = Box::leak(Box::new(progress::Cell::new(NONE)));
            return Self {
                context: TaskContext::new(task),
                cell,
                not_sync: PhantomData,
            };
        }
        let cell = realm.cells.take_one();
        let cell = cell.expect("there is memory, and 67 million reporters are enough");
        Held::retain(task.slot).into_counted();
        cell.counted.store(0, Ordering::Relaxed);
        let extras = task.slot.extras_or_new(realm);
        extras.lock().cells.push(cell);
        // Whoever ends the task from here on adds the cells up; one that is ending it now
        // has done so, or does not know of this cell, in which nothing is counted yet.
        task.slot.word.mark(PARTS);
        Self {
            context: TaskContext::new(task),
            cell,
            not_sync: PhantomData,
        }
    }

    #[inline]
    fn cell(&self) -> &'static AtomicU64 {
        &self.cell.counted
    }

    counting!(
        "# let manager = taskmgr::Manager::builder().build()?;\n# let owner = manager.register_module(\"repair\")?.task(\"repair\").start()?;\n# let task = owner.reporter();",
        progress::advance_alone
    );
}

impl Clone for Reporter {
    fn clone(&self) -> Self {
        Self::of(self.context.task)
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        let task = self.context.task;
        let realm = task.realm();
        if realm.is_forked() {
            return;
        }
        if let Some(extras) = task.slot.extras(realm) {
            let mut parts = extras.lock();
            let counted = self.cell.counted.load(Ordering::Relaxed);
            parts.retired = parts.retired.saturating_add(counted);
            parts.cells.retain(|cell| !std::ptr::eq(*cell, self.cell));
        }
        realm.cells.give(self.cell);
        realm.release(task.slot, 1);
    }
}

impl Deref for Reporter {
    type Target = TaskContext;
    fn deref(&self) -> &TaskContext {
        &self.context
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reporter({:?})", self.context)
    }
}

impl AsParent for Reporter {
    #[allow(private_interfaces)] // sealed: nobody outside can name or call it
    fn as_parent(&self) -> ParentSpec {
        self.context.as_parent()
    }
}

impl AsTask for Reporter {}
