//! What a parent keeps of a child that has folded.

use std::sync::Arc;

use uuid::Uuid;

use crate::clock::Utc;
use crate::id::Place;
use crate::names::NameSet;
use crate::node::progress::Amounts;
use crate::view::{ChildCounts, Name, State};

/// The plain case, a child that did its work and has nothing to tell, is 56 bytes. The number
/// of its names lies in the bits that others leave free.
///
/// ```text
///             63        58 57        56       55       26 25   0
/// place      │ names (6) │ abortable │ failed │ generation │ slot │
///             63         54 53                                   0
/// completed  │ names (10) │ completed (54)                       │
/// total      │ names (10) │ total (54), all ones if unknown      │
/// ```
#[derive(Clone, Debug)]
pub(crate) struct Record {
    place: u64,
    /// Among its siblings.
    pub(crate) order: u64,
    pub(crate) start: Utc,
    pub(crate) end: Utc,
    completed: u64,
    total: u64,
    more: Option<Arc<More>>,
}

const SLOT_BITS: u32 = 26;
const GENERATION_BITS: u32 = 30;
const FAILED: u64 = 1 << 56;
const ABORTABLE: u64 = 1 << 57;
const PLACE_BITS: u32 = 58;
const AMOUNT_BITS: u32 = 54;
const AMOUNT: u64 = (1 << AMOUNT_BITS) - 1;

const _: () = {
    assert!(SLOT_BITS + GENERATION_BITS == 56);
    assert!(crate::arena::MOST <= 1 << SLOT_BITS);
    assert!(crate::node::word::MAX_GENERATION < 1 << GENERATION_BITS);
    assert!(crate::node::progress::CAP < AMOUNT);
    // Names come from a pool, too.
    assert!(SLOT_BITS == (64 - PLACE_BITS) + 2 * (64 - AMOUNT_BITS));
};

/// What is out of the ordinary.
#[derive(Clone, Debug, Default)]
pub(crate) struct More {
    pub(crate) names: Option<Arc<NameSet>>,
    /// The shard that it ran on, where that was not its parent's.
    pub(crate) shard: Option<u32>,
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

/// The records below one that is kept, for one who has let go of the lock.
pub(crate) struct Below(Arc<More>);

impl Below {
    pub(crate) fn find(&self, wanted: impl Fn(&Record) -> bool) -> Option<&Record> {
        let mut rest: Vec<&Record> = self.0.children.0.iter().collect();
        while let Some(record) = rest.pop() {
            if wanted(record) {
                return Some(record);
            }
            rest.extend(record.children());
        }
        None
    }
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

/// The final facts of a task that folds.
pub(crate) struct Facts {
    pub(crate) place: Place,
    pub(crate) order: u64,
    pub(crate) failed: bool,
    pub(crate) abortable: bool,
    pub(crate) start: Utc,
    pub(crate) end: Utc,
    /// The number of its names, unless it has its own in `More`.
    pub(crate) names: u32,
}

impl Record {
    #[inline(always)]
    pub(crate) fn new(facts: &Facts, amounts: Amounts<'_>, more: Option<Arc<More>>) -> Self {
        let names = u64::from(facts.names);
        let mut place = u64::from(facts.place.slot)
            | u64::from(facts.place.generation) << SLOT_BITS
            | names << PLACE_BITS;
        if facts.failed {
            place |= FAILED;
        }
        if facts.abortable {
            place |= ABORTABLE;
        }
        let (middle, high) = (names >> 6, names >> 16);
        Self {
            place,
            order: facts.order,
            start: facts.start,
            end: facts.end,
            completed: amounts.completed & AMOUNT | middle << AMOUNT_BITS,
            total: amounts.total.unwrap_or(AMOUNT) & AMOUNT | high << AMOUNT_BITS,
            more,
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            slot: self.place as u32 & ((1 << SLOT_BITS) - 1),
            generation: (self.place >> SLOT_BITS) as u32 & ((1 << GENERATION_BITS) - 1),
        }
    }

    /// The number of its names, unless it has its own in `more`.
    pub(crate) fn names(&self) -> u32 {
        let low = self.place >> PLACE_BITS;
        let (middle, high) = (self.completed >> AMOUNT_BITS, self.total >> AMOUNT_BITS);
        (low | middle << 6 | high << 16) as u32
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.place & FAILED != 0
    }

    pub(crate) fn is_abortable(&self) -> bool {
        self.place & ABORTABLE != 0
    }

    pub(crate) fn total(&self) -> Option<u64> {
        let total = self.total & AMOUNT;
        (total != AMOUNT).then_some(total)
    }

    pub(crate) fn completed(&self) -> u64 {
        self.completed & AMOUNT
    }

    pub(crate) fn more(&self) -> Option<&More> {
        self.more.as_deref()
    }

    pub(crate) fn children(&self) -> &[Record] {
        self.more.as_deref().map_or(&[], |more| &more.children.0)
    }

    /// When, or after which siblings, and how.
    pub(crate) fn ended(&self) -> ((Utc, u64), State) {
        let state = match self.has_failed() {
            true => State::Failed,
            false => State::Done,
        };
        ((self.end, self.order), state)
    }

    /// What it keeps of those below it, if that is anything.
    pub(crate) fn below(&self) -> Option<Below> {
        let more = self.more.as_ref()?;
        (!more.children.0.is_empty()).then(|| Below(Arc::clone(more)))
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

    /// What it was about, which its family kept for it.
    pub(crate) fn set_entity(&mut self, entity: Name) {
        let more = self.more.get_or_insert_default();
        Arc::make_mut(more).entity = entity;
    }

    pub(crate) fn set_abort(&mut self, abort: KeptAbort) {
        let more = self.more.get_or_insert_default();
        Arc::make_mut(more).abort = Some(abort);
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

#[cfg(test)]
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
        };
        let amounts = Amounts {
            completed: 0,
            total: None,
            units: &Name::EMPTY,
        };
        let more = More {
            below: Subtree::size(&children),
            children: Subtree(children),
            ..More::default()
        };
        Record::new(&facts, amounts, Some(Arc::new(more)))
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
    fn a_plain_record_is_56_bytes() {
        assert_eq!(size_of::<Record>(), 56);
    }

    #[test]
    fn a_record_keeps_the_largest_of_everything() {
        use crate::node::progress::CAP;
        use crate::node::word::MAX_GENERATION;

        let most = crate::arena::MOST - 1;
        for (names, completed, total) in [
            (0, 0, None),
            (most, CAP, Some(CAP)),
            (0x155_5555, 1, None),
            (0x2aa_aaaa, 0, Some(0)),
        ] {
            let facts = Facts {
                place: Place {
                    slot: most,
                    generation: MAX_GENERATION,
                },
                order: u64::MAX,
                failed: names == 0,
                abortable: names == most,
                start: 0,
                end: u64::MAX,
                names,
            };
            let amounts = Amounts {
                completed,
                total,
                units: &Name::EMPTY,
            };
            let record = Record::new(&facts, amounts, None);
            assert_eq!(record.place(), facts.place);
            assert_eq!(record.names(), names);
            assert_eq!((record.completed(), record.total()), (completed, total));
            let told = (record.has_failed(), record.is_abortable());
            assert_eq!(told, (facts.failed, facts.abortable));
        }
    }
}
