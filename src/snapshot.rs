//! Reading tasks into views, from outside: no reporter notices.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::arena::{Held, Realm};
use crate::clock::{Tick, time};
use crate::engine::{Engine, TaskRef};
use crate::error::{Error, Result};
use crate::names::{Group, NameSet, Names};
use crate::node::callback;
use crate::node::progress::Shown;
use crate::node::slot::{ABORTABLE, HOST_ID, INTERNAL, Slot, USER_TASK};
use crate::node::word::{ASLEEP, FAILED, GONE, Reading, SETTLED, STARTED, SUSPEND, TERMINAL};
use crate::provider::Hosted;
use crate::sync::{Ordering, fence};
use crate::tree::abort;
use crate::tree::kids::Child;
use crate::tree::record::Record;
use crate::tree::walk;
use crate::view::{AbortInfo, ChildId, Filter, Kind, Name, State, Stats, Status};

/// What of a word shows in a view: if none of it has changed between two looks, what was
/// read in between is of one moment.
const SHOWN: u64 = STARTED | ASLEEP | TERMINAL | FAILED | SETTLED | GONE;

fn same_moment(before: Reading, slot: &'static Slot) -> bool {
    // The reader's half of the seqlock: the loads before are done before the next.
    fence(Ordering::Acquire);
    let after = slot.word.load_relaxed();
    after.generation() == before.generation() && before.agrees(after, SHOWN)
}

/// The status of a task that is held.
pub(crate) fn status(held: &Held, engine: &'static Engine) -> Status {
    let children = walk::children(held.slot(), engine.realm);
    status_with(held, engine, &children)
}

/// The status of a task and all its descendants, breadth-first, siblings in order of
/// creation, each once.
pub(crate) fn status_tree(held: &Held, engine: &'static Engine) -> Vec<Status> {
    let mut statuses = Vec::new();
    walk_tree(
        VecDeque::from([Node::Live(held.clone())]),
        engine,
        &mut statuses,
    );
    statuses
}

enum Node {
    Live(Held),
    Kept {
        record: Record,
        parent: Uuid,
        sequence: u64,
    },
}

fn walk_tree(mut queue: VecDeque<Node>, engine: &'static Engine, statuses: &mut Vec<Status>) {
    while let Some(node) = queue.pop_front() {
        match node {
            Node::Live(held) => {
                let children = walk::children(held.slot(), engine.realm);
                let status = status_with(&held, engine, &children);
                let (parent, sequence) = (status.id, status.sequence_number);
                statuses.push(status);
                queue.extend(children.into_iter().map(|child| match child {
                    Child::Live(held) => Node::Live(held),
                    Child::Kept(record) => Node::Kept {
                        record,
                        parent,
                        sequence,
                    },
                }));
            }
            Node::Kept {
                record,
                parent,
                sequence,
            } => {
                let status = record_status(&record, parent, sequence, engine);
                let parent = status.id;
                statuses.push(status);
                queue.extend(record.children().iter().map(|record| Node::Kept {
                    record: record.clone(),
                    parent,
                    sequence,
                }));
            }
        }
    }
}

fn status_with(held: &Held, engine: &'static Engine, children: &[Child]) -> Status {
    let slot = held.slot();
    loop {
        let reading = slot.word.load();
        let status = read_status(held, engine, reading, children);
        if same_moment(reading, slot) {
            return status;
        }
        std::hint::spin_loop();
    }
}

fn read_status(
    held: &Held,
    engine: &'static Engine,
    reading: Reading,
    children: &[Child],
) -> Status {
    let (slot, realm) = (held.slot(), engine.realm);
    let names = slot.names(realm);
    let stats = read_stats(slot, reading, engine, &names);
    let terminal = reading.has(TERMINAL);
    let error = slot
        .extras(realm)
        .and_then(|extras| extras.lock().error.clone());
    let (counts, first_error) = slot.kids(realm).map_or_else(Default::default, |kids| {
        let family = kids.lock();
        (family.counts(), family.first_error())
    });
    Status {
        id: stats.id,
        type_: stats.type_,
        kind: Kind::Node,
        module: names.group.name.clone(),
        scope: stats.scope,
        state: stats.state,
        is_abortable: slot.is(ABORTABLE),
        start_time: stats.start_time,
        end_time: stats.end_time,
        error: error.filter(|_| terminal).map(|error| error.to_string()),
        parent_id: slot.parent_id(realm),
        sequence_number: stats.sequence_number,
        shard: stats.shard,
        keyspace: stats.keyspace,
        table: stats.table,
        entity: stats.entity,
        progress: walk::shown(held, realm).into_progress(),
        children: child_ids(children, engine),
        internal: stats.internal,
        user_task: slot.is(USER_TASK),
        settled: reading.has(SETTLED),
        created_at: stats.created_at,
        suspend_requested: reading.has(SUSPEND),
        abort: abort_info(slot, engine),
        child_counts: counts,
        first_error: first_error.map(|error| error.to_string()),
    }
}

fn abort_info(slot: &'static Slot, engine: &'static Engine) -> Option<AbortInfo> {
    let mark = match abort::reaches(slot, engine.realm) {
        true => abort::mark_of(slot, engine.realm)?,
        false => return None,
    };
    Some(AbortInfo {
        reason: mark.reason.to_string(),
        requested_at: slot.wall().time(mark.at),
        polls: slot.polls.load(Ordering::Relaxed),
        last_poll: slot.wall().time(slot.last_poll.load(Ordering::Relaxed)),
    })
}

fn child_ids(children: &[Child], engine: &'static Engine) -> Vec<ChildId> {
    let id = |child: &Child| match child {
        Child::Live(held) => held.slot().id(engine.realm),
        Child::Kept(record) => record_id(record, engine.realm),
    };
    children
        .iter()
        .map(|child| ChildId {
            task_id: id(child),
            node: engine.config.node.clone(),
        })
        .collect()
}

fn record_id(record: &Record, realm: &'static Realm) -> Uuid {
    record
        .more()
        .and_then(|more| more.host_id)
        .unwrap_or_else(|| realm.key.encode(record.place()))
}

fn record_status(record: &Record, parent: Uuid, sequence: u64, engine: &'static Engine) -> Status {
    let (realm, more) = (engine.realm, record.more());
    let text = |error: &Arc<str>| error.to_string();
    let names: &NameSet = match more.and_then(|more| more.names.as_ref()) {
        Some(set) => set,
        None => realm.names(record.names),
    };
    let units = more
        .and_then(|more| more.units.as_ref())
        .unwrap_or(&names.units);
    let shown = Shown {
        completed: record.completed(),
        total: record.total(),
        units: units.clone(),
    };
    let children = record.children().iter().map(|child| ChildId {
        task_id: record_id(child, realm),
        node: engine.config.node.clone(),
    });
    let abort = more
        .and_then(|more| more.abort.as_ref())
        .map(|abort| AbortInfo {
            reason: abort.reason.to_string(),
            requested_at: time(abort.at),
            polls: abort.polls,
            last_poll: time(abort.last_poll),
        });
    Status {
        id: record_id(record, realm),
        type_: names.type_.clone(),
        kind: Kind::Node,
        module: names.group.name.clone(),
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
        parent_id: Some(parent),
        sequence_number: sequence,
        shard: record.shard,
        keyspace: names.keyspace.clone(),
        table: names.table.clone(),
        entity: more.map_or(Name::EMPTY, |more| more.entity.clone()),
        progress: shown.into_progress(),
        children: children.collect(),
        internal: true,
        user_task: more.is_some_and(|more| more.user_task),
        settled: true,
        // A record does not keep when its task was made; it started then, or never.
        created_at: shown_birth(time(record.start.min(record.end))),
        suspend_requested: false,
        abort,
        child_counts: more.map_or_else(Default::default, |more| more.counts),
        first_error: more.and_then(|more| more.first_error.as_ref()).map(text),
    }
}

/// Every task was born, though who looks too late may read otherwise.
fn shown_birth(born: Option<SystemTime>) -> SystemTime {
    born.unwrap_or(UNIX_EPOCH)
}

/// The stats of a task that is held.
pub(crate) fn stats(held: &Held, engine: &'static Engine) -> Stats {
    let slot = held.slot();
    loop {
        let reading = slot.word.load();
        let names = slot.names(engine.realm);
        let stats = read_stats(slot, reading, engine, &names);
        if same_moment(reading, slot) {
            return stats;
        }
        std::hint::spin_loop();
    }
}

#[inline]
fn read_stats(
    slot: &'static Slot,
    reading: Reading,
    engine: &'static Engine,
    names: &NameSet,
) -> Stats {
    let wall = slot.wall();
    let attributes = slot.attributes();
    let (mut entity, mut host_id) = (Name::EMPTY, None);
    if let Some(extras) = slot.find_extras(engine.realm) {
        let parts = extras.lock();
        entity = parts.entity.clone();
        host_id = parts.host_id.filter(|_| attributes & HOST_ID != 0);
    }
    Stats {
        id: host_id.unwrap_or_else(|| engine.realm.key.encode(slot.place(reading))),
        type_: names.type_.clone(),
        kind: Kind::Node,
        scope: names.scope.clone(),
        state: reading.state(),
        sequence_number: slot.sequence(),
        keyspace: names.keyspace.clone(),
        table: names.table.clone(),
        entity,
        shard: slot.shard(),
        start_time: wall
            .time(slot.start.load(Ordering::Relaxed))
            .filter(|_| reading.has(STARTED)),
        end_time: wall
            .time(slot.end.load(Ordering::Relaxed))
            .filter(|_| reading.has(TERMINAL)),
        created_at: shown_birth(wall.time(slot.born())),
        internal: attributes & INTERNAL != 0,
    }
}

/// The tasks of a module, in order of creation and then of id. What a provider cannot say
/// in time is left out.
pub(crate) fn list(
    engine: &'static Engine,
    group: &'static Group,
    providers: &[Hosted],
    filter: &Filter,
) -> Result<Vec<Stats>> {
    if callback::is_inside() && !providers.is_empty() {
        return Err(Error::would_deadlock("asking a provider for its tasks"));
    }
    let mut regular: Vec<(Tick, Stats)> = engine
        .slots()
        .filter_map(|(slot, reading)| list_one(slot, reading, engine, group, filter))
        .collect();
    regular.sort_unstable_by_key(|(born, stats)| (*born, stats.id));
    let mut listed: Vec<Stats> = regular.into_iter().map(|(_, stats)| stats).collect();
    let cluster = list_virtual(providers, filter, &listed);
    if !cluster.is_empty() {
        // With those of others only UTC compares.
        listed.extend(cluster);
        listed.sort_by_key(|stats| (stats.created_at, stats.id));
    }
    if let Some(limit) = filter.limit {
        listed.truncate(limit);
    }
    Ok(listed)
}

fn list_virtual(providers: &[Hosted], filter: &Filter, regular: &[Stats]) -> Vec<Stats> {
    let answers = providers
        .iter()
        .filter_map(|provider| provider.ask(|provider| provider.list()).ok());
    let theirs = answers.flatten().map(|stats| Stats {
        kind: Kind::Cluster,
        ..stats
    });
    let mut theirs: Vec<Stats> = theirs.filter(|stats| filter.lets_through(stats)).collect();
    if !theirs.is_empty() {
        let mut ids: HashSet<Uuid> = regular.iter().map(|stats| stats.id).collect();
        theirs.retain(|stats| ids.insert(stats.id));
    }
    theirs
}

/// One task of a listing, without a reference to it: what is read of another tenant, or
/// of a moment between two states, is read again or dropped.
fn list_one(
    slot: &'static Slot,
    first: Reading,
    engine: &'static Engine,
    group: &'static Group,
    filter: &Filter,
) -> Option<(Tick, Stats)> {
    let mut reading = first;
    loop {
        if !filter.internal && slot.is(INTERNAL) && same_moment(reading, slot) {
            return None;
        }
        let names = match slot.interned_names(engine.realm) {
            Some(set) => Some(Names::Interned(set)),
            None => slot
                .find_extras(engine.realm)
                .and_then(|extras| extras.lock().names.clone())
                .map(Names::Owned),
        };
        let stats = names.and_then(|names| {
            let expired = reading.has(SETTLED) && engine.is_expired(slot);
            let wanted = std::ptr::eq(names.group, group) && !expired;
            wanted.then(|| (slot.born(), read_stats(slot, reading, engine, &names)))
        });
        if same_moment(reading, slot) {
            return stats.filter(|(_, stats)| filter.lets_through(stats));
        }
        reading = slot.word.load();
        if reading.generation() != first.generation() || reading.has(GONE) {
            return None;
        }
        std::hint::spin_loop();
    }
}

/// The status of a virtual task, with its local children.
pub(crate) fn virtual_status(
    engine: &'static Engine,
    provider: &Hosted,
    module: &Name,
    id: Uuid,
) -> Result<Status> {
    let status = provider.ask(move |provider| provider.status(id))?;
    let status = status.ok_or_else(|| Error::not_found(id))?;
    Ok(complete_virtual(engine, status, module, id))
}

/// A provider's status as it is shown.
pub(crate) fn complete_virtual(
    engine: &'static Engine,
    mut status: Status,
    module: &Name,
    id: Uuid,
) -> Status {
    status.id = id;
    status.kind = Kind::Cluster;
    status.settled = status.state.is_terminal();
    if status.module.is_empty() {
        status.module = module.clone();
    }
    let local = engine.children_of_virtual(id);
    status.children.extend(local.iter().map(|held| ChildId {
        task_id: TaskRef::of(held, engine).id(),
        node: engine.config.node.clone(),
    }));
    status
}

/// A virtual task's status and those of its local children with all below them.
pub(crate) fn virtual_tree(
    engine: &'static Engine,
    provider: &Hosted,
    module: &Name,
    id: Uuid,
) -> Result<Vec<Status>> {
    let mut statuses = vec![virtual_status(engine, provider, module, id)?];
    let local = engine.children_of_virtual(id).into_iter().map(Node::Live);
    walk_tree(local.collect(), engine, &mut statuses);
    Ok(statuses)
}
