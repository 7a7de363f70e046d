//! Suspension: a request that the owner's checkpoint sleeps by.

use super::{Engine, TaskRef};
use crate::error::{Error, ErrorCode, Result};
use crate::node::callback;
use crate::node::word::{ENDING, SUSPEND, TERMINAL};
use crate::sync::Deadline;
use crate::tree::abort::{self, Seen};

impl Engine {
    /// Asks the owner to sleep at its next checkpoint.
    pub(crate) fn suspend(&'static self, task: TaskRef) -> Result<()> {
        self.realm.check_fork()?;
        task.slot.word.suspend();
        Ok(())
    }

    /// Lets the owner go on.
    pub(crate) fn resume(&'static self, task: TaskRef) -> Result<()> {
        self.realm.check_fork()?;
        task.slot.word.resume();
        self.realm.wake(task.slot);
        Ok(())
    }

    /// The owner's pause: two loads where nobody asked for anything.
    #[inline]
    pub(crate) fn checkpoint(&'static self, task: TaskRef, seen: &Seen) -> Result<()> {
        if !seen.is_current(task.tree) && self.abort_requested(task, seen) {
            return Err(self.aborted(task));
        }
        match task.slot.word.load().has(SUSPEND) {
            true => self.sleep(task, seen),
            false => Ok(()),
        }
    }

    /// Sleeps until it is resumed, aborted or ended by somebody who shares the task.
    #[cold]
    fn sleep(&'static self, task: TaskRef, seen: &Seen) -> Result<()> {
        if self.realm.is_forked() {
            return Ok(());
        }
        if callback::is_inside() {
            return Err(Error::would_deadlock("sleeping in a checkpoint"));
        }
        // An abort calls this once it has set its mark.
        let wake = move || task.realm().wake(task.slot);
        let alarm = self.on_abort(task, wake)?;
        let is_aborted =
            || !seen.is_current(task.tree) && abort::reaches(task.slot, task.tree, self.realm);
        let is_over = || !task.slot.word.fall_asleep() || is_aborted();
        self.realm.sleep(task.slot, &Deadline::Never, is_over);
        task.slot.word.wake_up();
        if let Some(alarm) = alarm {
            self.forget_abort(task, alarm);
        }
        // Whoever claims the end goes on to it.
        if task.slot.word.load().has(ENDING | TERMINAL) {
            self.too_late(task);
            return Err(Error::new(
                ErrorCode::AlreadyFinished,
                "the task was ended while it slept",
            )
            .with_id(task.id()));
        }
        if !seen.is_current(task.tree) && self.abort_requested(task, seen) {
            return Err(self.aborted(task));
        }
        Ok(())
    }
}
