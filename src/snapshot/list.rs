//! Lists: a scan of all slots that takes no reference and holds nobody up.

use std::collections::HashSet;

use uuid::Uuid;

use super::{read_stats, same_moment};
use crate::clock::Tick;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::names::{Group, Names};
use crate::node::callback;
use crate::node::slot::{INTERNAL, Slot};
use crate::node::word::{GONE, Reading, SETTLED};
use crate::provider::Hosted;
use crate::view::{Filter, Kind, Stats};

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
        listed = merge(listed, cluster);
    }
    if let Some(limit) = filter.limit {
        listed.truncate(limit);
    }
    Ok(listed)
}

/// Puts virtual tasks among the regular ones by UTC, which is all that compares with theirs;
/// the regular ones stay in the order of their ticks.
fn merge(regular: Vec<Stats>, mut cluster: Vec<Stats>) -> Vec<Stats> {
    let age = |stats: &Stats| (stats.created_at, stats.id);
    cluster.sort_by_key(age);
    let mut cluster = cluster.into_iter().peekable();
    let mut merged = Vec::with_capacity(regular.len() + cluster.len());
    for stats in regular {
        while let Some(older) = cluster.next_if(|theirs| age(theirs) < age(&stats)) {
            merged.push(older);
        }
        merged.push(stats);
    }
    merged.extend(cluster);
    merged
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
        let names = match slot.interned_names() {
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
