//! Whether a history can be explained: by an order of all that happened in which each
//! operation comes between its invocation and its answer, and the reference model answers the
//! same.
//!
//! An operation is one step where the contract makes it one. Others take several, and what lies
//! between them may be seen: an end, and then each ancestor that settles with it; an abort that
//! has set its mark, and one that has returned; a close that shuts the gate, aborts, and drains.
//! What changes nothing is put wherever it holds first, which costs no other choice, and a
//! search goes through the orders of the rest.

mod closes;
mod looks;
mod steps;
mod story;

use std::collections::HashMap;

use crate::Uuid;
use crate::schedules::history::{Event, What};
use crate::schedules::program::{Op, Program, is_abortable, is_held};
use crate::schedules::reference::{Bounds, Fate, GivenId, Model, Wish};
use crate::schedules::world::{BROUGHT, TTL, USER_TTL};
use looks::is_look;

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
    ids: HashMap<usize, Uuid>,
    /// The tasks that have or had the id of each, itself among them.
    bearers: Vec<Vec<usize>>,
    program: &'a Program,
}

#[derive(Clone, Copy, PartialEq)]
enum Gate {
    Open,
    /// A close is about to shut it: who comes now may have looked before.
    Shutting,
    Shut,
}

/// How far the end of the manager has come.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Open,
    /// A close is about to shut the gates.
    Shutting,
    Closing,
    Closed,
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
    /// The tasks that had the id it names.
    found: Vec<usize>,
    /// Whether there was a moment at which the manager answered.
    was_answered: bool,
    /// The time and the TTL as it began.
    begun_at: Option<(u64, u64)>,
    /// The modules that no close had begun to shut by then.
    began_open: [bool; 2],
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
    /// Those that have settled, and may not have been marked.
    doubtful: Vec<usize>,
    gates: [Gate; 2],
    registrations: [u64; 2],
    stage: Stage,
    /// Whether the deadline of a close of the manager has passed.
    is_overdue: bool,
    /// The threads that have a handle of the manager, where nobody else has one.
    handles: usize,
    /// Whether it was dropped, and modules that were open with it.
    is_abandoned: bool,
    /// Whether the present registrations have providers.
    provided: [bool; 2],
    /// How many registrations have a close that keeps nobody waiting for virtual tasks.
    overdue: [u64; 2],
    /// The registration that each event found a virtual task with.
    watched: HashMap<u64, u64>,
    /// That of each task of the model.
    of: Vec<u64>,
    /// The registrations that each event made.
    made: HashMap<u64, u64>,
    next: Vec<usize>,
    flights: Vec<Flight>,
}

impl<'a> History<'a> {
    pub fn new(events: &'a [Event], ids: &HashMap<usize, Uuid>, program: &'a Program) -> Self {
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
        // Those are known of tasks, too, that were aborted as they started.
        let mut ids = ids.clone();
        for (number, host) in program.hosts.iter().enumerate() {
            if let Some(host) = host {
                ids.insert(number, BROUGHT[*host]);
            }
        }
        let bearers = (0..program.tasks).map(|number| match ids.get(&number) {
            Some(id) => (0..program.tasks)
                .filter(|other| ids.get(other) == Some(id))
                .collect(),
            None => vec![number],
        });
        Self {
            lanes,
            bearers: bearers.collect(),
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
            live: self.program.most_live,
        };
        let mut model = Model::new(bounds, true);
        (model.ttl, model.user_ttl) = (TTL, USER_TTL);
        let mut story = Story {
            model,
            at: vec![None; self.program.tasks],
            shared: Vec::new(),
            marks: Vec::new(),
            doubtful: Vec::new(),
            gates: [Gate::Open; 2],
            registrations: [0; 2],
            stage: Stage::Open,
            is_overdue: false,
            handles: self.program.threads.len(),
            is_abandoned: false,
            provided: self.program.provided,
            overdue: [0; 2],
            watched: HashMap::new(),
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

    /// The tasks that the event may be about: those that have or had the id by which it names one,
    /// or that one alone.
    fn bearers(&self, event: &Event, number: usize) -> impl Iterator<Item = usize> + '_ {
        let is_by_id = match &event.what {
            What::Asked(Op::Child { .. } | Op::Abort { .. }) => event.by_id,
            What::Asked(Op::Wait { .. } | Op::OnDone { .. }) | What::Told { .. } => {
                !is_held(number)
            }
            What::Asked(Op::Status { .. } | Op::Take { .. } | Op::Tree { .. }) => true,
            _ => false,
        };
        let all = self.bearers[number].iter().copied();
        all.filter(move |other| is_by_id || *other == number)
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
                if story.flights[lane].begun_at.is_none() {
                    let flight = &mut story.flights[lane];
                    flight.begun_at = Some((story.model.now, story.model.ttl));
                    flight.began_open = story.model.closing.map(|is_closing| !is_closing);
                }
                if let What::Asked(
                    Op::End { task, .. } | Op::Start { task } | Op::Child { parent: task, .. },
                ) = event.what
                {
                    let mut all = self.bearers(event, task).filter_map(|task| story.at[task]);
                    let may_miss = all.any(|at| !story.has_to_see(at));
                    story.flights[lane].may_miss |= may_miss;
                }
                story.flights[lane].was_answered |= story.stage != Stage::Closed;
                if let What::Asked(Op::VirtualOnDone { module, .. }) = event.what
                    && self.may_be_virtual(story, module, event)
                {
                    // No earlier one is meant, and where a later one is it makes no difference.
                    let registration = story.registrations[module];
                    story.watched.entry(event.invoked).or_insert(registration);
                }
                // Who has found a task may act on it when it has gone.
                if let What::Asked(Op::Abort { task }) = event.what
                    && let Some(Fate::Lives(at)) = story.fate(task)
                    && !story.flights[lane].found.contains(&at)
                {
                    story.flights[lane].found.push(at);
                }
                if !is_look(event) {
                    continue;
                }
                let looks = self.looks(event);
                for look in 0..looks {
                    if story.flights[lane].held >> look & 1 == 0
                        && self.holds(story, lane, event, look)
                    {
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
