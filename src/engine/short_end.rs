//! The short way of most ends, and owners that go; [`end`](super::end) has the long one.

use super::end::Ending;
use super::{Engine, Handle, Outcome, TaskRef};
use crate::error::Result;
use crate::names::NameSet;
use crate::node::progress::Last;
use crate::node::slot::{HOST_ID, Slot};
use crate::node::word::{
    ABORT, ENDING, End, GONE, KIDS, NotFinished, PARTS, SETTLED, STARTED, TERMINAL,
};
use crate::sync::Ordering;
use crate::tree::abort::Seen;
use crate::tree::fold::{Fold, Folded};
use crate::tree::root::Tree;

impl TaskRef {
    /// The last handle of its owner goes: a task that has not ended has failed.
    pub(crate) fn owner_goes(self, seen: &Seen) {
        if self.realm().is_forked() {
            return;
        }
        let error = match std::thread::panicking() {
            true => "panicked",
            false => "dropped before it finished",
        };
        let outcome = Outcome::Failed(error.into());
        // A task that has ended already only gives its reference back.
        let _ = self.engine().end_task(self, seen, outcome, Handle::Goes);
    }
}

impl Engine {
    /// Ends the task for its one owner, whose handle goes, as [`end_task`](Self::end_task).
    #[inline(always)]
    pub(crate) fn end_owned(
        &'static self,
        task: TaskRef,
        epoch: u64,
        outcome: Outcome,
    ) -> Result<()> {
        let is_done = matches!(outcome, Outcome::Done);
        match is_done && self.end_plainly(task.slot, task.tree, epoch) {
            true => Ok(()),
            false => self.end_task(task, &Seen::at(epoch), outcome, Handle::Goes),
        }
    }

    /// Ends the task for one whose handle stays. If nobody else sees its last figures, `keep` is
    /// told them, as others go on counting in the slot. If it cannot be ended so simply, the
    /// first to `claim` that does it.
    #[inline]
    pub(crate) fn end_kept(
        &'static self,
        task: TaskRef,
        outcome: Outcome,
        keep: impl FnOnce(Last),
        claim: impl FnOnce() -> bool,
    ) -> Result<()> {
        // A view of its own: another thread's check may move the handle's on.
        let seen = Seen::nothing_yet(task.slot, task.tree);
        let is_done = matches!(outcome, Outcome::Done);
        match is_done && self.end_unseen(task.slot, task.tree, seen.epoch(), keep) {
            true => Ok(()),
            false if claim() => self.end_task(task, &seen, outcome, Handle::Stays),
            false => Err(self.too_late(task)),
        }
    }

    /// The end of most tasks: of a child that did its work, was not told to abort and has
    /// nothing that has to be seen to. One try; `false` if anything is out of the ordinary,
    /// which [`end_task`](Self::end_task) sees to.
    #[inline(never)]
    fn end_plainly(&'static self, slot: &'static Slot, tree: &'static Tree, epoch: u64) -> bool {
        let end = Ending::PLAIN.end(SETTLED | GONE, 2);
        self.end_short(slot, tree, epoch, end, |task, folding, names| {
            self.write_end_time(task);
            let kids = folding.parent.kids(self.realm);
            folding.run_plainly(kids, names, |_, is_last| match is_last {
                true => Err(NotFinished::Changed),
                false => slot.word.finish(end),
            })
        })
    }

    /// The same for a handle that stays, if nobody else has one. Of several threads that end it
    /// with that the first to have the family's lock, under which all is written, wins.
    #[inline]
    fn end_unseen(
        &'static self,
        slot: &'static Slot,
        tree: &'static Tree,
        epoch: u64,
        keep: impl FnOnce(Last),
    ) -> bool {
        let end = Ending::PLAIN.end(SETTLED | GONE, 1);
        self.end_short(slot, tree, epoch, end, |task, folding, names| {
            // The clock is looked at before anybody is held up.
            let time = self.end_time(task);
            let section = self.realm.sections.enter();
            let kids = folding.parent.find_kids(self.realm, &section);
            folding.run_plainly(kids, names, |last, is_last| {
                let before = slot.word.unseen().filter(|_| !is_last);
                let before = before.ok_or(NotFinished::Changed)?;
                slot.end.store(time, Ordering::Relaxed);
                keep(last);
                slot.word.finish_since(before, end)
            })
        })
    }

    #[inline(always)]
    fn end_short(
        &'static self,
        slot: &'static Slot,
        tree: &'static Tree,
        epoch: u64,
        end: End,
        fold: impl FnOnce(TaskRef, Fold, &'static NameSet) -> Result<Folded, NotFinished>,
    ) -> bool {
        let reading = slot.word.load();
        let is_plain = reading.has(STARTED)
            && !reading.has(TERMINAL | ENDING | PARTS | KIDS | ABORT)
            && tree.epoch() == epoch;
        let Some(parent) = slot.parent(self.realm).filter(|_| is_plain) else {
            return false;
        };
        let task = TaskRef { slot, tree };
        let folding = self.folding(task, parent, false);
        let Some(names) = folding.plain_names().filter(|_| !parent.is(HOST_ID)) else {
            return false;
        };
        fold(task, folding, names)
            .map(|folded| self.child_folded(task, end, folded.before))
            .is_ok()
    }
}
