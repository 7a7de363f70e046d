//! What changes something: its steps, and what may come of each.

use super::{Gate, History, Story, wish};
use crate::schedules::program::Op;
use crate::schedules::reference::How;
use crate::schedules::world::{Answer, Event, Fault, What};
use crate::{ErrorCode, Uuid};

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
            (Op::Root { .. } | Op::Child { .. }, Answer::Done(result)) => {
                self.create(next, lane, event, op, result)
            }
            (Op::Start { task }, Answer::Done(result)) => self.start(next, lane, *task, result),
            (Op::End { task, how }, Answer::Done(result)) => {
                let is_shared = self
                    .program
                    .elders
                    .get(*task)
                    .is_some_and(|elder| elder.owners.len() > 1);
                let how = match how {
                    How::Drop if is_shared => How::Fail,
                    how => *how,
                };
                self.end(next, lane, *task, how, result)
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
                if !next.lives(*task) || !next.shows(*task, seen) {
                    return Vec::new();
                }
                let at = next.at[*task].expect("it lives");
                if !next.model.tasks[at].settled {
                    return Vec::new();
                }
                next.model.go(at, crate::GoneReason::Read);
                next.passed(lane)
            }
            (Op::Drain { module }, Answer::Count(Ok(count))) => {
                let is_refused = next.is_closed(*module, event) && !self.is_closing(story, *module);
                match next.flights[lane].step == 0 && is_refused {
                    true => Vec::new(),
                    false => next.drain(lane, *module, event, Some(*count)),
                }
            }
            (Op::Close { module, .. }, answer) => self.close(next, lane, *module, event, answer),
            (Op::Register { module }, Answer::Done(Ok(()))) => {
                let is_taken = !next.is_unregistered(*module) || self.is_closing(&next, *module);
                if is_taken {
                    return Vec::new();
                }
                next.registrations[*module] += 1;
                next.made.insert(event.invoked, next.registrations[*module]);
                next.gates[*module] = Gate::Open;
                next.model.closing[*module] = false;
                next.passed(lane)
            }
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
        result: &Result<(), Fault>,
    ) -> Vec<Story> {
        let (number, parent, module, user, start) = match *op {
            Op::Root {
                number,
                module,
                user,
                start,
            } => (number, None, module, user, start),
            Op::Child {
                number,
                parent,
                start,
            } => {
                let Some(at) = next.at[parent] else {
                    return Vec::new();
                };
                let task = &next.model.tasks[at];
                let module = if event.by_id { 0 } else { task.wish.module };
                if task.ended.is_some() {
                    return Vec::new();
                }
                (number, Some(at), module, false, start)
            }
            _ => unreachable!("{op:?} makes no task"),
        };
        let is_current = match parent.is_some() && !event.by_id {
            true => true,
            false => next.meant(event) == next.registrations[module],
        };
        if next.gates[module] == Gate::Shut || !is_current {
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
                let task = next.create(parent, wish, None, number);
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
            return stories;
        }
        let Some(at) = next.flights[lane].settles.take() else {
            return Vec::new();
        };
        if !next.model.settle_alone(at) {
            return Vec::new();
        }
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
            0 => {
                if next.is_closed(module, event) {
                    let is_empty = answer.as_ref().map_or(true, Vec::is_empty);
                    return if is_empty {
                        next.passed(lane)
                    } else {
                        Vec::new()
                    };
                }
                if answer.is_err() {
                    return Vec::new();
                }
                if next.gates[module] == Gate::Open {
                    next.gates[module] = Gate::Shutting;
                    next.model.closing[module] = true;
                }
            }
            1 => next.gates[module] = Gate::Shut,
            2 => {
                let meant = next.meant(event);
                let mut all = next.running(module);
                all.retain(|at| next.of[*at] == meant);
                for at in &all {
                    let parent = next.model.tasks[*at].parent;
                    if parent.is_none_or(|parent| !all.contains(&parent)) {
                        next.mark(*at, false);
                    }
                }
                next.flights[lane].list = all;
            }
            3 => {
                let all = next.flights[lane].list.clone();
                next.harden(&all);
            }
            4 => {
                let tasks = answer.as_ref().expect("the gate was shut");
                let all = std::mem::take(&mut next.flights[lane].list);
                let is_named = |at: &usize| {
                    let id = next.model.tasks[*at].id;
                    id.is_some_and(|id| tasks.iter().any(|(other, _)| *other == id))
                };
                let ids: Vec<Option<Uuid>> =
                    all.iter().map(|at| next.model.tasks[*at].id).collect();
                // Or it has ended, and its end is yet to return.
                let may_run = |id: &Uuid| {
                    let number = self.ids.iter().find(|(_, known)| *known == id);
                    number.is_none_or(|(number, _)| self.ends_meanwhile(*number, event))
                };
                let runs = |id: &Uuid| ids.contains(&Some(*id)) || may_run(id);
                if !tasks.iter().all(|(id, _)| runs(id)) {
                    return Vec::new();
                }
                if !all.iter().all(|at| {
                    next.model.tasks[*at].settled
                        || is_named(at)
                        || next.model.tasks[*at].id.is_none()
                }) {
                    return Vec::new();
                }
            }
            _ => return next.drain_on(lane, module, event, None, 5),
        }
        next.flights[lane].step += 1;
        vec![next]
    }
}
