//! What changes nothing: when it may have been seen.

use super::{Gate, History, Story};
use crate::schedules::program::{Op, is_abortable, is_held};
use crate::schedules::world::{Answer, Event, Fault, What};
use crate::{ErrorCode, State, Uuid};

impl History<'_> {
    pub(super) fn looks(&self, event: &Event) -> usize {
        match (&event.what, &event.answer) {
            (What::Asked(Op::List { .. } | Op::Tree { .. }), Answer::Tasks(Ok(_))) => {
                self.program.tasks
            }
            (What::Asked(Op::Status { .. }), Answer::Seen(Ok(_))) => 3,
            (What::Asked(Op::Wait { .. }), Answer::Seen(Ok(_))) => 3,
            (What::Told { .. }, _) => 2,
            _ => 1,
        }
    }

    pub(super) fn holds(&self, story: &Story, event: &Event, look: usize) -> bool {
        match (&event.what, &event.answer) {
            // It is read once it is over, and may settle in between.
            (What::Told { task }, Answer::Seen(Ok(seen))) => match look {
                0 => story.is_over(*task),
                _ => story.shows(*task, seen),
            },
            (What::Interrupted { task }, _) => story.may_see(story.at[*task]),
            (What::Asked(op), answer) => self.op_holds(story, event, op, answer, look),
            _ => false,
        }
    }

    pub(super) fn op_holds(
        &self,
        story: &Story,
        event: &Event,
        op: &Op,
        answer: &Answer,
        look: usize,
    ) -> bool {
        match (op, answer) {
            (Op::Root { module, .. }, Answer::Done(Err(fault))) => {
                fault.code == ErrorCode::Closed && story.refuses(*module, event)
            }
            (Op::Child { parent, .. }, Answer::Done(Err(fault))) => {
                self.refuses_child(story, event, *parent, fault)
            }
            (Op::Abort { task }, Answer::Done(Err(fault))) => match fault.code {
                ErrorCode::NotAbortable => !is_abortable(*task) && story.lives(*task),
                _ => story.is_gone(*task, fault),
            },
            (Op::Start { task }, Answer::Done(Err(fault))) => {
                let at = story.at[*task].map(|at| &story.model.tasks[at]);
                at.is_some_and(|at| match fault.code {
                    ErrorCode::AlreadyFinished => at.ended.is_some(),
                    ErrorCode::AlreadyStarted => at.started,
                    _ => false,
                })
            }
            (Op::Check { task } | Op::Checkpoint { task }, Answer::Done(result)) => {
                let at = story.at[*task];
                match result {
                    // Of one that another has ended nothing is promised.
                    _ if at.is_some_and(|at| story.model.tasks[at].ended.is_some()) => true,
                    Ok(()) => at.is_some_and(|at| !story.has_to_see(at)),
                    Err(fault) if fault.code == ErrorCode::Aborted => story.may_see(at),
                    // The end of one who shares it.
                    Err(fault) => fault.code == ErrorCode::AlreadyFinished,
                }
            }
            (Op::Status { task }, Answer::Seen(Ok(seen))) => match look {
                0 => story.lives(*task),
                1 => story.shows(*task, seen),
                _ => story.counts(*task, seen),
            },
            (Op::Take { task }, Answer::Seen(Err(fault))) => match fault.code {
                ErrorCode::NotSettled => {
                    let at = story.at[*task].map(|at| &story.model.tasks[at]);
                    at.is_some_and(|at| !at.settled)
                }
                _ => story.is_gone(*task, fault),
            },
            (Op::Wait { task, .. }, Answer::Seen(Ok(seen))) => match look {
                0 => story.lives(*task) || is_held(*task),
                1 => story.is_over(*task),
                _ => story.shows(*task, seen),
            },
            (Op::Wait { task, .. }, Answer::Seen(Err(fault))) => match fault.code {
                // Of an end that has brought everything about and is yet to return.
                ErrorCode::Timeout => {
                    !story.is_over_strictly(*task) || self.ends_meanwhile(*task, event)
                }
                _ => story.is_gone(*task, fault),
            },
            (
                Op::OnDone { task, .. } | Op::Suspend { task } | Op::Resume { task },
                Answer::Done(Err(fault)),
            )
            | (Op::Status { task }, Answer::Seen(Err(fault)))
            | (Op::Tree { task }, Answer::Tasks(Err(fault))) => story.is_gone(*task, fault),
            (Op::Tree { task }, Answer::Tasks(Ok(tasks))) => {
                self.shows_child(story, *task, tasks, look)
            }
            (Op::List { module }, Answer::Tasks(Ok(tasks))) => {
                self.lists(story, event, *module, tasks, look)
            }
            (
                Op::List { module } | Op::Drain { module },
                Answer::Tasks(Err(fault)) | Answer::Count(Err(fault)),
            ) => fault.code == ErrorCode::Closed && story.is_closed(*module, event),
            (Op::Register { module }, Answer::Done(Err(fault))) => {
                fault.code == ErrorCode::ModuleExists
                    && (!story.is_unregistered(*module) || self.is_closing(story, *module))
            }
            _ => true,
        }
    }

    pub(super) fn refuses_child(
        &self,
        story: &Story,
        event: &Event,
        parent: usize,
        fault: &Fault,
    ) -> bool {
        let Some(at) = story.at[parent] else {
            return false;
        };
        let module = match event.by_id {
            true => 0,
            false => story.model.tasks[at].wish.module,
        };
        match fault.code {
            // Its end may be about to be seen.
            ErrorCode::ParentTerminal => {
                story.model.tasks[at].ended.is_some() || self.is_being_ended(story, parent)
            }
            ErrorCode::Closed if event.by_id => story.refuses(module, event),
            ErrorCode::Closed => story.gates[module] != Gate::Open,
            _ => event.by_id && story.is_gone(parent, fault),
        }
    }

    pub(super) fn is_being_ended(&self, story: &Story, number: usize) -> bool {
        self.enders(story, number).next().is_some()
    }

    /// The lanes that are about to end the task.
    pub(super) fn enders<'s>(
        &'s self,
        story: &'s Story,
        number: usize,
    ) -> impl Iterator<Item = usize> + 's {
        (0..self.lanes.len()).filter(move |lane| {
            self.current(story, *lane).is_some_and(|event| {
                let is_its_end = matches!(event.what,
                    What::Asked(Op::End { task, .. } | Op::Start { task }) if task == number);
                is_its_end && self.may_happen(story, *lane, event)
            })
        })
    }

    /// Whether an end of the task is under way for a part of the event.
    pub(super) fn ends_meanwhile(&self, number: usize, event: &Event) -> bool {
        self.lanes.iter().flatten().any(|other| {
            let is_its_end = matches!(other.what,
                What::Asked(Op::End { task, .. } | Op::Start { task }) if task == number);
            is_its_end && other.invoked < event.answered && event.invoked < other.answered
        })
    }

    pub(super) fn is_closing(&self, story: &Story, number: usize) -> bool {
        (0..self.lanes.len()).any(|lane| {
            self.current(story, lane).is_some_and(|event| {
                matches!(event.what, What::Asked(Op::Close { module, .. }) if module == number)
                    && story.flights[lane].step > 0
            })
        })
    }

    /// One of the module's tasks is on the list as it is, or is not there.
    pub(super) fn lists(
        &self,
        story: &Story,
        event: &Event,
        module: usize,
        tasks: &[(Uuid, State)],
        number: usize,
    ) -> bool {
        // One that was aborted as it started has an id that nobody was told.
        if !self.ids.contains_key(&number) {
            return true;
        }
        let listed = self.find(tasks, number);
        let Some(at) = story.at[number] else {
            return listed.is_none();
        };
        let task = &story.model.tasks[at];
        let is_its = task.wish.module == module && story.of[at] == story.meant(event);
        match listed {
            Some(state) => is_its && task.gone.is_none() && same(state, task.state()),
            None => !is_its || task.gone.is_some(),
        }
    }

    /// One of the task's children, or it itself, is in its tree as it is, or is not there.
    pub(super) fn shows_child(
        &self,
        story: &Story,
        root: usize,
        tasks: &[(Uuid, State)],
        number: usize,
    ) -> bool {
        if !self.ids.contains_key(&number) {
            return true;
        }
        let listed = self.find(tasks, number);
        let (Some(at), Some(root)) = (story.at[number], story.at[root]) else {
            return listed.is_none();
        };
        let task = &story.model.tasks[at];
        if at == root {
            return listed.is_some_and(|state| same(state, task.state()));
        }
        if task.parent != Some(root) {
            // Deeper ones come and go with what their parents keep.
            return true;
        }
        let parent = &story.model.tasks[root];
        let mut kept = parent.succeeded.iter().chain(&parent.failed);
        let is_shown = parent.live.contains(&at) || kept.any(|record| record.task == at);
        match listed {
            Some(state) => is_shown && same(state, task.state()),
            None => !is_shown,
        }
    }

    pub(super) fn find(&self, tasks: &[(Uuid, State)], number: usize) -> Option<State> {
        let id = self.ids.get(&number)?;
        let found = tasks.iter().find(|(other, _)| other == id);
        found.map(|(_, state)| *state)
    }
}

/// Whether it changes nothing that is compared.
pub(super) fn is_look(event: &Event) -> bool {
    let What::Asked(op) = &event.what else {
        return true;
    };
    match (op, &event.answer) {
        (
            Op::Check { .. }
            | Op::Checkpoint { .. }
            | Op::OnAbort { .. }
            | Op::Status { .. }
            | Op::Tree { .. }
            | Op::Wait { .. }
            | Op::OnDone { .. }
            | Op::Suspend { .. }
            | Op::Resume { .. }
            | Op::List { .. }
            | Op::Tick,
            _,
        )
        | (Op::Drain { .. }, Answer::Count(Err(_)))
        | (Op::Take { .. }, Answer::Seen(Err(_)))
        | (Op::Abort { .. } | Op::Register { .. }, Answer::Done(Err(_))) => true,
        // What is aborted at its start is made, or has been, and ends.
        (Op::Root { .. } | Op::Child { .. } | Op::Start { .. }, Answer::Done(Err(fault))) => {
            fault.code != ErrorCode::Aborted
        }
        _ => false,
    }
}

/// Who sleeps in a checkpoint runs.
pub(super) fn same(seen: State, state: State) -> bool {
    let seen = match seen {
        State::Suspended => State::Running,
        seen => seen,
    };
    seen == state
}
