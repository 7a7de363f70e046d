//! Waiting for a task: on a thread that sleeps, or by a callback.

use std::sync::Arc;

use super::{Engine, TaskRef};
use crate::arena::Held;
use crate::error::{Error, Result};
use crate::node::callback;
use crate::node::extras::DoneCallback;
use crate::node::word::WATCHED;
use crate::snapshot;
use crate::sync::Deadline;

impl Engine {
    /// Registers a completion callback; it runs now if the task has ended.
    pub(crate) fn on_done(&'static self, held: &Held, callback: DoneCallback) -> Result<u64> {
        self.realm.check_fork()?;
        let slot = held.slot();
        Held::check_room(slot)?;
        let extras = slot.extras_or_new(self.realm);
        let number = {
            let mut parts = extras.lock();
            parts.next_callback += 1;
            let number = parts.next_callback;
            parts.done.push((number, Arc::clone(&callback)));
            number
        };
        // The finisher either sees the mark, or has ended the task before it: then whoever
        // takes the callback off the list runs it.
        slot.word.mark(WATCHED);
        let ended = Engine::is_over(TaskRef::of(held));
        if ended && self.take_done(held, number) {
            callback.run(Ok(snapshot::status(held, self)));
        } else if self.is_overdue() && self.take_done(held, number) {
            // The same with a close whose deadline has passed.
            callback.run(Err(Error::closed("the manager")));
        }
        Ok(number)
    }

    fn take_done(&'static self, held: &Held, number: u64) -> bool {
        let Some(extras) = held.slot().extras(self.realm) else {
            return false;
        };
        let mut parts = extras.lock();
        let at = parts.done.iter().position(|(other, _)| *other == number);
        let taken = at.map(|at| parts.done.swap_remove(at));
        drop(parts);
        taken.is_some()
    }

    pub(crate) fn forget_done(&'static self, held: &Held, callback: &DoneCallback, number: u64) {
        self.take_done(held, number);
        callback.cancel();
    }

    /// Sleeps until the task has ended.
    pub(crate) fn wait(&'static self, held: &Held, deadline: &Deadline) -> Result<()> {
        self.realm.check_fork()?;
        let task = TaskRef::of(held);
        if Engine::is_over(task) {
            return Ok(());
        }
        if callback::is_inside() && !deadline.has_passed() {
            return Err(Error::would_deadlock("waiting for a task"));
        }
        if !matches!(deadline, Deadline::Now) {
            // The finisher either sees the mark and wakes who sleeps, or has ended the task
            // before it.
            task.slot.word.mark(WATCHED);
            let is_over = || Engine::is_over(task) || self.is_overdue();
            let in_time = self.realm.sleep(task.slot, deadline, is_over);
            if Engine::is_over(task) {
                return Ok(());
            }
            if in_time {
                return Err(Error::closed("the manager"));
            }
        }
        Err(Error::timeout(task.id()))
    }

    /// What is told to one who comes too late, as another handle ends the task: once it has
    /// ended, with all that its end brings about. Inside a callback, which that may wait for,
    /// it is told at once.
    #[cold]
    pub(super) fn too_late(&'static self, task: TaskRef) -> Error {
        if !Engine::is_over(task) && !callback::is_inside() && !self.realm.is_forked() {
            task.slot.word.mark(WATCHED);
            let is_over = || Engine::is_over(task);
            self.realm.sleep(task.slot, &Deadline::Never, is_over);
        }
        Error::finished(task.id())
    }
}
