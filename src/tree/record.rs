//! What a parent keeps of a child that has folded.

use std::sync::Arc;

use uuid::Uuid;

use crate::clock::Utc;
use crate::id::Place;
use crate::names::NameSet;
use crate::node::progress::Figures;
use crate::node::slot::UNKNOWN;
use crate::view::{ChildCounts, Name};

/// The plain case, a child that did its work and has nothing to tell, is 64 bytes.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    place: u64,
    /// Among its siblings.
    pub(crate) order: u64,
    pub(crate) start: Utc,
    pub(crate) end: Utc,
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
    pub(crate) abort: Option<KeptAbort>,
    /// What it kept of its own children: failures, and the paths down to them.
    pub(crate) children: Subtree,
    /// How many records those are, on all levels.
    pub(crate) below: u64,
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

/// The abort that reached a child before it ended.
#[derive(Clone, Debug)]
pub(crate) struct KeptAbort {
    pub(crate) reason: Arc<str>,
    pub(crate) at: Utc,
    pub(crate) polls: u32,
    pub(crate) last_poll: Utc,
}

const FAILED: u64 = 1 << 62;
const ABORTABLE: u64 = 1 << 63;

/// The final facts of a task that folds.
pub(crate) struct Facts {
    pub(crate) place: Place,
    pub(crate) order: u64,
    pub(crate) failed: bool,
    pub(crate) abortable: bool,
    pub(crate) start: Utc,
    pub(crate) end: Utc,
    pub(crate) names: u32,
    pub(crate) shard: u32,
}

impl Record {
    #[inline(always)]
    pub(crate) fn new(facts: &Facts, figures: Figures<'_>, more: Option<Arc<More>>) -> Self {
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
            completed: figures.completed,
            total: figures.total.unwrap_or(UNKNOWN),
            names: facts.names,
            shard: facts.shard,
            more,
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
        1 + self.more().map_or(0, |more| more.below)
    }

    /// Drops what is out of the ordinary.
    #[inline]
    pub(crate) fn forget_more(&mut self) {
        self.more = None;
    }

    fn take_children(&mut self) -> Vec<Record> {
        match &mut self.more {
            Some(more) => std::mem::take(&mut Arc::make_mut(more).children.0),
            None => Vec::new(),
        }
    }
}

impl Subtree {
    /// How many records there are on all levels.
    pub(crate) fn size(records: &[Record]) -> u64 {
        records.iter().map(Record::size).sum()
    }
}

/// A record on its way through [`prune`].
struct Flat {
    record: Record,
    parent: Option<usize>,
    /// What it keeps below it, and what is no longer kept there.
    kept: Vec<Record>,
    lost: u64,
}

impl Flat {
    fn new(record: Record, parent: Option<usize>) -> Self {
        Self {
            record,
            parent,
            kept: Vec::new(),
            lost: 0,
        }
    }

    fn rebuilt(mut self) -> Record {
        if let Some(more) = &mut self.record.more {
            let more = Arc::make_mut(more);
            self.kept.reverse();
            more.below = Subtree::size(&self.kept);
            more.children = Subtree(self.kept);
            more.counts.not_kept += self.lost;
        }
        self.record
    }
}

/// Drops `excess` of these records and their descendants: the deepest, and among those of
/// one depth the last. Each ancestor of one that was dropped counts it. How many were
/// dropped at the top and below.
///
/// A breadth-first list has them at its end, and no recursion as deep as the tree.
pub(crate) fn prune(records: &mut Vec<Record>, excess: u64) -> u64 {
    let top = std::mem::take(records).into_iter();
    let mut flat: Vec<Flat> = top.map(|record| Flat::new(record, None)).collect();
    let mut at = 0;
    while at < flat.len() {
        let children = flat[at].record.take_children();
        flat.extend(children.into_iter().map(|child| Flat::new(child, Some(at))));
        at += 1;
    }
    let stays = flat.len().saturating_sub(excess as usize);
    let dropped = (flat.len() - stays) as u64;
    while let Some(last) = flat.pop() {
        let is_dropped = flat.len() >= stays;
        let (parent, lost) = (last.parent, last.lost + u64::from(is_dropped));
        // From the last to the first, so every list of children is built backwards.
        let home = match parent {
            Some(parent) => {
                flat[parent].lost += lost;
                &mut flat[parent].kept
            }
            None => &mut *records,
        };
        if !is_dropped {
            home.push(last.rebuilt());
        }
    }
    records.reverse();
    dropped
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn record(order: u64, children: Vec<Record>) -> Record {
        let facts = Facts {
            place: Place {
                slot: order as u32,
                generation: 1,
            },
            order,
            failed: true,
            abortable: false,
            start: 0,
            end: 0,
            names: 0,
            shard: 0,
        };
        let figures = Figures {
            completed: 0,
            total: None,
            units: &Name::EMPTY,
        };
        let more = More {
            below: Subtree::size(&children),
            children: Subtree(children),
            ..More::default()
        };
        Record::new(&facts, figures, Some(Arc::new(more)))
    }

    fn orders(records: &[Record]) -> Vec<(u64, Vec<u64>)> {
        let below = |record: &Record| record.children().iter().map(|r| r.order).collect();
        records
            .iter()
            .map(|record| (record.order, below(record)))
            .collect()
    }

    #[test]
    fn fold_4_the_deepest_and_the_last_are_dropped_first_and_counted() {
        let make = || {
            vec![
                record(1, vec![record(3, vec![]), record(4, vec![])]),
                record(2, vec![record(5, vec![])]),
            ]
        };
        let mut records = make();
        assert_eq!(Subtree::size(&records), 5);
        assert_eq!(prune(&mut records, 2), 2);
        assert_eq!(orders(&records), [(1, vec![3]), (2, vec![])]);
        assert_eq!(Subtree::size(&records), 3);
        assert_eq!(records[0].more().unwrap().counts.not_kept, 1);
        let mut records = make();
        assert_eq!(prune(&mut records, 4), 4);
        assert_eq!(orders(&records), [(1, vec![])]);
        assert_eq!(records[0].more().unwrap().counts.not_kept, 2);
    }

    #[test]
    fn a_plain_record_is_64_bytes() {
        assert_eq!(size_of::<Record>(), 64);
    }
}
