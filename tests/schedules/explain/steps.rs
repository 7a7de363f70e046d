//! What changes something: its steps, and what may come of each.

use super::{Gate, History, Stage, Story, wish};
use crate::ErrorCode;
use crate::schedules::history::{Answer, Event, Fault, What};
use crate::schedules::program::Op;
use crate::schedules::reference::{Fate, How, Task};
use crate::schedules::world::BROUGHT;

impl History<'_> {
    /// What may come next in this lane: nothing, if it cannot go on now.
    pub(super) fn step(&self, story: &Story, lane: usize, event: &Event) -> Vec<Story> {
        let What::Asked(op) = &event.what else {
            return Vec::new();
        };
        let flight = &story.flights[lane];
        if flight.settles.is_some() || flight.retains.is_some() {
            return self.settle(story, lane);
        }
        if !self.is_answered(story, lane, event) {
            return Vec::new();
        }
        let mut next = story.clone();
        match (op, &event.answer) {
            // It has ended, and had live children: whoever lets go last settles it.
            (Op::Child { .. } | Op::Start { .. } | Op::End { .. }, _) if flight.step == 2 => {
                next.passed(lane)
            }
            // Made, but not started: an abort was in sight.
            (Op::Child { .. }, _) if flight.step == 1 => {
                let task = flight.list[0];
                self.publish(next, lane, task, How::Finish, true)
            }
            (Op::Root { .. }, Answer::Done(result)) => {
                self.create(next, lane, event, op, None, result)
            }
            (Op::Child { parent, .. }, Answer::Done(result)) => {
                let all = self
                    .bearers(event, *parent)
                    .filter_map(|parent| story.at[parent]);
                let create =
                    |parent| self.create(story.clone(), lane, event, op, Some(parent), result);
                all.flat_map(create).collect()
            }
            (Op::Start { task }, Answer::Done(result)) => self.start(next, lane, *task, result),
            (Op::End { task, how }, Answer::Done(result)) => {
                self.end(next, lane, *task, self.how(*task, *how), result)
            }
            (Op::Advance { task, by }, _) => {
                let at = next.at[*task].expect("its owner is there");
                if next.model.tasks[at].ended.is_none() {
                    next.model.tasks[at].completed += by;
                }
                next.passed(lane)
            }
            (Op::Abort { task }, Answer::Done(Ok(()))) => next.abort(lane, *task, event.by_id),
            (Op::Take { task }, Answer::Seen(Ok(seen))) => {
                let Some(Fate::Lives(at)) = next.fate(*task) else {
                    return Vec::new();
                };
                let is_it = |number: usize| next.at[number] == Some(at) && next.shows(number, seen);
                let is_shown = self.bearers(event, *task).any(is_it);
                if !is_shown || !next.model.tasks[at].settled {
                    return Vec::new();
                }
                next.model.go(at, crate::GoneReason::Read);
                next.passed(lane)
            }
            _ => self.step_of_modules(next, lane, event, op),
        }
    }

    /// A drop by one of several is a failure.
    fn how(&self, task: usize, how: How) -> How {
        let elder = self.program.elders.get(task);
        match how {
            How::Drop if elder.is_some_and(|elder| elder.owners.len() > 1) => How::Fail,
            how => how,
        }
    }

    /// The same of what concerns no one task.
    fn step_of_modules(&self, mut next: Story, lane: usize, event: &Event, op: &Op) -> Vec<Story> {
        match (op, &event.answer) {
            (Op::Drain { module }, Answer::Count(Ok(count))) => {
                let is_earlier = next.meant(event) != next.registrations[*module];
                let is_over = next.is_unregistered(*module)
                    && !self.is_closing(&next, *module)
                    && !self.runs_meanwhile(&next, *module, event);
                let is_refused = is_earlier || is_over;
                match next.flights[lane].step == 0 && is_refused {
                    true => Vec::new(),
                    false => next.drain(lane, *module, event, Some(*count)),
                }
            }
            (Op::Close { module, .. }, answer) => self.close(next, lane, *module, event, answer),
            (Op::Register { module }, Answer::Done(Ok(()))) => {
                let is_taken = !next.is_unregistered(*module) || self.is_closing(&next, *module);
                if is_taken || next.stage != Stage::Open {
                    return Vec::new();
                }
                next.provided[*module] = false;
                next.registrations[*module] += 1;
                next.made.insert(event.invoked, next.registrations[*module]);
                next.gates[*module] = Gate::Open;
                next.model.closing[*module] = false;
                next.passed(lane)
            }
            (Op::Provide { module }, Answer::Done(Ok(()))) => {
                let is_current = next.meant(event) == next.registrations[*module];
                if next.gates[*module] == Gate::Shut || !is_current {
                    return Vec::new();
                }
                next.provided[*module] = true;
                next.passed(lane)
            }
            (Op::CloseManager { .. }, Answer::Tasks(Ok(tasks))) => {
                self.close_manager(next, lane, event, tasks)
            }
            (Op::DropManager, _) => self.drop_manager(next, lane),
            (Op::SetTtl { seconds }, _) => {
                next.model.ttl = *seconds;
                next.passed(lane)
            }
            (Op::Pass { seconds }, _) => {
                next.model.now += seconds;
                next.model.expire();
                next.passed(lane)
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn create(
        &self,
        mut next: Story,
        lane: usize,
        event: &Event,
        op: &Op,
        parent: Option<usize>,
        result: &Result<(), Fault>,
    ) -> Vec<Story> {
        let above = parent.map(|parent| &next.model.tasks[parent]);
        if above.is_some_and(|above| above.ended.is_some()) {
            return Vec::new();
        }
        let above = above.filter(|_| !event.by_id);
        let (number, module, user, start, host) = newborn(op, above);
        let fate = host.map(|host| next.model.fate(BROUGHT[host]));
        if matches!(fate, Some(Fate::Lives(_))) {
            return Vec::new();
        }
        let is_current = match parent.is_some() && !event.by_id {
            true => true,
            false => next.meant(event) == next.registrations[module],
        };
        if next.gates[module] == Gate::Shut || !is_current || next.model.is_full() {
            return Vec::new();
        }
        let wish = wish(number, module, user);
        match result {
            Ok(()) => {
                let must_see = parent.is_some() && !next.flights[lane].may_miss;
                if start && must_see {
                    return Vec::new();
                }
                let task = next.create(parent, wish, self.ids.get(&number).copied(), number);
                if start {
                    next.model.start(task);
                }
                next.passed(lane)
            }
            Err(_) => {
                if !next.may_see(parent) {
                    return Vec::new();
                }
                let id = host.map(|host| BROUGHT[host]);
                let task = next.create(parent, wish, id, number);
                next.flights[lane].step = 1;
                next.flights[lane].list = vec![task];
                vec![next]
            }
        }
    }

    pub(super) fn start(
        &self,
        mut next: Story,
        lane: usize,
        number: usize,
        result: &Result<(), Fault>,
    ) -> Vec<Story> {
        let at = next.at[number].expect("its owner is there");
        let task = &next.model.tasks[at];
        if task.ended.is_some() || task.started {
            return Vec::new();
        }
        match result {
            Ok(()) if !next.flights[lane].may_miss || next.is_named(at) => Vec::new(),
            Ok(()) => {
                next.model.start(at);
                next.passed(lane)
            }
            Err(_) if next.may_see(Some(at)) => self.publish(next, lane, at, How::Finish, true),
            Err(_) => Vec::new(),
        }
    }

    pub(super) fn end(
        &self,
        next: Story,
        lane: usize,
        number: usize,
        how: How,
        result: &Result<(), Fault>,
    ) -> Vec<Story> {
        let Some(at) = next.at[number] else {
            return Vec::new();
        };
        let task = &next.model.tasks[at];
        let code = result.as_ref().err().map(|fault| fault.code);
        let is_lost = task.ended.is_some();
        if code == Some(ErrorCode::AlreadyFinished) {
            return if is_lost {
                next.passed(lane)
            } else {
                Vec::new()
            };
        }
        if task.ended.is_some() {
            // A drop says nothing.
            return match how {
                How::Drop => next.passed(lane),
                How::Finish | How::Fail => Vec::new(),
            };
        }
        let may_miss = next.flights[lane].may_miss && !next.is_named(at);
        let may_see = next.may_see(Some(at));
        let mut outcomes = Vec::new();
        match (how, code) {
            (How::Finish, None) if may_miss && task.started => outcomes.push(false),
            (How::Finish, Some(ErrorCode::NotStarted)) if may_miss && !task.started => {
                outcomes.push(false);
            }
            (How::Finish, Some(ErrorCode::Aborted)) if may_see => outcomes.push(true),
            (How::Fail | How::Drop, None) => {
                outcomes.extend(may_miss.then_some(false));
                outcomes.extend(may_see.then_some(true));
            }
            _ => {}
        }
        let publish = |reached| self.publish(next.clone(), lane, at, how, reached);
        outcomes.into_iter().flat_map(publish).collect()
    }

    /// The end is seen, and with it the fold of a task without children.
    pub(super) fn publish(
        &self,
        mut next: Story,
        lane: usize,
        at: usize,
        how: How,
        reached: bool,
    ) -> Vec<Story> {
        let reached = reached.then(|| "enough".to_owned());
        next.model.end_alone(at, how, reached);
        let flight = &mut next.flights[lane];
        flight.step = 2;
        flight.chain.push(at);
        let (succeeded, failed, _) = next.model.tasks[at].counts;
        if !next.model.tasks[at].live.is_empty() {
            return vec![next];
        }
        let mut stories = Vec::new();
        if succeeded + failed > 0 {
            // A parent settles in a step after its end.
            let mut later = next.clone();
            later.flights[lane].settles = Some(at);
            stories.push(later);
        }
        next.flights[lane].settles = Some(at);
        stories.extend(self.settle(&next, lane));
        stories
    }

    /// The next thing that an end brings about.
    pub(super) fn settle(&self, story: &Story, lane: usize) -> Vec<Story> {
        let mut next = story.clone();
        if let Some(root) = next.flights[lane].retains.take() {
            if next.model.tasks[root].gone.is_some() {
                return next.passed(lane);
            }
            // The clock and the TTL may have been looked at any time before.
            let now = (next.model.now, next.model.ttl);
            let begun = next.flights[lane].begun_at.unwrap_or(now);
            let keep = |(at, ttl): (u64, u64)| {
                let mut next = next.clone();
                next.model.ttl = ttl;
                next.model.retain(root, at);
                next.model.ttl = now.1;
                next.model.expire();
                next.passed(lane)
            };
            let mut stories = keep(now);
            if begun != now {
                stories.extend(keep(begun));
            }
            // So may the gate, by one who keeps nothing.
            let module = next.model.tasks[root].wish.module;
            let was_open = next.flights[lane].began_open[module];
            let is_user = next.model.tasks[root].wish.user;
            if was_open && !is_user && (now.1 == 0 || begun.1 == 0) {
                next.model.go(root, crate::GoneReason::Expired);
                stories.extend(next.passed(lane));
            }
            return stories;
        }
        let Some(at) = next.flights[lane].settles.take() else {
            return Vec::new();
        };
        if !next.model.settle_alone(at) {
            return Vec::new();
        }
        next.doubt(at);
        if !next.flights[lane].chain.contains(&at) {
            next.flights[lane].chain.push(at);
        }
        let Some(parent) = next.model.tasks[at].parent else {
            next.flights[lane].retains = Some(at);
            return vec![next];
        };
        let above = &next.model.tasks[parent];
        if above.ended.is_none() || !above.live.is_empty() || above.settled {
            return next.passed(lane);
        }
        self.hand_over(next, lane, parent)
    }

    /// Whoever lets go of a parent last settles it: this one, the one who ends the parent, or
    /// another who has just ended a child of it.
    pub(super) fn hand_over(&self, next: Story, lane: usize, parent: usize) -> Vec<Story> {
        let mut stories = Vec::new();
        for other in 0..self.lanes.len() {
            if other == lane {
                let mut mine = next.clone();
                mine.flights[lane].settles = Some(parent);
                stories.push(mine);
                continue;
            }
            let flight = &next.flights[other];
            let is_idle = flight.settles.is_none() && flight.retains.is_none();
            let Some(event) = self.current(&next, other) else {
                continue;
            };
            let ends = matches!(
                event.what,
                What::Asked(Op::End { .. } | Op::Start { .. } | Op::Child { .. })
            );
            let has_to_do_with_it = flight
                .chain
                .iter()
                .any(|task| *task == parent || next.model.tasks[*task].parent == Some(parent));
            if ends && is_idle && flight.step > 0 && has_to_do_with_it {
                let mut theirs = next.clone();
                let chain = theirs.flights[lane].chain.clone();
                theirs.flights[other].chain.extend(chain);
                theirs.flights[other].settles = Some(parent);
                stories.extend(theirs.passed(lane));
            }
        }
        stories
    }
}

/// The number of the task that is made, its module, whether a user and whether it starts it, and
/// which of the host's ids it brings.
fn newborn(op: &Op, parent: Option<&Task>) -> (usize, usize, bool, bool, Option<usize>) {
    match *op {
        Op::Root {
            number,
            module,
            user,
            start,
            host,
        } => (number, module, user, start, host),
        Op::Child {
            number,
            start,
            host,
            ..
        } => {
            let module = parent.map_or(0, |parent| parent.wish.module);
            (number, module, false, start, host)
        }
        _ => unreachable!("{op:?} makes no task"),
    }
}
