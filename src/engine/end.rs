//! The end of a task, and everything that it brings about before anybody hears of it.

use std::convert::Infallible;
use std::sync::Arc;

use super::{Engine, TaskRef};
use crate::arena::Held;
use crate::clock::{NEVER, Tick};
use crate::error::{Error, Result};
use crate::node::extras::{AbortMark, DoneCallback, Looks};
use crate::node::slot::Slot;
use crate::node::text::Text;
use crate::node::word::{
    ABORT, ENDING, End, FAILED, GONE, KIDS, NotFinished, NotStarted, PARTS, Reading, SETTLED,
    SETTLING, STARTED, TERMINAL, WAS_ABORTED, WATCHED,
};
use crate::snapshot;
use crate::sync::Ordering;
use crate::tree::abort::{self, Seen};
use crate::tree::fold::{Fold, Parent, Published};
use crate::view::Status;

/// How the owner ends its task.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Done,
    Failed(Arc<str>),
}

/// What the owner's handle does with its reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handle {
    /// The handle goes with the end, and its reference with the same operation.
    Goes,
    /// The handle stays, and gives its reference back when it is dropped.
    Stays,
}

/// The end that is about to be published.
#[derive(Clone, Copy)]
pub(super) struct Ending {
    flags: u64,
    /// What of the task the finisher has seen to.
    seen: u64,
    handle: Handle,
}

impl Ending {
    pub(super) const PLAIN: Self = Self {
        flags: 0,
        seen: 0,
        handle: Handle::Goes,
    };

    #[inline]
    pub(super) fn end(&self, flags: u64, refs: u32) -> End {
        End {
            flags: self.flags | flags,
            refs,
            seen: self.seen,
        }
    }
}

impl Engine {
    /// created → running, unless an abort was faster: then the task has to be ended by `end`,
    /// which says so.
    pub(crate) fn start_task(
        &'static self,
        task: TaskRef,
        seen: &Seen,
        end: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        self.realm.check_fork()?;
        let reading = task.slot.word.load();
        if reading.has(TERMINAL | ENDING) {
            return Err(self.too_late(task));
        }
        if reading.has(STARTED) {
            return Err(Error::started(task.id()));
        }
        if !seen.is_current(task.tree) && abort::reaches(task.slot, task.tree, self.realm) {
            return Err(never_started(task, end()));
        }
        // Of two who start it the first to come here sets the time, whoever is told to go on.
        let now = self.now().max(task.slot.born());
        let start = &task.slot.start;
        let _ = start.compare_exchange(NEVER, now, Ordering::Relaxed, Ordering::Relaxed);
        match task.slot.word.start() {
            Ok(_) => Ok(()),
            Err(NotStarted::Aborted) => Err(never_started(task, end())),
            Err(NotStarted::Ended) => Err(self.too_late(task)),
            Err(NotStarted::Already) => Err(Error::started(task.id())),
        }
    }

    /// Ends the task: `Err(Aborted)` if it had to end as failed because of an abort, and
    /// `Err(AlreadyFinished)` if somebody else was faster. Whatever comes back, a handle
    /// that goes has given its reference back.
    #[inline(never)]
    pub(crate) fn end_task(
        &'static self,
        task: TaskRef,
        seen: &Seen,
        outcome: Outcome,
        handle: Handle,
    ) -> Result<()> {
        if handle == Handle::Stays {
            // Whoever keeps the handle may go on counting; what it shows has to be fixed.
            task.slot.extras_or_new(self.realm);
            task.slot.word.mark(PARTS);
        }
        let mut begun = false;
        let mut look = !seen.is_current(task.tree);
        loop {
            if task.slot.word.load().has(PARTS) && !begun {
                if task.slot.word.begin_end().is_err() {
                    return Err(self.lost(task, handle));
                }
                begun = true;
                self.see_to_parts(task)?;
            }
            let mark = match look {
                true => abort::mark_of(task.slot, task.tree, self.realm),
                false => None,
            };
            let (outcome, error) = self.judge(task, &outcome, mark.as_ref());
            let ending = self.write_end(task, &outcome, mark, handle, begun);
            match self.publish(task, &ending) {
                Ok(()) => return error.map_or(Ok(()), Err),
                Err(NotFinished::Already) => return Err(self.lost(task, handle)),
                // The mark is there, if not yet the epoch that tells of it.
                Err(NotFinished::Aborted) => look = true,
                // A first child, or a reporter.
                Err(NotFinished::Changed) => {}
            }
        }
    }

    /// What becomes of the outcome that the owner asked for, and the error that tells it if
    /// that is another. `fail` ends a task as it was asked to, whatever else was in its way.
    #[inline]
    fn judge(
        &self,
        task: TaskRef,
        asked: &Outcome,
        mark: Option<&AbortMark>,
    ) -> (Outcome, Option<Error>) {
        match (asked, mark) {
            (Outcome::Failed(_), _) => (asked.clone(), None),
            (Outcome::Done, Some(mark)) => (
                Outcome::Done,
                Some(Error::aborted(task.id(), mark.text.reason())),
            ),
            (Outcome::Done, None) if !task.slot.word.load().has(STARTED) => (
                Outcome::Failed("finished before it was started".into()),
                Some(Error::not_started(task.id())),
            ),
            (Outcome::Done, None) => (Outcome::Done, None),
        }
    }

    fn lost(&'static self, task: TaskRef, handle: Handle) -> Error {
        // Whoever was faster did it in one step: for more than one it is claimed.
        let error = Error::finished(task.id());
        if handle == Handle::Goes {
            self.realm.release(task.slot, 1);
        }
        error
    }

    /// Callbacks go off the tree's list and are waited for, and the figures of all who
    /// count are added up for good. After this nobody adds parts: they look for `ENDING`.
    ///
    /// What a callback owns is the host's, and may fork as it is dropped: the child stops here.
    fn see_to_parts(&'static self, task: TaskRef) -> Result<()> {
        let Some(extras) = task.slot.extras(self.realm) else {
            return Ok(());
        };
        // Whoever was about to enter the list has, or sees `ENDING` under this lock.
        let callbacks = std::mem::take(&mut extras.lock().aborts);
        for ticket in callbacks {
            self.realm.hooks.get(ticket.tree).forget(ticket);
            self.realm.check_fork()?;
        }
        let mut parts = extras.lock();
        parts.frozen = Some(parts.last(task.slot));
        Ok(())
    }

    #[inline]
    pub(super) fn write_end_time(&self, task: TaskRef) {
        let end = self.end_time(task);
        task.slot.end.store(end, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn end_time(&self, task: TaskRef) -> Tick {
        let start = task.slot.start.load(Ordering::Relaxed);
        let earliest = match start {
            NEVER => task.slot.born(),
            start => start,
        };
        self.now().max(earliest)
    }

    /// Writes what a terminal flag lets others read.
    fn write_end(
        &'static self,
        task: TaskRef,
        outcome: &Outcome,
        abort: Option<AbortMark>,
        handle: Handle,
        begun: bool,
    ) -> Ending {
        self.write_end_time(task);
        let budget = &task.tree.texts;
        let error = match (outcome, &abort) {
            (Outcome::Done, None) => None,
            (Outcome::Done, Some(mark)) => Some(mark.text.clone()),
            (Outcome::Failed(error), None) => Some(Text::of_error(error, budget)),
            (Outcome::Failed(error), Some(mark)) => Some(mark.text.with_error(error, budget)),
        };
        let mut flags = 0;
        let mut seen = if begun { PARTS } else { 0 };
        if abort.is_some() {
            seen |= ABORT;
        }
        if let Some(error) = error {
            flags |= FAILED;
            let looks = Looks::read(task.slot);
            let mut parts = task.slot.extras_or_new(self.realm).lock();
            parts.error = Some(error);
            parts.looks = looks;
            if let Some(mark) = abort {
                flags |= WAS_ABORTED;
                parts.abort = Some(mark);
            }
        }
        Ending {
            flags,
            seen,
            handle,
        }
    }

    /// The winning transition, with the fold or the retention that goes with it, and then
    /// the waking of whoever waits.
    fn publish(&'static self, task: TaskRef, ending: &Ending) -> Result<(), NotFinished> {
        let slot = task.slot;
        let handle_refs = u32::from(ending.handle == Handle::Goes);
        let mut ending = *ending;
        if let Some(kids) = slot.kids(self.realm) {
            ending.seen |= KIDS;
            if kids.close() > 0 {
                // Whoever lets go of the kids last settles it.
                slot.word.finish(ending.end(SETTLING, 0))?;
                let settles = kids.let_go().then_some(slot);
                self.bring_about(task, settles, handle_refs);
                return Ok(());
            }
        }
        match slot.parent(self.realm) {
            Some(parent) => self.publish_child(task, parent, &ending),
            None => {
                self.settle_counted(|| slot.word.finish(ending.end(SETTLED | SETTLING, 0)))?;
                self.root_settled(task);
                self.woken(task, slot.word.brought_about(), handle_refs);
                Ok(())
            }
        }
    }

    /// The same for a child whose own children have all folded: it folds with its end.
    fn publish_child(
        &'static self,
        task: TaskRef,
        parent: &'static Slot,
        ending: &Ending,
    ) -> Result<(), NotFinished> {
        let slot = task.slot;
        let handle_refs = u32::from(ending.handle == Handle::Goes);
        let refs = 1 + handle_refs;
        let end = ending.end(SETTLED | GONE, refs);
        // The last child of a parent that has ended keeps its references until its ancestors
        // have settled with it.
        let last = ending.end(SETTLED | GONE | SETTLING, 0);
        let host_id = self.host_id(slot);
        let folded = self
            .folding(task, parent, ending.flags & FAILED != 0)
            .run(|is_last| {
                let end = if is_last { last } else { end };
                let before = self.settle_counted(|| slot.word.finish(end))?;
                let freed = end.freed(before);
                Ok(Published { before, freed })
            })?;
        self.forget_host_id(host_id);
        match folded.parent {
            Parent::GoesOn => self.child_folded(task, end, folded.before),
            Parent::HasEnded { settles } => {
                self.bring_about(task, settles.then_some(parent), refs);
            }
        }
        Ok(())
    }

    /// Settles who settles with an end that was published as `SETTLING`, and gave none of its
    /// references back; then it is over. Callbacks come last: what one waits for is over, too.
    #[cold]
    fn bring_about(&'static self, task: TaskRef, settles: Option<&'static Slot>, refs: u32) {
        let root = settles.and_then(|first| self.settle_from(first, task));
        let before = task.slot.word.brought_about();
        self.woken(task, before, refs);
        if let Some(held) = root {
            let slot = held.slot();
            self.woken(TaskRef { slot, ..task }, slot.word.mark(0), 0);
        }
    }

    #[inline(always)]
    pub(super) fn child_folded(&'static self, task: TaskRef, end: End, before: Reading) {
        match end.freed(before) {
            true => self.realm.free_slot(task.slot),
            // The handle stays, and has given back what was not its own.
            false if end.refs_dropped(before) > 0 => {}
            false => self.woken(task, before, end.refs),
        }
    }

    #[inline]
    pub(super) fn folding(&self, task: TaskRef, parent: &'static Slot, failed: bool) -> Fold {
        Fold {
            child: task.slot,
            parent,
            tree: task.tree,
            realm: self.realm,
            bounds: self.bounds(),
            failed,
        }
    }

    /// Settles a task that has ended before and whose last child has folded, and whoever
    /// settles with it, one at a time up to the root. If that has settled, its callbacks are the
    /// caller's to run.
    #[cold]
    fn settle_from(&'static self, first: &'static Slot, below: TaskRef) -> Option<Held> {
        let mut slot = first;
        loop {
            let task = TaskRef { slot, ..below };
            let Some(parent) = slot.parent(self.realm) else {
                // Not settled yet, so its registration's reference stands.
                let held = Held::retain(slot);
                let Ok(_) = self.settle_counted(|| Ok::<_, Infallible>(slot.word.settle()));
                self.root_settled(task);
                if slot.word.mark(0).has(WATCHED) {
                    self.realm.wake(slot);
                }
                return Some(held);
            };
            let failed = slot.word.load().has(FAILED);
            let host_id = self.host_id(slot);
            let folding = self.folding(task, parent, failed);
            let mut is_free = false;
            let settle = |_| {
                let settle = || Ok(slot.word.settle_child());
                let (before, freed) = self.settle_counted(settle)?;
                is_free = freed;
                Ok(Published { before, freed })
            };
            let Ok(folded) = folding.run(settle) else {
                unreachable!("a settle always succeeds")
            };
            self.forget_host_id(host_id);
            if is_free {
                self.realm.free_slot(slot);
            } else {
                // The registration's reference has stayed.
                if folded.before.has(WATCHED) {
                    self.realm.wake(slot);
                }
                self.realm.release(slot, 1);
            }
            match folded.parent {
                Parent::HasEnded { settles: true } => slot = parent,
                _ => return None,
            }
        }
    }

    /// Wakes who waits for the end, and gives back the references that the end kept for it.
    #[cold]
    fn woken(&'static self, task: TaskRef, before: Reading, refs: u32) {
        // A child forked by a callback of an ancestor's wakes nobody.
        if before.has(WATCHED) && !self.realm.is_forked() {
            self.wake(task);
        }
        if refs > 0 && !self.realm.is_forked() {
            self.realm.release(task.slot, refs);
        }
    }

    fn wake(&'static self, task: TaskRef) {
        self.realm.wake(task.slot);
        let Some(extras) = task.slot.extras(self.realm) else {
            return;
        };
        let callbacks = std::mem::take(&mut extras.lock().done);
        if callbacks.is_empty() {
            return;
        }
        let held = Held::retain(task.slot);
        let status = snapshot::status(&held, self);
        self.call_all(
            callbacks.into_iter().map(|(_, callback)| callback),
            &Ok(status),
        );
    }

    /// Calls each in its turn. A child forked in one of them calls no others, and leaves them and
    /// what they own alone.
    pub(super) fn call_all(
        &self,
        callbacks: impl Iterator<Item = DoneCallback>,
        answer: &Result<Status>,
    ) {
        for callback in callbacks {
            match self.realm.is_forked() {
                true => std::mem::forget(callback),
                false => callback.run(answer.clone()),
            }
        }
    }

    /// Whether the task has ended with all that its end brings about, and it stays so. Who looks in
    /// between sees the end, but its ancestors have not settled with it, or, of a root, it is
    /// neither kept nor forgotten. The one who ends it goes on to see to that, and then looks for
    /// those who have begun to wait meanwhile.
    pub(super) fn is_over(task: TaskRef) -> bool {
        let reading = task.slot.word.load();
        reading.has(TERMINAL) && !reading.has(SETTLING)
    }

    /// Whether the task and all below it have ended, and what that brings about has happened: a
    /// root is kept or forgotten, whoever has settled it.
    pub(super) fn has_settled(task: TaskRef) -> bool {
        let reading = task.slot.word.load();
        let is_seen_to = || match task.slot.is_root() {
            true => reading.has(GONE) || task.tree.deadline() != NEVER,
            false => !reading.has(SETTLING),
        };
        reading.has(SETTLED) && is_seen_to()
    }

    /// Whether the task has ended.
    pub(crate) fn has_ended(task: TaskRef) -> bool {
        task.slot.word.load().has(TERMINAL)
    }
}

/// Why a task has ended that was to start.
fn never_started(task: TaskRef, ended: Result<()>) -> Error {
    ended.err().unwrap_or_else(|| Error::finished(task.id()))
}
