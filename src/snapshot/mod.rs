//! Reading tasks into views, from outside: no reporter notices.

mod figures;
mod list;
mod plain;
mod scan;

use std::collections::VecDeque;
use std::ops::Range;

use uuid::Uuid;

use crate::arena::{Held, Realm};
use crate::bulk::{Bulk, TREE};
use crate::clock::{Wall, time};
use crate::engine::{Engine, Registration, TaskRef};
use crate::error::{Error, Result};
use crate::names::NameSet;
use crate::node::extras::{AbortMark, Looks};
use crate::node::progress::{Own, Shown, Sums};
use crate::node::slot::{ABORTABLE, INTERNAL, Slot, USER_TASK};
use crate::node::text::{self, Text};
use crate::node::word::{ABORT, FAILED, KIDS, Reading, SETTLED, SUSPEND, TERMINAL, WAS_ABORTED};
use crate::provider::{Hosted, Limit};
use crate::tree::abort;
use crate::tree::kids::Child;
use crate::tree::record::Record;
use crate::tree::walk;
use crate::view::{AbortInfo, ChildCounts, ChildId, Kind, Name, Progress, State, Stats, Status};

use figures::{Figures, same_moment, shown_birth};
pub(crate) use list::listing;
use plain::Plain;

/// The task of this id, if its status is had without a reference: what most ask for.
#[inline(always)]
pub(crate) fn glance(engine: &'static Engine, id: Uuid) -> Option<Plain> {
    let (slot, reading) = engine.find_slot(id)?;
    Plain::read(slot, reading, engine)
}

/// The status of a task that is held.
pub(crate) fn status(held: &Held, engine: &'static Engine) -> Status {
    let slot = held.slot();
    loop {
        let reading = slot.word.load();
        if let Some(plain) = Plain::read(slot, reading, engine) {
            return plain.into_status(engine.realm.key.encode(slot.place(reading)));
        }
        if reading.has(KIDS) {
            return status_of_parent(held, engine);
        }
        let names = slot.names(engine.realm);
        let seen = Moment::read(slot, engine.realm, reading, Above::Unknown);
        let own = Own::read(slot, engine.realm, reading, names.units.clone());
        if same_moment(reading, slot) {
            let shown = Shown::of_leaf(own, reading.is_done());
            return seen.into_status(slot, engine, &names, shown.into_progress());
        }
        std::hint::spin_loop();
    }
}

fn status_of_parent(held: &Held, engine: &'static Engine) -> Status {
    loop {
        let (mut status, _) = status_alone(held, engine, Above::Unknown);
        let mut children = Vec::new();
        let shown = walk::shown(held, engine.realm, |child| {
            children.push((child.order(), child.id(engine.realm)));
        });
        // A task that ended in between shows figures of its end.
        if held.slot().word.load().state().is_terminal() == status.state.is_terminal() {
            status.progress = shown.into_progress();
            add_kept(&mut children, held.slot(), engine.realm);
            status.children = child_ids(children.into_iter().map(|(_, id)| id), engine);
            return status;
        }
    }
}

/// Adds the children that are kept to those that live, each once, in order of creation.
fn add_kept(children: &mut Vec<(u64, Uuid)>, slot: &'static Slot, realm: &'static Realm) {
    let mut kept = Bulk::new();
    if let Some(kids) = slot.kids(realm) {
        kids.copy_kept(&mut kept);
    }
    let kept = kept.or_end();
    let kept = kept.iter();
    children.extend(kept.map(|record| (record.order, record_id(record, realm))));
    children.sort_unstable_by_key(|(order, _)| *order);
    // Whoever folds between the two looks is found twice; nobody is missed.
    children.dedup_by_key(|(order, _)| *order);
}

/// The status of a task and all its descendants, breadth-first, siblings in order of
/// creation, each once.
pub(crate) fn status_tree(held: &Held, engine: &'static Engine) -> Result<Vec<Status>> {
    let mut walked = Walked::default();
    walked.go(vec![Node::top(held.clone())], engine)?;
    Ok(walked.statuses)
}

enum Node {
    /// Its parent's place in the walk, if it was come by.
    Live {
        held: Held,
        parent: Option<usize>,
    },
    Kept {
        record: Record,
        parent: Inherited,
    },
}

impl Node {
    fn top(held: Held) -> Self {
        Self::Live { held, parent: None }
    }
}

/// What a kept child has of its parent.
#[derive(Clone, Copy)]
struct Inherited {
    id: Uuid,
    sequence: u64,
    shard: u32,
}

impl Inherited {
    fn of(status: &Status) -> Self {
        Self {
            id: status.id,
            sequence: status.sequence_number,
            shard: status.shard,
        }
    }
}

/// A walk through a tree: the statuses, breadth-first, and what their progress is made of.
#[derive(Default)]
struct Walked {
    statuses: Vec<Status>,
    parts: Vec<Parts>,
}

/// What a live task's progress is made of; the others have theirs.
#[derive(Default)]
struct Parts {
    held: Option<Held>,
    folded: Sums,
    children: Range<usize>,
    /// The abort that reaches it, and so its children.
    abort: Option<AbortMark>,
}

impl Walked {
    fn go(&mut self, roots: Vec<Node>, engine: &'static Engine) -> Result<()> {
        let first = self.statuses.len();
        let mut queue = VecDeque::from(roots);
        let mut next_child = first + queue.len();
        while let Some(node) = queue.pop_front() {
            let (before, entries) = (queue.len(), self.statuses.len());
            TREE.check(self.statuses.try_reserve(1), entries)?;
            TREE.check(self.parts.try_reserve(1), entries)?;
            match node {
                Node::Live { held, parent } => {
                    self.visit_live(held, parent, engine, &mut queue)?;
                }
                Node::Kept { record, parent } => {
                    self.visit_kept(&record, parent, engine, &mut queue)?;
                }
            }
            // The children come behind all that are waiting already.
            let children = next_child..next_child + queue.len() - before;
            next_child = children.end;
            if let Some(parts) = self.parts.last_mut() {
                parts.children = children;
            }
        }
        self.add_up(first, engine.realm)
    }

    fn visit_live(
        &mut self,
        held: Held,
        parent: Option<usize>,
        engine: &'static Engine,
        queue: &mut VecDeque<Node>,
    ) -> Result<()> {
        let below = walk::below(held.slot(), engine.realm)?;
        let above = match parent {
            Some(parent) => Above::Parent(self.parts[parent].abort.as_ref()),
            None => Above::Unknown,
        };
        let (mut status, abort) = status_alone(&held, engine, above);
        let ids = below.children.iter().map(|child| match child {
            Child::Live(held) => held.slot().id(engine.realm),
            Child::Kept(record) => record_id(record, engine.realm),
        });
        status.children = try_child_ids(ids, engine)?;
        let (parent, place) = (Inherited::of(&status), Some(self.parts.len()));
        TREE.check(queue.try_reserve(below.children.len()), queue.len())?;
        queue.extend(below.children.into_iter().map(|child| match child {
            Child::Live(held) => Node::Live {
                held,
                parent: place,
            },
            Child::Kept(record) => Node::Kept { record, parent },
        }));
        self.statuses.push(status);
        self.parts.push(Parts {
            held: Some(held),
            folded: below.folded,
            children: 0..0,
            abort,
        });
        Ok(())
    }

    fn visit_kept(
        &mut self,
        record: &Record,
        parent: Inherited,
        engine: &'static Engine,
        queue: &mut VecDeque<Node>,
    ) -> Result<()> {
        let status = record_status(record, parent, engine)?;
        let parent = Inherited::of(&status);
        TREE.check(queue.try_reserve(record.children().len()), queue.len())?;
        queue.extend(record.children().iter().map(|record| Node::Kept {
            record: record.clone(),
            parent,
        }));
        self.statuses.push(status);
        self.parts.push(Parts::default());
        Ok(())
    }

    /// The progress of every live task, from the last to the first: a child comes behind
    /// its parent, so each is added up once, however deep the tree.
    fn add_up(&mut self, first: usize, realm: &'static Realm) -> Result<()> {
        let mut shown: Vec<Option<Shown>> = Vec::new();
        let entries = self.statuses.len();
        TREE.check(shown.try_reserve_exact(entries), entries)?;
        shown.resize_with(self.statuses.len(), || None);
        for at in (first..self.statuses.len()).rev() {
            let parts = &self.parts[at];
            let Some(held) = &parts.held else { continue };
            let mut sums = parts.folded.clone();
            for child in parts.children.clone() {
                if let Some(shown) = &shown[child] {
                    sums.add(shown.amounts(), self.statuses[child].state == State::Done);
                }
            }
            let slot = held.slot();
            let own = Own::read(
                slot,
                realm,
                slot.word.load(),
                slot.names(realm).units.clone(),
            );
            let done = self.statuses[at].state == State::Done;
            let of_task = Shown::of(own, &sums, done);
            self.statuses[at].progress = of_task.clone().into_progress();
            shown[at] = Some(of_task);
        }
        Ok(())
    }
}

/// The status of a task but for its progress and its children, and the abort that reaches it.
fn status_alone(
    held: &Held,
    engine: &'static Engine,
    above: Above<'_>,
) -> (Status, Option<AbortMark>) {
    let slot = held.slot();
    loop {
        let reading = slot.word.load();
        let seen = Moment::read(slot, engine.realm, reading, above);
        if same_moment(reading, slot) {
            let names = slot.names(engine.realm);
            let abort = seen.abort.as_ref().map(|(mark, _)| mark.clone());
            let status = seen.into_status(slot, engine, &names, NO_PROGRESS);
            return (status, abort);
        }
        std::hint::spin_loop();
    }
}

/// What is known of an abort of an ancestor of a task that is looked at.
#[derive(Clone, Copy)]
enum Above<'a> {
    /// It has to be looked for.
    Unknown,
    /// Its parent was looked at just now, and this one reached that.
    Parent(Option<&'a AbortMark>),
}

/// What a status shows of a task and may change, but for its progress: read as one, under a
/// reference, before anything is made of it.
struct Moment {
    figures: Figures,
    error: Option<Text>,
    abort: Option<(AbortMark, Looks)>,
    counts: ChildCounts,
    first_error: Option<Text>,
}

impl Moment {
    #[inline(always)]
    fn read(
        slot: &'static Slot,
        realm: &'static Realm,
        reading: Reading,
        above: Above<'_>,
    ) -> Self {
        let error = match reading.has(FAILED) {
            true => slot
                .extras(realm)
                .and_then(|extras| extras.lock().error.clone()),
            false => None,
        };
        let (counts, first_error) = match reading.has(KIDS) {
            true => children_of(slot, realm),
            false => Default::default(),
        };
        Self {
            figures: Figures::read(slot, reading, realm),
            error,
            abort: abort_of(slot, reading, realm, above),
            counts,
            first_error,
        }
    }

    #[inline(always)]
    fn into_status(
        self,
        slot: &'static Slot,
        engine: &'static Engine,
        names: &NameSet,
        progress: Progress,
    ) -> Status {
        let Figures {
            reading,
            attributes,
            ..
        } = self.figures;
        let text = |error: Text| error.as_str().to_owned();
        let times = self.figures.times();
        Status {
            id: self.figures.id(engine.realm),
            type_: names.type_.clone(),
            kind: Kind::Node,
            module: names.module.clone(),
            scope: names.scope.clone(),
            state: reading.state(),
            is_abortable: attributes & ABORTABLE != 0,
            start_time: times.start,
            end_time: times.end,
            error: self.error.map(text),
            parent_id: slot.parent_id(engine.realm),
            sequence_number: self.figures.sequence,
            shard: self.figures.shard,
            keyspace: names.keyspace.clone(),
            table: names.table.clone(),
            entity: self.figures.entity,
            progress,
            children: Vec::new(),
            internal: attributes & INTERNAL != 0,
            user_task: attributes & USER_TASK != 0,
            settled: reading.has(SETTLED),
            created_at: times.created,
            suspend_requested: reading.has(SUSPEND),
            abort: self
                .abort
                .map(|(mark, looks)| abort_info(&mark, looks, slot.wall())),
            child_counts: self.counts,
            first_error: self.first_error.map(text),
        }
    }
}

fn children_of(slot: &'static Slot, realm: &'static Realm) -> (ChildCounts, Option<Text>) {
    slot.kids(realm)
        .map_or_else(Default::default, |kids| (kids.counts(), kids.first_error()))
}

/// What is filled in afterwards.
const NO_PROGRESS: Progress = Progress {
    completed: 0,
    total: 0,
    total_known: false,
    units: Name::EMPTY,
};

/// The abort that reaches a task, or, once it has settled, the one that had reached it by then.
fn abort_of(
    slot: &'static Slot,
    reading: Reading,
    realm: &'static Realm,
    above: Above<'_>,
) -> Option<(AbortMark, Looks)> {
    let tree = slot.find_tree(realm)?;
    let may_be = match reading.has(SETTLED) {
        true => reading.has(ABORT | WAS_ABORTED),
        false => tree.may_be_aborted(),
    };
    if !may_be {
        return None;
    }
    let mark = match above {
        // What is its own is read with it, as it may have come since the parent was looked at.
        Above::Parent(mark) if !reading.has(SETTLED | ABORT | WAS_ABORTED) => mark.cloned(),
        _ => abort::mark_of(slot, tree, realm),
    }?;
    // Who has a handle may look on when the task has ended.
    let looks = match reading.has(TERMINAL) {
        true => slot.extras(realm).map(|extras| extras.lock().looks),
        false => Some(Looks::read(slot)),
    };
    Some((mark, looks.unwrap_or_default()))
}

#[cold]
fn abort_info(mark: &AbortMark, looks: Looks, wall: Wall) -> AbortInfo {
    AbortInfo {
        reason: mark.text.reason().to_owned(),
        requested_at: wall.time(mark.at),
        polls: looks.polls,
        last_poll: wall.time(looks.last_poll),
    }
}

fn child_ids(ids: impl Iterator<Item = Uuid>, engine: &'static Engine) -> Vec<ChildId> {
    let mut ids = ids.peekable();
    if ids.peek().is_none() {
        return Vec::new();
    }
    let node = engine.node();
    ids.map(|task_id| ChildId {
        task_id,
        node: node.clone(),
    })
    .collect()
}

/// The same of a parent that is one of many, where there is memory for it.
fn try_child_ids(
    ids: impl ExactSizeIterator<Item = Uuid>,
    engine: &'static Engine,
) -> Result<Vec<ChildId>> {
    let mut children = Vec::new();
    if ids.len() > 0 {
        TREE.check(children.try_reserve_exact(ids.len()), ids.len())?;
        let node = engine.node();
        children.extend(ids.map(|task_id| ChildId {
            task_id,
            node: node.clone(),
        }));
    }
    Ok(children)
}

fn record_id(record: &Record, realm: &'static Realm) -> Uuid {
    record
        .more()
        .and_then(|more| more.host_id)
        .unwrap_or_else(|| realm.key.encode(record.place()))
}

fn record_status(record: &Record, parent: Inherited, engine: &'static Engine) -> Result<Status> {
    let (realm, more) = (engine.realm, record.more());
    let text = |error: &Text| error.as_str().to_owned();
    let names: &NameSet = match more.and_then(|more| more.names.as_ref()) {
        Some(set) => set,
        None => realm.names(record.names()),
    };
    let units = more
        .and_then(|more| more.units.as_ref())
        .unwrap_or(&names.units);
    let shown = Shown {
        completed: record.completed(),
        total: record.total(),
        units: units.clone(),
    };
    let below = record.children().iter();
    let children = try_child_ids(below.map(|child| record_id(child, realm)), engine)?;
    let abort = more
        .and_then(|more| more.abort.as_ref())
        .map(|abort| AbortInfo {
            reason: abort.text.reason().to_owned(),
            requested_at: time(abort.at),
            polls: abort.polls,
            last_poll: time(abort.last_poll),
        });
    Ok(Status {
        id: record_id(record, realm),
        type_: names.type_.clone(),
        kind: Kind::Node,
        module: names.module.clone(),
        scope: names.scope.clone(),
        state: if record.has_failed() {
            State::Failed
        } else {
            State::Done
        },
        is_abortable: record.is_abortable(),
        start_time: time(record.start),
        end_time: time(record.end),
        error: more.and_then(|more| more.error.as_ref()).map(text),
        parent_id: Some(parent.id),
        sequence_number: parent.sequence,
        shard: more.and_then(|more| more.shard).unwrap_or(parent.shard),
        keyspace: names.keyspace.clone(),
        table: names.table.clone(),
        entity: more.map_or(Name::EMPTY, |more| more.entity.clone()),
        progress: shown.into_progress(),
        children,
        internal: true,
        user_task: more.is_some_and(|more| more.user_task),
        settled: true,
        // A record does not keep when its task was made; it started then, or never.
        created_at: shown_birth(time(record.start.min(record.end))),
        suspend_requested: false,
        abort,
        child_counts: more.map_or_else(Default::default, |more| more.counts),
        first_error: more.and_then(|more| more.first_error.as_ref()).map(text),
    })
}

/// The stats of a task that is held.
pub(crate) fn stats(held: &Held, engine: &'static Engine) -> Stats {
    let slot = held.slot();
    loop {
        let reading = slot.word.load();
        let figures = Figures::read(slot, reading, engine.realm);
        if same_moment(reading, slot) {
            return figures.into_stats(&slot.names(engine.realm), engine.realm);
        }
        std::hint::spin_loop();
    }
}

/// The status of a virtual task, with its local children.
pub(crate) fn virtual_status(
    engine: &'static Engine,
    provider: &Hosted,
    registration: &Registration,
    id: Uuid,
    limit: Limit,
) -> Result<Status> {
    let status = provider.ask(limit, move |provider| provider.status(id))?;
    let status = status.ok_or_else(|| Error::not_found(id))?;
    Ok(complete_virtual(engine, status, registration, id))
}

/// A provider's status as it is shown.
pub(crate) fn complete_virtual(
    engine: &'static Engine,
    mut status: Status,
    registration: &Registration,
    id: Uuid,
) -> Status {
    status.id = id;
    status.kind = Kind::Cluster;
    status.settled = status.state.is_terminal();
    status.error = status.error.map(text::bounded);
    status.first_error = status.first_error.map(text::bounded);
    if status.module.is_empty() {
        status.module = registration.name.clone();
    }
    let node = engine.node();
    let local = engine.children_of_virtual(id, registration.uid);
    status.children.extend(local.iter().map(|held| ChildId {
        task_id: TaskRef::of(held).id(),
        node: node.clone(),
    }));
    status
}

/// A virtual task's status and those of its local children with all below them.
pub(crate) fn virtual_tree(
    engine: &'static Engine,
    provider: &Hosted,
    registration: &Registration,
    id: Uuid,
) -> Result<Vec<Status>> {
    let mut walked = Walked::default();
    walked
        .statuses
        .push(virtual_status(engine, provider, registration, id, None)?);
    walked.parts.push(Parts::default());
    let local = engine.children_of_virtual(id, registration.uid).into_iter();
    walked.go(local.map(Node::top).collect(), engine)?;
    Ok(walked.statuses)
}
