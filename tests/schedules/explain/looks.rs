//! What changes nothing: when it may have been seen.

use super::{Gate, History, Stage, Story};
use crate::schedules::history::{Answer, Event, Fault, What};
use crate::schedules::program::{Op, is_held};
use crate::schedules::reference::Fate;
use crate::schedules::virtuals::VIRTUAL;
use crate::schedules::world::BROUGHT;
use crate::{ErrorCode, State, Uuid};

impl History<'_> {
    pub(super) fn looks(&self, event: &Event) -> usize {
        match (&event.what, &event.answer) {
            (What::Asked(Op::Tree { .. }), Answer::Tasks(Ok(_))) => self.program.tasks,
            // The last is of the virtual task.
            (What::Asked(Op::List { .. }), Answer::Tasks(Ok(_))) => self.program.tasks + 1,
            (What::Asked(Op::Status { .. }), Answer::Seen(Ok(_))) => 3,
            (What::Asked(Op::Wait { .. }), Answer::Seen(Ok(_))) => 3,
            (What::Told { .. }, _) => 2,
            _ => 1,
        }
    }

    pub(super) fn holds(&self, story: &Story, lane: usize, event: &Event, look: usize) -> bool {
        match (&event.what, &event.answer) {
            (What::Told { .. }, Answer::Seen(Err(fault))) => {
                fault.code == ErrorCode::Closed && story.is_overdue
            }
            (What::VirtualTold { module }, Answer::Seen(Err(fault))) => {
                fault.code == ErrorCode::Closed && story.is_told(*module, event)
            }
            // It is read once it is over, and may settle in between.
            (What::Told { task }, Answer::Seen(Ok(seen))) => {
                self.bearers(event, *task).any(|task| match look {
                    0 => story.is_over(task),
                    _ => story.shows(task, seen),
                })
            }
            (What::Interrupted { task }, _) => story.may_see(story.at[*task]),
            (What::Asked(op), answer) => {
                self.is_answered(story, lane, event)
                    && self.op_holds(story, event, op, answer, look)
            }
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
            (Op::Abort { task }, Answer::Done(Err(fault))) => story.refuses_abort(*task, fault),
            (Op::Status { task }, Answer::Seen(Ok(seen))) => {
                self.bearers(event, *task).any(|at| match look {
                    0 => story.lives(*task),
                    1 => story.shows(at, seen),
                    _ => story.counts(at, seen),
                })
            }
            (Op::Take { task }, Answer::Seen(Err(fault))) => match fault.code {
                ErrorCode::NotSettled => {
                    let mut all = self.bearers(event, *task).filter_map(|task| story.at[task]);
                    all.any(|at| !story.model.tasks[at].settled)
                }
                _ => story.is_gone(*task, fault),
            },
            (Op::Wait { task, .. }, Answer::Seen(Ok(seen))) => {
                self.bearers(event, *task).any(|at| match look {
                    0 => story.lives(*task) || is_held(*task),
                    1 => story.is_over(at),
                    _ => story.shows(at, seen),
                })
            }
            (Op::Wait { task, .. }, Answer::Seen(Err(fault))) => match fault.code {
                // Of an end that has brought everything about and is yet to return.
                ErrorCode::Timeout => self
                    .bearers(event, *task)
                    .any(|task| !story.is_over_strictly(task) || self.ends_meanwhile(task, event)),
                ErrorCode::Closed if story.is_overdue => true,
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
            (
                Op::Root { .. }
                | Op::Child { .. }
                | Op::Start { .. }
                | Op::Check { .. }
                | Op::Checkpoint { .. },
                Answer::Done(result),
            ) => self.owner_finds(story, event, op, result),
            _ => self.manager_says(story, event, op, answer, look),
        }
    }

    /// What is answered to one who makes a task, or owns it.
    fn owner_finds(
        &self,
        story: &Story,
        event: &Event,
        op: &Op,
        result: &Result<(), Fault>,
    ) -> bool {
        match (op, result) {
            (
                Op::Root {
                    host: Some(host), ..
                }
                | Op::Child {
                    host: Some(host), ..
                },
                Err(fault),
            ) if fault.code == ErrorCode::IdInUse => self.is_in_use(story, event, *host),
            (Op::Root { .. } | Op::Child { .. }, Err(fault))
                if fault.code == ErrorCode::Exhausted =>
            {
                story.model.is_full()
            }
            (Op::Root { module, .. }, Err(fault)) => {
                fault.code == ErrorCode::Closed && story.refuses(*module, event)
            }
            (Op::Child { parent, .. }, Err(fault)) => {
                self.refuses_child(story, event, *parent, fault)
            }
            (Op::Start { task }, Err(fault)) => {
                let at = story.at[*task].map(|at| &story.model.tasks[at]);
                at.is_some_and(|at| match fault.code {
                    ErrorCode::AlreadyFinished => at.ended.is_some(),
                    ErrorCode::AlreadyStarted => at.started,
                    _ => false,
                })
            }
            (Op::Check { task } | Op::Checkpoint { task }, result) => {
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
            _ => true,
        }
    }

    /// What is answered about modules, virtual tasks and TTLs.
    fn manager_says(
        &self,
        story: &Story,
        event: &Event,
        op: &Op,
        answer: &Answer,
        look: usize,
    ) -> bool {
        match (op, answer) {
            (Op::List { module }, Answer::Tasks(Ok(tasks))) => {
                self.lists(story, event, *module, tasks, look)
            }
            (
                Op::List { module } | Op::Drain { module },
                Answer::Tasks(Err(fault)) | Answer::Count(Err(fault)),
            ) => {
                let is_over = story.stage == Stage::Closed || story.is_abandoned;
                fault.code == ErrorCode::Closed && (is_over || story.is_closed(*module, event))
            }
            (Op::Register { module }, Answer::Done(Err(fault))) => match fault.code {
                ErrorCode::Closed => story.stage != Stage::Open,
                code => {
                    let is_taken = !story.is_unregistered(*module)
                        || self.is_closing(story, *module)
                        || self.runs_meanwhile(story, *module, event);
                    code == ErrorCode::ModuleExists && is_taken
                }
            },
            (Op::Provide { module }, Answer::Done(Err(fault))) => {
                fault.code == ErrorCode::Closed && story.refuses(*module, event)
            }
            (Op::SetTtl { .. }, Answer::Done(Err(fault))) => {
                fault.code == ErrorCode::Closed && story.stage == Stage::Closed
            }
            (
                Op::VirtualStatus { module } | Op::VirtualOnDone { module, .. },
                Answer::Done(result),
            ) => match result {
                Ok(()) => self.may_be_virtual(story, *module, event),
                Err(fault) if fault.code == ErrorCode::Closed => story.stage == Stage::Closed,
                Err(fault) => {
                    fault.code == ErrorCode::NotFound && !self.has_virtual(story, *module)
                }
            },
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
        match fault.code {
            // Its end may be about to be seen.
            ErrorCode::ParentTerminal => self.bearers(event, parent).any(|parent| {
                let at = story.at[parent].map(|at| &story.model.tasks[at]);
                at.is_some_and(|at| at.ended.is_some()) || self.is_being_ended(story, parent)
            }),
            ErrorCode::Closed if event.by_id => story.refuses(0, event),
            ErrorCode::Closed => story.at[parent]
                .is_some_and(|at| story.gates[story.model.tasks[at].wish.module] != Gate::Open),
            _ => event.by_id && story.is_gone(parent, fault),
        }
    }

    /// Whether one has this id of the host's that lives, or is being made, come what may.
    pub(super) fn is_in_use(&self, story: &Story, event: &Event, id: usize) -> bool {
        let is_claimed = self.lanes.iter().flatten().any(|other| {
            let host = match other.what {
                What::Asked(Op::Root { host, .. } | Op::Child { host, .. }) => host,
                _ => None,
            };
            let meets = other.invoked < event.answered && event.invoked < other.answered;
            meets && other.invoked != event.invoked && host == Some(id)
        });
        is_claimed || matches!(story.model.fate(BROUGHT[id]), Fate::Lives(_))
    }

    /// Whether a lane is about to end the task.
    pub(super) fn is_being_ended(&self, story: &Story, number: usize) -> bool {
        (0..self.lanes.len()).any(|lane| {
            self.current(story, lane).is_some_and(|event| {
                let is_its_end = matches!(event.what,
                    What::Asked(Op::End { task, .. } | Op::Start { task }) if task == number);
                is_its_end && self.may_happen(story, lane, event)
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
                let is_its_close = match event.what {
                    What::Asked(Op::Close { module, .. }) => module == number,
                    What::Asked(Op::CloseManager { .. }) => true,
                    _ => false,
                };
                is_its_close && story.flights[lane].step > 0
            })
        })
    }

    /// Whether the manager was there to give the answer, if it was asked.
    pub(super) fn is_answered(&self, story: &Story, lane: usize, event: &Event) -> bool {
        let What::Asked(op) = &event.what else {
            return true;
        };
        let asks = match op {
            Op::Wait { task, .. } | Op::OnDone { task, .. } => !is_held(*task),
            Op::Abort { .. } => event.by_id,
            Op::Status { .. }
            | Op::Tree { .. }
            | Op::Take { .. }
            | Op::Suspend { .. }
            | Op::Resume { .. }
            | Op::List { .. }
            | Op::Drain { .. }
            | Op::Register { .. }
            | Op::Provide { .. }
            | Op::VirtualStatus { .. }
            | Op::VirtualOnDone { .. }
            | Op::SetTtl { .. } => true,
            _ => false,
        };
        let is_refused = event.answer.code() == Some(ErrorCode::Closed);
        !asks || is_refused || story.flights[lane].was_answered
    }

    /// Whether the module's virtual task is there for all who ask.
    pub(super) fn has_virtual(&self, story: &Story, module: usize) -> bool {
        let is_there = !story.is_unregistered(module) || self.is_closing(story, module);
        story.provided[module] && is_there && story.stage != Stage::Closed
    }

    /// Whether it is there for some: of a closed module until the last end has returned.
    pub(super) fn may_be_virtual(&self, story: &Story, module: usize, event: &Event) -> bool {
        let runs = || story.stage == Stage::Closed || self.runs_meanwhile(story, module, event);
        self.has_virtual(story, module) || story.provided[module] && runs()
    }

    /// Whether an end of one of the module's tasks is under way for a part of the event.
    pub(super) fn runs_meanwhile(&self, story: &Story, module: usize, event: &Event) -> bool {
        let is_its = |at: &usize| story.model.tasks[*at].wish.module == module;
        (0..self.program.tasks).any(|number| {
            story.at[number].as_ref().is_some_and(is_its) && self.ends_meanwhile(number, event)
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
        if number == self.program.tasks {
            let is_listed = tasks.iter().any(|(id, _)| *id == VIRTUAL[module]);
            let is_its = story.meant(event) == story.registrations[module];
            return is_listed == (story.provided[module] && is_its);
        }
        // One that was aborted as it started has an id that nobody was told.
        if !self.ids.contains_key(&number) {
            return true;
        }
        let all = self.bearers[number].iter();
        let is_there = |at: &usize| {
            let task = &story.model.tasks[*at];
            let is_its = task.wish.module == module && story.of[*at] == story.meant(event);
            is_its && task.gone.is_none()
        };
        let mut there = all.filter_map(|number| story.at[*number]).filter(is_there);
        match self.find(tasks, number) {
            Some(state) => there.any(|at| same(state, story.model.tasks[at].state())),
            None => there.next().is_none(),
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
        // Of several that have one id it is not told which is shown.
        if self.bearers[number].len() > 1 || self.bearers[root].len() > 1 {
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
            | Op::VirtualStatus { .. }
            | Op::VirtualOnDone { .. }
            | Op::Tick,
            _,
        )
        | (Op::Drain { .. }, Answer::Count(Err(_)))
        | (Op::Take { .. }, Answer::Seen(Err(_)))
        | (
            Op::Abort { .. } | Op::Register { .. } | Op::Provide { .. } | Op::SetTtl { .. },
            Answer::Done(Err(_)),
        ) => true,
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
