//! Closes of a module, and of the manager with all that is in it.

use super::story::HAS_DRAINED;
use super::{Gate, History, Stage, Story};
use crate::schedules::history::{Answer, Event};
use crate::{State, Uuid};

impl History<'_> {
    pub(super) fn close(
        &self,
        mut next: Story,
        lane: usize,
        module: usize,
        event: &Event,
        answer: &Answer,
    ) -> Vec<Story> {
        let Answer::Tasks(answer) = answer else {
            return Vec::new();
        };
        match next.flights[lane].step {
            0 => return self.begin_close(next, lane, module, event, answer.as_deref().ok()),
            1 => next.gates[module] = Gate::Shut,
            2 => {
                let meant = next.meant(event);
                let mut all = next.running(module);
                all.retain(|at| next.of[*at] == meant);
                next.mark_all(lane, all);
            }
            3 => next.harden_all(lane),
            4 => {
                let tasks = answer.as_ref().expect("the gate was shut");
                if !self.reports(&mut next, lane, event, tasks) {
                    return Vec::new();
                }
                next.overdue[module] = next.overdue[module].max(next.meant(event) + 1);
            }
            HAS_DRAINED => return next.passed(lane),
            _ => {
                let meant = (module, next.meant(event));
                return next.drain_on(
                    lane,
                    |of, registration| (of, registration) == meant,
                    None,
                    5,
                );
            }
        }
        next.flights[lane].step += 1;
        vec![next]
    }

    /// Without an answer it is refused.
    fn begin_close(
        &self,
        mut next: Story,
        lane: usize,
        module: usize,
        event: &Event,
        tasks: Option<&[(Uuid, State)]>,
    ) -> Vec<Story> {
        let Some(tasks) = tasks else {
            return match next.is_abandoned {
                true => next.passed(lane),
                false => Vec::new(),
            };
        };
        let is_closed = next.is_closed(module, event);
        if is_closed && !tasks.is_empty() {
            return Vec::new();
        }
        let mut stories = Vec::new();
        if is_closed {
            stories.extend(next.clone().passed(lane));
        }
        // Or nobody has found yet that nothing runs, and it keeps the name until it has returned.
        if next.meant(event) == next.registrations[module] {
            if next.gates[module] == Gate::Open {
                next.gates[module] = Gate::Shutting;
                next.model.closing[module] = true;
            }
            next.flights[lane].step = 1;
            stories.push(next);
        }
        stories
    }

    /// The manager with all that is in it.
    pub(super) fn close_manager(
        &self,
        mut next: Story,
        lane: usize,
        event: &Event,
        tasks: &[(Uuid, State)],
    ) -> Vec<Story> {
        match next.flights[lane].step {
            0 => {
                let is_over = [0, 1]
                    .map(|module| next.is_unregistered(module) && !self.is_closing(&next, module));
                next.begin_to_shut();
                next.flights[lane].step = 1;
                let mut stories = vec![next];
                // Somebody has found that nothing of a module runs, or this close keeps it.
                for module in (0..2).filter(|module| is_over[*module]) {
                    let mut over = stories.clone();
                    over.retain(|story| story.provided[module]);
                    over.iter_mut()
                        .for_each(|story| story.provided[module] = false);
                    stories.extend(over);
                }
                return stories;
            }
            1 => next.shut(),
            2 => next.mark_everything(lane),
            3 => next.harden_all(lane),
            4 => {
                if !self.reports(&mut next, lane, event, tasks) {
                    return Vec::new();
                }
                match tasks.is_empty() {
                    true => next.stage = Stage::Closed,
                    false => next.is_overdue = true,
                }
            }
            HAS_DRAINED => return next.passed(lane),
            _ => return next.drain_on(lane, |_, _| true, None, 5),
        }
        next.flights[lane].step += 1;
        vec![next]
    }

    /// The last handle goes: everything is told to abort, and nobody waits for it.
    pub(super) fn drop_manager(&self, mut next: Story, lane: usize) -> Vec<Story> {
        match next.flights[lane].step {
            0 => {
                next.handles -= 1;
                if next.handles > 0 || next.stage == Stage::Closed {
                    return next.passed(lane);
                }
                next.is_abandoned = true;
                next.begin_to_shut();
            }
            1 => next.shut(),
            2 => next.mark_everything(lane),
            3 => {
                next.harden_all(lane);
                next.flights[lane].list.clear();
                next.stage = Stage::Closed;
            }
            HAS_DRAINED => return next.passed(lane),
            _ => return next.drain_on(lane, |_, _| true, None, 4),
        }
        next.flights[lane].step += 1;
        vec![next]
    }

    /// Whether a close that has told all these to abort may report those that still run.
    fn reports(
        &self,
        next: &mut Story,
        lane: usize,
        event: &Event,
        tasks: &[(Uuid, State)],
    ) -> bool {
        let all = std::mem::take(&mut next.flights[lane].list);
        let is_named = |at: &usize| {
            let id = next.model.tasks[*at].id;
            id.is_some_and(|id| tasks.iter().any(|(other, _)| *other == id))
        };
        let ids: Vec<Option<Uuid>> = all.iter().map(|at| next.model.tasks[*at].id).collect();
        // Or it has ended, and its end is yet to return.
        let may_run = |id: &Uuid| {
            let mut known = self.ids.iter().filter(|(_, known)| *known == id).peekable();
            known.peek().is_none() || known.any(|(number, _)| self.ends_meanwhile(*number, event))
        };
        let runs = |id: &Uuid| ids.contains(&Some(*id)) || may_run(id);
        let is_missing = |at: &usize| {
            let task = &next.model.tasks[*at];
            !task.settled && task.id.is_some() && !is_named(at)
        };
        tasks.iter().all(|(id, _)| runs(id)) && !all.iter().any(is_missing)
    }
}
