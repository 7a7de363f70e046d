//! Lists: the regular tasks of a module, and among them those of its providers.

use std::collections::HashSet;

use uuid::Uuid;

use super::scan;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::names::Group;
use crate::node::callback;
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
    // Whoever is listed twice, by a provider too, is told apart by all that are regular.
    let limit = match providers {
        [] => filter.limit.unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let mut listed = scan::regular(engine, group, filter, limit);
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
