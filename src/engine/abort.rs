//! Aborts: who asks for one, who finds it, and who is called by it.

use super::{Engine, TaskRef};
use crate::error::{Error, Result};
use crate::node::callback;
use crate::node::extras::{AbortMark, AbortTicket};
use crate::node::slot::ABORTABLE;
use crate::node::text::Text;
use crate::node::word::{ENDING, PARTS, SETTLED, TERMINAL};
use crate::sync::Ordering;
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
}
