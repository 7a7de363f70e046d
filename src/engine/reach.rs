//! What others ask of a task: to abort, to sleep, to go on; and those who want to hear of it.

use std::sync::Arc;

use super::{Engine, TaskRef};
use crate::arena::Held;
use crate::error::{Error, ErrorCode, Result};
use crate::node::callback;
use crate::node::extras::{AbortMark, AbortTicket, DoneCallback};
use crate::node::slot::ABORTABLE;
use crate::node::text::Text;
use crate::node::word::{ENDING, PARTS, SETTLED, SUSPEND, TERMINAL, WATCHED};
use crate::snapshot;
use crate::sync::{Deadline, Ordering};
use crate::tree::abort::{self, Seen};
use crate::tree::hooks::{AbortCallback, Hooks};

impl Engine {
    /// An abort by an observer, which a task must be marked for.
    pub(crate) fn abort(&'static self, task: TaskRef, reason: &str) -> Result<()> {
        self.realm.check_fork()?;
        if !task.slot.is(ABORTABLE) {
            return Err(Error::not_abortable(task.id()));
        }
        self.abort_regardless(task, reason);
        Ok(())
    }

    /// An abort by the owner, or by closing its module.
    pub(crate) fn abort_regardless(&'static self, task: TaskRef, reason: &str) {
        if task.slot.word.load().has(SETTLED) || self.realm.is_forked() {
            return;
        }
        // The first reason wins, also where it came from above.
        let above = abort::mark_of(task.slot, task.tree, self.realm);
        let because = || {
            above.unwrap_or_else(|| AbortMark {
                text: Text::of_abort(reason, &task.tree.texts),
                at: self.now(),
            })
        };
        if abort::mark(task.slot, task.tree, self.realm, because) {
            abort::call_hooks(task.slot, task.tree, self.realm);
        }
    }

    /// The check after the epoch has moved, counted if it finds something.
    #[cold]
    pub(crate) fn abort_requested(&'static self, task: TaskRef, seen: &Seen) -> bool {
        let requested = seen.look(task.slot, task.tree, self.realm);
        // What has ended shows those that its end has seen.
        if requested && !Engine::has_ended(task) {
            // Who never stops may look more often than is counted: that is shown as the most.
            let polls = &task.slot.polls;
            let _ = polls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |polls| {
                polls.checked_add(1)
            });
            task.slot.last_poll.store(self.now(), Ordering::Relaxed);
        }
        requested
    }

    /// The error for work that has to stop.
    #[cold]
    pub(crate) fn aborted(&'static self, task: TaskRef) -> Error {
        let mark = abort::mark_of(task.slot, task.tree, self.realm);
        let reason = mark.as_ref().map(|mark| mark.text.reason());
        Error::aborted(task.id(), reason.unwrap_or("no reason was given"))
    }

    /// Registers an abort callback; it runs now if the abort came first, and never if the
    /// task has ended, which gives no ticket.
    pub(crate) fn on_abort(
        &'static self,
        task: TaskRef,
        f: impl FnOnce() + Send + 'static,
    ) -> Result<Option<AbortTicket>> {
        self.realm.check_fork()?;
        let callback: AbortCallback = Box::new(f);
        let extras = task.slot.extras_or_new(self.realm);
        // From here on the finisher claims the end before it takes the callbacks off.
        task.slot.word.mark(PARTS);
        let list = Hooks::make(task.slot, self.realm)?;
        let mut hooks = list.lock();
        let mut parts = extras.lock();
        if task.slot.word.load().has(ENDING | TERMINAL) {
            drop(parts);
            drop(hooks);
            callback::shelter(move || drop(callback));
            return Ok(None);
        }
        let ticket = hooks.add(task.slot, callback);
        // Whoever ends the task waits for it, also while it runs here.
        parts.aborts.push(ticket);
        drop(parts);
        let reached = abort::find_mark(task.slot, task.tree, self.realm).is_some();
        let called = reached.then(|| hooks.start(ticket)).flatten();
        drop(hooks);
        if let Some(callback) = called {
            // The aborter may not have come to it: who is called finds the abort from here on.
            task.tree.raise_epoch();
            list.run(ticket, callback);
        }
        Ok(Some(ticket))
    }

    /// Takes an abort callback off, and waits if it is running on another thread. Until it is over
    /// whoever ends the task finds it, to wait for it, too.
    pub(crate) fn forget_abort(&'static self, task: TaskRef, ticket: AbortTicket) {
        let is_over = self.realm.hooks.get(ticket.tree).forget(ticket);
        if is_over
            && !self.realm.is_forked()
            && let Some(extras) = task.slot.extras(self.realm)
        {
            extras.lock().aborts.retain(|other| *other != ticket);
        }
    }

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
