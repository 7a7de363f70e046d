//! What is so at a point of the search.

use super::looks::same;
use super::{Flight, Gate, Mark, Stage, Story};
use crate::schedules::history::{Event, Fault, Seen};
use crate::schedules::reference::{Fate, Task, Wish};
use crate::{ErrorCode, GoneReason, Uuid};

/// The step of a close that has nothing left to do but to let go of the name.
pub(super) const HAS_DRAINED: usize = 100;

impl Story {
    pub(super) fn create(
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

    pub(super) fn pass(&mut self, lane: usize) {
        self.next[lane] += 1;
        self.flights[lane] = Flight::default();
    }

    /// The operation goes on once what is seen of it has come about.
    pub(super) fn passed(mut self, lane: usize) -> Vec<Self> {
        let flight = &self.flights[lane];
        if flight.settles.is_none() && flight.retains.is_none() {
            self.pass(lane);
        }
        vec![self]
    }

    pub(super) fn ancestors(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(at), |at| self.model.tasks[*at].parent)
    }

    pub(super) fn may_see(&self, at: Option<usize>) -> bool {
        at.is_some_and(|at| {
            self.ancestors(at)
                .any(|at| self.marks.iter().any(|mark| mark.task == at))
        })
    }

    pub(super) fn has_to_see(&self, at: usize) -> bool {
        let is_hard = |at| {
            self.marks
                .iter()
                .any(|mark| mark.task == at && mark.is_hard)
        };
        self.ancestors(at).any(is_hard)
    }

    pub(super) fn is_named(&self, at: usize) -> bool {
        self.marks
            .iter()
            .any(|mark| mark.task == at && mark.is_named)
    }

    pub(super) fn mark(&mut self, task: usize, is_named: bool) {
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

    /// The task has settled, and its end has not found what a close has marked: the close, which
    /// goes from one to the next, may not have come to it.
    pub(super) fn doubt(&mut self, task: usize) {
        let mut marks = self.marks.iter().filter(|mark| mark.task == task);
        let is_found = self.model.tasks[task].ended_by_abort.is_some();
        if !is_found && marks.all(|mark| !mark.is_hard && !mark.is_named) {
            self.doubtful.push(task);
        }
    }

    pub(super) fn harden(&mut self, tasks: &[usize]) {
        let marks = self
            .marks
            .iter_mut()
            .filter(|mark| tasks.contains(&mark.task));
        marks.for_each(|mark| mark.is_hard = true);
    }

    /// A close of the manager, or its drop, is about to shut all gates.
    pub(super) fn begin_to_shut(&mut self) {
        if self.stage == Stage::Open {
            self.stage = Stage::Shutting;
        }
        for gate in &mut self.gates {
            if *gate == Gate::Open {
                *gate = Gate::Shutting;
            }
        }
        self.model.closing = [true; 2];
    }

    pub(super) fn shut(&mut self) {
        if self.stage == Stage::Shutting {
            self.stage = Stage::Closing;
        }
        self.gates = [Gate::Shut; 2];
    }

    pub(super) fn mark_everything(&mut self, lane: usize) {
        let all = [0, 1].iter().flat_map(|module| self.running(*module));
        self.mark_all(lane, all.collect());
    }

    /// What a close tells all that run, through those of which it tells no ancestor.
    pub(super) fn mark_all(&mut self, lane: usize, all: Vec<usize>) {
        for at in &all {
            let parent = self.model.tasks[*at].parent;
            if parent.is_none_or(|parent| !all.contains(&parent)) {
                self.mark(*at, false);
            }
        }
        self.flights[lane].list = all;
    }

    pub(super) fn harden_all(&mut self, lane: usize) {
        let all = self.flights[lane].list.clone();
        self.harden(&all);
    }

    pub(super) fn abort(self, lane: usize, number: usize, by_id: bool) -> Vec<Self> {
        let mark = |at: usize| {
            let mut next = self.clone();
            next.mark(at, true);
            next.flights[lane].step = 1;
            next.flights[lane].list = vec![at];
            next
        };
        if self.flights[lane].step > 0 {
            let mut next = self;
            let marked = next.flights[lane].list.clone();
            next.harden(&marked);
            return next.passed(lane);
        }
        if !by_id {
            return self.at[number].map(mark).into_iter().collect();
        }
        let found = self.flights[lane].found.iter().copied();
        found
            .filter(|at| self.model.tasks[*at].wish.abortable)
            .map(mark)
            .collect()
    }

    pub(super) fn meant(&self, event: &Event) -> u64 {
        event.registration.map_or(0, |made| self.made[&made])
    }

    /// Whether nothing of the module runs any more since it was closed.
    pub(super) fn is_unregistered(&self, module: usize) -> bool {
        self.model.closing[module] && self.running(module).is_empty()
    }

    /// What of a module has not settled, or is a root of which it is yet to be seen whether it is
    /// kept.
    pub(super) fn running(&self, module: usize) -> Vec<usize> {
        let mut running: Vec<usize> = self.model.unsettled(module).collect();
        let retained = self.flights.iter().filter_map(|flight| flight.retains);
        running.extend(retained.filter(|at| self.model.tasks[*at].wish.module == module));
        running
    }

    pub(super) fn is_closed(&self, module: usize, event: &Event) -> bool {
        self.meant(event) != self.registrations[module] || self.is_unregistered(module)
    }

    pub(super) fn refuses(&self, module: usize, event: &Event) -> bool {
        self.meant(event) != self.registrations[module] || self.gates[module] != Gate::Open
    }

    /// Whether those who wait for the virtual task that the event watches are told that it is
    /// closed.
    pub(super) fn is_told(&self, module: usize, event: &Event) -> bool {
        let watched = self.watched.get(&event.invoked);
        watched.is_some_and(|registration| {
            self.overdue[module] > *registration || self.is_overdue || self.stage == Stage::Closed
        })
    }

    pub(super) fn fate(&self, number: usize) -> Option<Fate> {
        let at = self.at[number]?;
        Some(self.model.fate(self.model.tasks[at].id?))
    }

    pub(super) fn lives(&self, number: usize) -> bool {
        matches!(self.fate(number), Some(Fate::Lives(_)))
    }

    pub(super) fn refuses_abort(&self, number: usize, fault: &Fault) -> bool {
        match (fault.code, self.fate(number)) {
            (ErrorCode::NotAbortable, Some(Fate::Lives(at))) => {
                !self.model.tasks[at].wish.abortable
            }
            (ErrorCode::NotAbortable, _) => false,
            _ => self.is_gone(number, fault),
        }
    }

    pub(super) fn is_gone(&self, number: usize, fault: &Fault) -> bool {
        if fault.code == ErrorCode::Closed {
            return self.stage == Stage::Closed;
        }
        match self.fate(number) {
            Some(Fate::Gone(gone)) => fault.gone.is_some_and(|answer| gone.contains(&answer)),
            Some(Fate::Forgotten) => fault.code == ErrorCode::NotFound,
            _ => false,
        }
    }

    /// Whether this is seen of the task alone.
    pub(super) fn shows(&self, number: usize, seen: &Seen) -> bool {
        let Some(at) = self.at[number] else {
            return false;
        };
        let task = &self.model.tasks[at];
        let is_abort_right = match task.settled {
            true if self.doubtful.contains(&at) => task.abort.is_some() || !seen.is_aborted,
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
        let is_state_right = same(seen.state, task.state()) && seen.settled == task.settled;
        is_state_right && is_progress_right && is_abort_right
    }

    pub(super) fn counts(&self, number: usize, seen: &Seen) -> bool {
        self.at[number].is_some_and(|at| {
            let task = &self.model.tasks[at];
            seen.children == (task.live.len() as u64, task.counts.0, task.counts.1)
        })
    }

    /// Whether it has ended with all that this brings about, and settles with nobody else's end
    /// either: else a wait of zero may time out.
    pub(super) fn is_over_strictly(&self, number: usize) -> bool {
        self.is_over_but_for(number, |flight, at| flight.chain.contains(&at))
    }

    /// Whether it has ended with all that this brings about. What had ended before stays over while
    /// it settles with the end of another.
    pub(super) fn is_over(&self, number: usize) -> bool {
        self.is_over_but_for(number, |flight, at| flight.chain.first() == Some(&at))
    }

    /// Whether it has ended, and no end that has to do with it is under way.
    fn is_over_but_for(&self, number: usize, has_to_do: impl Fn(&Flight, usize) -> bool) -> bool {
        self.at[number].is_some_and(|at| {
            let is_under_way = |flight: &Flight| {
                has_to_do(flight, at) && (flight.settles.is_some() || flight.retains.is_some())
            };
            self.model.tasks[at].ended.is_some() && !self.flights.iter().any(is_under_way)
        })
    }

    pub(super) fn drain(
        mut self,
        lane: usize,
        module: usize,
        event: &Event,
        count: Option<usize>,
    ) -> Vec<Self> {
        if self.flights[lane].step == 0 {
            self.flights[lane].step = 1;
        }
        let meant = self.meant(event);
        self.drain_on(
            lane,
            |of, registration| (of, registration) == (module, meant),
            count,
            1,
        )
    }

    /// First a list of what is kept, and then one after the other.
    pub(super) fn drain_on(
        mut self,
        lane: usize,
        is_meant: impl Fn(usize, u64) -> bool,
        count: Option<usize>,
        first: usize,
    ) -> Vec<Self> {
        let is_there = |task: &Task| task.gone.is_none();
        let is_kept = |story: &Self, at: usize| {
            let task = &story.model.tasks[at];
            task.deadline.is_some() && is_there(task) && is_meant(task.wish.module, story.of[at])
        };
        if self.flights[lane].step == first {
            let all = 0..self.model.tasks.len();
            self.flights[lane].list = all.filter(|at| is_kept(&self, *at)).collect();
            self.flights[lane].step += 1;
            return self.drained(lane, count);
        }
        // In an order that nobody promises.
        let next = |at: usize| {
            let mut next = self.clone();
            let at = next.flights[lane].list.remove(at);
            if is_there(&next.model.tasks[at]) {
                next.model.go(at, GoneReason::Drained);
                next.flights[lane].count += 1;
            }
            next.drained(lane, count)
        };
        (0..self.flights[lane].list.len()).flat_map(next).collect()
    }

    /// A close, which counts nothing, is yet to return.
    pub(super) fn drained(mut self, lane: usize, count: Option<usize>) -> Vec<Self> {
        let flight = &mut self.flights[lane];
        match (flight.list.is_empty(), count) {
            (false, _) => vec![self],
            (true, None) => {
                flight.step = HAS_DRAINED;
                vec![self]
            }
            (true, Some(count)) if count != flight.count => Vec::new(),
            (true, Some(_)) => self.passed(lane),
        }
    }
}
