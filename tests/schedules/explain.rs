//! Whether a history can be explained: by an order of all that happened in which each
//! operation comes between its invocation and its answer, and the reference model answers the
//! same.
//!
//! An operation is one step where the contract makes it one. Others take several, and what lies
//! between them may be seen: an end, and then each ancestor that settles with it; an abort that
//! has set its mark, and one that has returned; a close that shuts the gate, aborts, and drains.
//! What changes nothing is put wherever it holds first, which costs no other choice, and a
//! search goes through the orders of the rest.

use std::collections::HashMap;

use crate::schedules::program::{Op, Program, is_abortable};
use crate::schedules::reference::{Bounds, Fate, GivenId, How, Model, Wish};
use crate::schedules::world::{Answer, Event, Fault, Seen, TTL, USER_TTL, What};
use crate::schedules::{
    ABORTS_OF_SETTLED, DRAINS_PASS_OVER_WHAT_EXPIRES, LIFE_8_OF_ANCESTORS, LOSERS_OF_A_SHARED_END,
};
use crate::{ErrorCode, State, Uuid};

/// What came of the search.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    Explained,
    /// No order explains it.
    Impossible,
    /// It took too many steps.
    Undecided,
}

const MOST_STEPS: usize = 30_000;

/// The events of a history, by the threads that they belong to; each callback has one of its own.
pub struct History<'a> {
    lanes: Vec<Vec<&'a Event>>,
    ids: &'a HashMap<usize, Uuid>,
    program: &'a Program,
}

#[derive(Clone, Copy, PartialEq)]
enum Gate {
    Open,
    /// A close is about to shut it: who comes now may have looked before.
    Shutting,
    Shut,
}

/// An abort, of the task and all below it.
#[derive(Clone)]
struct Mark {
    task: usize,
    /// Whether the one who asked for it has been answered: until then whoever looks may miss it.
    is_hard: bool,
    /// Whether it named this task, which then does not miss it.
    is_named: bool,
}

/// How far the operation of a lane is that is under way.
#[derive(Clone, Default)]
struct Flight {
    step: usize,
    /// What of it has been seen to hold, where it is made of several looks.
    held: u64,
    /// Whether there was a moment at which no abort had to be seen.
    may_miss: bool,
    has_found: bool,
    begun_at: Option<u64>,
    /// The ancestor that it settles next, and the root that it keeps or forgets.
    settles: Option<usize>,
    retains: Option<usize>,
    /// The tasks that are not over before that.
    chain: Vec<usize>,
    list: Vec<usize>,
    count: usize,
}

/// A point of the search: what is so by now.
#[derive(Clone)]
struct Story {
    model: Model,
    /// The model's number of each task.
    at: Vec<Option<usize>>,
    /// Those of the model that several threads own.
    shared: Vec<usize>,
    marks: Vec<Mark>,
    gates: [Gate; 2],
    registrations: [u64; 2],
    /// That of each task of the model.
    of: Vec<u64>,
    /// The registrations that each event made.
    made: HashMap<u64, u64>,
    next: Vec<usize>,
    flights: Vec<Flight>,
}

impl<'a> History<'a> {
    pub fn new(events: &'a [Event], ids: &'a HashMap<usize, Uuid>, program: &'a Program) -> Self {
        let threads = program.threads.len() + 1;
        let mut lanes = vec![Vec::new(); threads];
        for event in events {
            match event.lane {
                usize::MAX => lanes.push(vec![event]),
                lane => lanes[lane].push(event),
            }
        }
        // A thread records what it did in its order, but for callbacks that ran meanwhile.
        lanes
            .iter_mut()
            .for_each(|lane| lane.sort_by_key(|event| event.invoked));
        Self {
            lanes,
            ids,
            program,
        }
    }

    pub fn verdict(&self) -> Verdict {
        let mut steps = 0;
        match self.search(self.beginning(), &mut steps) {
            true => Verdict::Explained,
            false if steps > MOST_STEPS => Verdict::Undecided,
            false => Verdict::Impossible,
        }
    }

    fn beginning(&self) -> Story {
        let bounds = Bounds {
            per_parent: 1024,
            per_root: 16_384,
        };
        let mut model = Model::new(bounds, true);
        (model.ttl, model.user_ttl) = (TTL, USER_TTL);
        let mut story = Story {
            model,
            at: vec![None; self.program.tasks],
            shared: Vec::new(),
            marks: Vec::new(),
            gates: [Gate::Open; 2],
            registrations: [0; 2],
            of: Vec::new(),
            made: HashMap::new(),
            next: vec![0; self.lanes.len()],
            flights: vec![Flight::default(); self.lanes.len()],
        };
        for (number, elder) in self.program.elders.iter().enumerate() {
            let wish = wish(number, elder.module, elder.user);
            let task = story.create(elder.parent, wish, self.ids.get(&number).copied(), number);
            if elder.start {
                story.model.start(task);
            }
            if elder.owners.len() > 1 {
                story.shared.push(task);
            }
        }
        story
    }

    fn current(&self, story: &Story, lane: usize) -> Option<&'a Event> {
        self.lanes[lane].get(story.next[lane]).copied()
    }

    /// Whether all that had been answered before it was invoked has happened.
    fn may_happen(&self, story: &Story, lane: usize, event: &Event) -> bool {
        (0..self.lanes.len())
            .filter(|other| *other != lane)
            .all(|other| {
                let current = self.current(story, other);
                current.is_none_or(|current| current.answered > event.invoked)
            })
    }

    /// Depth first: whoever answered first is tried first.
    fn search(&self, mut story: Story, steps: &mut usize) -> bool {
        *steps += 1;
        if *steps > MOST_STEPS {
            return false;
        }
        self.look(&mut story);
        let mut lanes: Vec<(u64, usize)> = (0..self.lanes.len())
            .filter_map(|lane| Some((self.current(&story, lane)?.answered, lane)))
            .collect();
        if lanes.is_empty() {
            return true;
        }
        lanes.sort_unstable();
        for (_, lane) in lanes {
            let event = self.current(&story, lane).expect("it was there");
            if !self.may_happen(&story, lane, event) || is_look(event) {
                continue;
            }
            for next in self.step(&story, lane, event) {
                if self.search(next, steps) {
                    return true;
                }
            }
        }
        false
    }

    /// Lets all happen that changes nothing and holds.
    fn look(&self, story: &mut Story) {
        let mut again = true;
        while again {
            again = false;
            for lane in 0..self.lanes.len() {
                let Some(event) = self.current(story, lane) else {
                    continue;
                };
                if !self.may_happen(story, lane, event) {
                    continue;
                }
                story.flights[lane].begun_at.get_or_insert(story.model.now);
                if let What::Asked(
                    Op::End { task, .. } | Op::Start { task } | Op::Child { parent: task, .. },
                ) = event.what
                    && let Some(at) = story.at[task]
                    && !story.has_to_see(at)
                {
                    story.flights[lane].may_miss = true;
                }
                // Who has found a task may act on it when it has gone.
                if let What::Asked(Op::Abort { task }) = event.what
                    && story.lives(task)
                {
                    story.flights[lane].has_found = true;
                }
                if !is_look(event) {
                    continue;
                }
                let looks = self.looks(event);
                for look in 0..looks {
                    if story.flights[lane].held >> look & 1 == 0 && self.holds(story, event, look) {
                        story.flights[lane].held |= 1 << look;
                    }
                }
                if story.flights[lane].held == (1 << looks) - 1 {
                    story.pass(lane);
                    again = true;
                }
            }
        }
    }

    fn looks(&self, event: &Event) -> usize {
        match (&event.what, &event.answer) {
            (What::Asked(Op::List { .. } | Op::Tree { .. }), Answer::Tasks(Ok(_))) => {
                self.program.tasks
            }
            (What::Asked(Op::Status { .. }), Answer::Seen(Ok(_))) => 3,
            (What::Asked(Op::Wait { .. }), Answer::Seen(Ok(_))) => 2,
            _ => 1,
        }
    }

    fn holds(&self, story: &Story, event: &Event, look: usize) -> bool {
        match (&event.what, &event.answer) {
            (What::Told { task }, Answer::Seen(Ok(seen))) => {
                story.is_over(*task) && story.shows(*task, seen)
            }
            (What::Interrupted { task }, _) => story.may_see(story.at[*task]),
            (What::Asked(op), answer) => self.op_holds(story, event, op, answer, look),
            _ => false,
        }
    }

    fn op_holds(
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
                0 => story.lives(*task) || crate::schedules::program::is_held(*task),
                _ => story.is_over(*task) && story.shows(*task, seen),
            },
            (Op::Wait { task, .. }, Answer::Seen(Err(fault))) => match fault.code {
                ErrorCode::Timeout => !story.is_over_strictly(*task),
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

    fn refuses_child(&self, story: &Story, event: &Event, parent: usize, fault: &Fault) -> bool {
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

    fn is_being_ended(&self, story: &Story, number: usize) -> bool {
        self.enders(story, number).next().is_some()
    }

    /// The lanes that are about to end the task.
    fn enders<'s>(&'s self, story: &'s Story, number: usize) -> impl Iterator<Item = usize> + 's {
        (0..self.lanes.len()).filter(move |lane| {
            self.current(story, *lane).is_some_and(|event| {
                let is_its_end = matches!(event.what,
                    What::Asked(Op::End { task, .. } | Op::Start { task }) if task == number);
                is_its_end && self.may_happen(story, *lane, event)
            })
        })
    }

    fn is_closing(&self, story: &Story, number: usize) -> bool {
        (0..self.lanes.len()).any(|lane| {
            self.current(story, lane).is_some_and(|event| {
                matches!(event.what, What::Asked(Op::Close { module, .. }) if module == number)
                    && story.flights[lane].step > 0
            })
        })
    }

    /// One of the module's tasks is on the list as it is, or is not there.
    fn lists(
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
    fn shows_child(
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

    fn find(&self, tasks: &[(Uuid, State)], number: usize) -> Option<State> {
        let id = self.ids.get(&number)?;
        let found = tasks.iter().find(|(other, _)| other == id);
        found.map(|(_, state)| *state)
    }

    /// What may come next in this lane: nothing, if it cannot go on now.
    fn step(&self, story: &Story, lane: usize, event: &Event) -> Vec<Story> {
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
                next.drain(lane, *module, event, Some(*count))
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

    fn create(
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

    fn start(
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

    fn end(
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
        let is_lost = match LOSERS_OF_A_SHARED_END {
            true => task.ended.is_some(),
            false => task.ended.is_some() || self.enders(&next, number).any(|other| other != lane),
        };
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
    fn publish(
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
    fn settle(&self, story: &Story, lane: usize) -> Vec<Story> {
        let mut next = story.clone();
        if let Some(root) = next.flights[lane].retains.take() {
            if next.model.tasks[root].gone.is_some() {
                return next.passed(lane);
            }
            // The clock may have been looked at any time before.
            let (begun, now) = (next.flights[lane].begun_at.unwrap_or(0), next.model.now);
            let keep = |at: u64| {
                let mut next = next.clone();
                next.model.retain(root, at);
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
    fn hand_over(&self, next: Story, lane: usize, parent: usize) -> Vec<Story> {
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

    fn close(
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
                let all: Vec<usize> = next
                    .model
                    .unsettled(module)
                    .filter(|at| next.of[*at] == meant)
                    .collect();
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
                if tasks.iter().any(|(id, _)| {
                    !ids.contains(&Some(*id)) && self.ids.values().any(|known| known == id)
                }) {
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

impl Story {
    fn create(
        &mut self,
        parent: Option<usize>,
        wish: Wish,
        id: Option<Uuid>,
        number: usize,
    ) -> usize {
        let module = wish.module;
        let task = self.model.create(parent, wish, id);
        self.at[number] = Some(task);
        self.of.push(self.registrations[module]);
        task
    }

    fn pass(&mut self, lane: usize) {
        self.next[lane] += 1;
        self.flights[lane] = Flight::default();
    }

    /// The operation goes on once what is seen of it has come about.
    fn passed(mut self, lane: usize) -> Vec<Self> {
        let flight = &self.flights[lane];
        if flight.settles.is_none() && flight.retains.is_none() {
            self.pass(lane);
        }
        vec![self]
    }

    fn ancestors(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(at), |at| self.model.tasks[*at].parent)
    }

    fn may_see(&self, at: Option<usize>) -> bool {
        at.is_some_and(|at| {
            self.ancestors(at)
                .any(|at| self.marks.iter().any(|mark| mark.task == at))
        })
    }

    fn has_to_see(&self, at: usize) -> bool {
        let is_hard = |at| {
            self.marks
                .iter()
                .any(|mark| mark.task == at && mark.is_hard)
        };
        self.ancestors(at).any(is_hard)
    }

    fn is_named(&self, at: usize) -> bool {
        self.marks
            .iter()
            .any(|mark| mark.task == at && mark.is_named)
    }

    fn mark(&mut self, task: usize, is_named: bool) {
        if self.model.tasks[task].settled {
            return;
        }
        self.model.abort(task, "enough".to_owned());
        self.marks.push(Mark {
            task,
            is_hard: false,
            is_named,
        });
    }

    fn harden(&mut self, tasks: &[usize]) {
        let marks = self
            .marks
            .iter_mut()
            .filter(|mark| tasks.contains(&mark.task));
        marks.for_each(|mark| mark.is_hard = true);
    }

    fn abort(mut self, lane: usize, number: usize, by_id: bool) -> Vec<Self> {
        let Some(at) = self.at[number] else {
            return Vec::new();
        };
        if self.flights[lane].step == 0 {
            if by_id && !(self.flights[lane].has_found && is_abortable(number)) {
                return Vec::new();
            }
            self.mark(at, true);
            self.flights[lane].step = 1;
            return vec![self];
        }
        self.harden(&[at]);
        self.passed(lane)
    }

    fn meant(&self, event: &Event) -> u64 {
        event.registration.map_or(0, |made| self.made[&made])
    }

    /// Whether nothing of the module runs any more since it was closed.
    fn is_unregistered(&self, module: usize) -> bool {
        self.model.closing[module] && self.model.unsettled(module).next().is_none()
    }

    fn is_closed(&self, module: usize, event: &Event) -> bool {
        self.meant(event) != self.registrations[module] || self.is_unregistered(module)
    }

    fn refuses(&self, module: usize, event: &Event) -> bool {
        self.meant(event) != self.registrations[module] || self.gates[module] != Gate::Open
    }

    fn fate(&self, number: usize) -> Option<Fate> {
        let at = self.at[number]?;
        Some(self.model.fate(self.model.tasks[at].id?))
    }

    fn lives(&self, number: usize) -> bool {
        matches!(self.fate(number), Some(Fate::Lives(_)))
    }

    fn is_gone(&self, number: usize, fault: &Fault) -> bool {
        match self.fate(number) {
            Some(Fate::Gone(gone)) => fault.gone.is_some_and(|answer| gone.contains(&answer)),
            Some(Fate::Forgotten) => fault.code == ErrorCode::NotFound,
            _ => false,
        }
    }

    /// Whether this is seen of the task alone.
    fn shows(&self, number: usize, seen: &Seen) -> bool {
        let Some(at) = self.at[number] else {
            return false;
        };
        let task = &self.model.tasks[at];
        let is_abort_right = match task.settled {
            _ if !ABORTS_OF_SETTLED && task.ended.is_some() => true,
            true => seen.is_aborted == (task.ended_by_abort.is_some() || task.abort.is_some()),
            false if seen.is_aborted => self.may_see(Some(at)),
            false => !self.has_to_see(at),
        };
        let counts_for_itself = task.counts == (0, 0, 0) && task.live.is_empty();
        // Of two who share a task one may count while the other ends it, which is dropped.
        let is_progress_right = self.shared.contains(&at)
            || !counts_for_itself
            || task.completed == 0
            || task.completed == seen.completed;
        same(seen.state, task.state())
            && seen.settled == task.settled
            && is_abort_right
            && is_progress_right
    }

    fn counts(&self, number: usize, seen: &Seen) -> bool {
        self.at[number].is_some_and(|at| {
            let task = &self.model.tasks[at];
            seen.children == (task.live.len() as u64, task.counts.0, task.counts.1)
        })
    }

    /// Whether it has ended with all that this brings about.
    fn is_over_strictly(&self, number: usize) -> bool {
        self.at[number].is_some_and(|at| {
            let is_under_way = |flight: &Flight| {
                flight.chain.contains(&at) && (flight.settles.is_some() || flight.retains.is_some())
            };
            self.model.tasks[at].ended.is_some() && !self.flights.iter().any(is_under_way)
        })
    }

    fn is_over(&self, number: usize) -> bool {
        match LIFE_8_OF_ANCESTORS {
            true => self.is_over_strictly(number),
            false => self.at[number].is_some_and(|at| self.model.tasks[at].ended.is_some()),
        }
    }

    fn drain(
        mut self,
        lane: usize,
        module: usize,
        event: &Event,
        count: Option<usize>,
    ) -> Vec<Self> {
        if self.flights[lane].step == 0 && self.is_closed(module, event) {
            return Vec::new();
        }
        if self.flights[lane].step == 0 {
            self.flights[lane].step = 1;
            return self.drain_on(lane, module, event, count, 1);
        }
        self.drain_on(lane, module, event, count, 1)
    }

    /// First a list of what is kept, and then one after the other.
    fn drain_on(
        mut self,
        lane: usize,
        module: usize,
        event: &Event,
        count: Option<usize>,
        first: usize,
    ) -> Vec<Self> {
        let meant = self.meant(event);
        let begun = self.flights[lane].begun_at;
        let is_there = |task: &crate::schedules::reference::Task| match task.gone {
            None => true,
            // Expired since the drain began.
            Some(gone) => {
                !DRAINS_PASS_OVER_WHAT_EXPIRES
                    && gone == crate::GoneReason::Expired
                    && task.deadline > begun
            }
        };
        let is_kept = |story: &Self, at: usize| {
            let task = &story.model.tasks[at];
            task.deadline.is_some()
                && is_there(task)
                && task.wish.module == module
                && story.of[at] == meant
        };
        if self.flights[lane].step == first {
            let all = 0..self.model.tasks.len();
            self.flights[lane].list = all.filter(|at| is_kept(&self, *at)).collect();
            self.flights[lane].step += 1;
            // What has expired meanwhile may have been swept before.
            let mut swept = self.clone();
            let tasks = &self.model.tasks;
            swept.flights[lane]
                .list
                .retain(|at| tasks[*at].gone.is_none());
            let mut stories = Vec::new();
            if swept.flights[lane].list.len() < self.flights[lane].list.len() {
                stories = swept.drained(lane, count);
            }
            stories.extend(self.drained(lane, count));
            return stories;
        }
        // In an order that nobody promises.
        let next = |at: usize| {
            let mut next = self.clone();
            let at = next.flights[lane].list.remove(at);
            if is_there(&next.model.tasks[at]) {
                next.model.go(at, crate::GoneReason::Drained);
                next.flights[lane].count += 1;
            }
            next.drained(lane, count)
        };
        (0..self.flights[lane].list.len()).flat_map(next).collect()
    }

    fn drained(self, lane: usize, count: Option<usize>) -> Vec<Self> {
        let flight = &self.flights[lane];
        match (flight.list.is_empty(), count) {
            (false, _) => vec![self],
            (true, Some(count)) if count != flight.count => Vec::new(),
            (true, _) => self.passed(lane),
        }
    }
}

/// Whether it changes nothing that is compared.
fn is_look(event: &Event) -> bool {
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
fn same(seen: State, state: State) -> bool {
    let seen = match seen {
        State::Suspended => State::Running,
        seen => seen,
    };
    seen == state
}

fn wish(number: usize, module: usize, user: bool) -> Wish {
    Wish {
        module,
        id: GivenId::None,
        shard: None,
        user,
        internal: false,
        abortable: is_abortable(number),
        units: "",
        total: None,
    }
}
