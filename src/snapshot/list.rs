//! Lists: the regular tasks of a module, and among them those of its providers.

use std::collections::HashSet;

use uuid::Uuid;

use super::scan;
use crate::bulk::LIST;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::names::Group;
use crate::provider::{Hosted, check_may_ask};
use crate::view::{Filter, Kind, Listing, Missing, ProviderId, Stats};

/// The tasks of a module, in order of creation and then of id, and whose are missing: those of a
/// provider that cannot say in time.
pub(crate) fn listing(
    engine: &'static Engine,
    group: &'static Group,
    providers: &[Hosted],
    filter: &Filter,
) -> Result<Listing> {
    if !providers.is_empty() {
        check_may_ask()?;
    }
    // Whoever is listed twice, by a provider too, is told apart by all that are regular.
    let limit = match providers {
        [] => filter.limit.unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let mut tasks = scan::regular(engine, group, filter, limit)?;
    let mut missing = Vec::new();
    if !providers.is_empty() {
        let cluster = list_virtual(providers, filter, &tasks, |provider, error| {
            missing.push(Missing {
                module: group.name(),
                provider,
                error,
            });
        })?;
        if !cluster.is_empty() {
            tasks = merge(tasks, cluster)?;
        }
    }
    if let Some(limit) = filter.limit {
        tasks.truncate(limit);
    }
    Ok(Listing { tasks, missing })
}

/// Puts virtual tasks among the regular ones by UTC, which is all that compares with theirs;
/// the regular ones stay in the order of their ticks.
fn merge(regular: Vec<Stats>, mut cluster: Vec<Stats>) -> Result<Vec<Stats>> {
    let age = |stats: &Stats| (stats.created_at, stats.id);
    cluster.sort_unstable_by_key(age);
    let entries = regular.len() + cluster.len();
    let mut cluster = cluster.into_iter().peekable();
    let mut merged = Vec::new();
    LIST.check(merged.try_reserve_exact(entries), entries)?;
    for stats in regular {
        while let Some(older) = cluster.next_if(|theirs| age(theirs) < age(&stats)) {
            merged.push(older);
        }
        merged.push(stats);
    }
    merged.extend(cluster);
    Ok(merged)
}

fn list_virtual(
    providers: &[Hosted],
    filter: &Filter,
    regular: &[Stats],
    mut is_missing: impl FnMut(ProviderId, Error),
) -> Result<Vec<Stats>> {
    let mut theirs = Vec::new();
    for (provider, answer) in providers.iter().zip(Hosted::ask_lists(providers)) {
        match answer {
            Ok(stats) => {
                LIST.check(theirs.try_reserve(stats.len()), theirs.len())?;
                theirs.extend(stats.into_iter().map(|stats| Stats {
                    kind: Kind::Cluster,
                    ..stats
                }));
            }
            Err(error) => is_missing(provider.id(), error),
        }
    }
    theirs.retain(|stats| filter.lets_through(stats));
    if !theirs.is_empty() {
        let entries = regular.len() + theirs.len();
        let mut ids: HashSet<Uuid> = HashSet::new();
        LIST.check(ids.try_reserve(entries), entries)?;
        ids.extend(regular.iter().map(|stats| stats.id));
        theirs.retain(|stats| ids.insert(stats.id));
    }
    Ok(theirs)
}
