//! What a parent keeps of a child that has folded.

use std::sync::Arc;

use uuid::Uuid;

use crate::clock::Tick;
use crate::id::Place;
use crate::names::NameSet;
use crate::node::extras::AbortMark;
use crate::node::progress::Shown;
use crate::node::slot::UNKNOWN;
use crate::view::{ChildCounts, Name};

/// The plain case, a child that did its work and has nothing to tell, is 64 bytes.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    place: u64,
    /// Among its siblings.
    pub(crate) order: u64,
    pub(crate) start: Tick,
    pub(crate) end: Tick,
    completed: u64,
    total: u64,
    /// The number of its names, unless it has its own in `more`.
    pub(crate) names: u32,
    pub(crate) shard: u32,
    more: Option<Arc<More>>,
}

/// What is out of the ordinary.
#[derive(Clone, Debug, Default)]
pub(crate) struct More {
    pub(crate) names: Option<Arc<NameSet>>,
    pub(crate) host_id: Option<Uuid>,
    pub(crate) entity: Name,
    pub(crate) error: Option<Arc<str>>,
    /// Its units, where they are not those of its names.
    pub(crate) units: Option<Name>,
    pub(crate) abort: Option<AbortMark>,
    pub(crate) polls: u32,
    pub(crate) last_poll: Option<Tick>,
    /// What it kept of its own children: failures, and the paths down to them.
    pub(crate) children: Subtree,
    pub(crate) counts: ChildCounts,
    pub(crate) first_error: Option<Arc<str>>,
    pub(crate) user_task: bool,
}

/// The records below a record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subtree(pub(crate) Vec<Record>);

impl Drop for Subtree {
    /// A chain of failures as deep as the tree must not be as deep a recursion.
    fn drop(&mut self) {
        let mut rest = std::mem::take(&mut self.0);
        while let Some(mut record) = rest.pop() {
            if let Some(mut more) = record.more.take().and_then(Arc::into_inner) {
                rest.append(&mut more.children.0);
            }
        }
    }
}

const FAILED: u64 = 1 << 62;
const ABORTABLE: u64 = 1 << 63;

/// The final facts of a task that folds.
pub(crate) struct Facts {
    pub(crate) place: Place,
    pub(crate) order: u64,
    pub(crate) failed: bool,
    pub(crate) abortable: bool,
    pub(crate) start: Tick,
    pub(crate) end: Tick,
    pub(crate) names: u32,
    pub(crate) shard: u32,
}

impl Record {
    #[inline]
    pub(crate) fn new(facts: &Facts, shown: &Shown, more: Option<More>) -> Self {
        let mut place = (u64::from(facts.place.generation) << 32) | u64::from(facts.place.slot);
        if facts.failed {
            place |= FAILED;
        }
        if facts.abortable {
            place |= ABORTABLE;
        }
        Self {
            place,
            order: facts.order,
            start: facts.start,
            end: facts.end,
            completed: shown.completed,
            total: shown.total.unwrap_or(UNKNOWN),
            names: facts.names,
            shard: facts.shard,
            more: more.map(Arc::new),
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            slot: self.place as u32,
            generation: ((self.place & !(FAILED | ABORTABLE)) >> 32) as u32,
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.place & FAILED != 0
    }

    pub(crate) fn is_abortable(&self) -> bool {
        self.place & ABORTABLE != 0
    }

    pub(crate) fn total(&self) -> Option<u64> {
        (self.total != UNKNOWN).then_some(self.total)
    }

    pub(crate) fn completed(&self) -> u64 {
        self.completed
    }

    pub(crate) fn more(&self) -> Option<&More> {
        self.more.as_deref()
    }

    pub(crate) fn children(&self) -> &[Record] {
        self.more.as_deref().map_or(&[], |more| &more.children.0)
    }

    /// Whether it is kept as a failure: its own, or one below it.
    pub(crate) fn leads_to_failure(&self) -> bool {
        self.has_failed()
            || !self.children().is_empty()
            || self.more().is_some_and(|m| m.first_error.is_some())
    }

    /// How many records it holds, itself included.
    pub(crate) fn size(&self) -> u64 {
        let mut size = 0;
        let mut rest = vec![self];
        while let Some(record) = rest.pop() {
            size += 1;
            rest.extend(record.children());
        }
        size
    }
}

/// Drops the deepest of these records and their descendants until `excess` are gone, or
/// nothing is left below the records themselves. How many were dropped.
pub(crate) fn prune_deepest(records: &mut [Record], excess: u64) -> u64 {
    let mut dropped = 0;
    while dropped < excess {
        let depth = records.iter().map(depth).max().unwrap_or(1);
        if depth <= 1 {
            break;
        }
        for record in records.iter_mut() {
            if dropped < excess {
                dropped += prune_level(record, depth, excess - dropped);
            }
        }
    }
    dropped
}

fn depth(record: &Record) -> usize {
    let (mut depth, mut level) = (0, vec![record]);
    while !level.is_empty() {
        depth += 1;
        level = level.into_iter().flat_map(Record::children).collect();
    }
    depth
}

/// Drops up to `excess` records that lie at this depth, counted from 1 at `record`; what is
/// dropped is counted where it hung. Records lie no deeper than trees of failures are deep.
fn prune_level(record: &mut Record, depth: usize, excess: u64) -> u64 {
    let Some(more) = record.more.as_mut() else {
        return 0;
    };
    let more = Arc::make_mut(more);
    if depth == 2 {
        let children = &mut more.children.0;
        let keep = children.len().saturating_sub(excess as usize);
        let dropped = (children.len() - keep) as u64;
        children.truncate(keep);
        more.counts.not_kept += dropped;
        return dropped;
    }
    let mut dropped = 0;
    for child in &mut more.children.0 {
        if dropped < excess {
            dropped += prune_level(child, depth - 1, excess - dropped);
        }
    }
    dropped
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_plain_record_is_64_bytes() {
        assert_eq!(size_of::<Record>(), 64);
    }
}
