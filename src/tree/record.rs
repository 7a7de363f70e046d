//! What a parent keeps of a child that has folded.

use std::sync::Arc;

use uuid::Uuid;

use crate::clock::Utc;
use crate::id::Place;
use crate::names::NameSet;
use crate::node::progress::Amounts;
use crate::node::text::Text;
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
    pub(crate) error: Option<Text>,
    /// Its units, where they are not those of its names.
    pub(crate) units: Option<Name>,
    pub(crate) abort: Option<KeptAbort>,
    /// What it kept of its own children: failures, and the paths down to them.
    pub(crate) children: Subtree,
    /// How many records those are, on all levels.
    pub(crate) below: u64,
    pub(crate) counts: ChildCounts,
    pub(crate) first_error: Option<Text>,
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

impl More {
    /// Keeps of its texts those that its tree has room for. The first error below it, or its own,
    /// in full: it is for those above.
    pub(crate) fn keep_texts(&mut self) -> Option<Text> {
        let error = self.first_error.as_ref().or(self.error.as_ref()).cloned();
        for text in [&mut self.error, &mut self.first_error] {
            *text = text.take().map(Text::kept);
        }
        error
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
    /// That it was aborted, and why.
    pub(crate) text: Text,
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

    /// Drops what it keeps below it, and counts it; how many records those were.
    fn lose_children(&mut self) -> u64 {
        if self.children().is_empty() {
            return 0;
        }
        let more = Arc::make_mut(self.more.get_or_insert_default());
        let lost = std::mem::take(&mut more.below);
        more.counts.not_kept += lost;
        more.children = Subtree::default();
        lost
    }

    /// Drops what is out of the ordinary.
    #[inline]
    pub(crate) fn forget_more(&mut self) {
        self.more = None;
    }
}

impl Subtree {
    /// How many records there are on all levels.
    pub(crate) fn size(records: &[Record]) -> u64 {
        records.iter().map(Record::size).sum()
    }
}

/// A record that stays, and has others below it, on the way of [`prune`].
struct Above<'a> {
    below: &'a mut u64,
    not_kept: &'a mut u64,
    /// The place of the one above it.
    parent: Option<usize>,
    lost: u64,
}

/// Drops `excess` of these records and their descendants: the deepest, and among those of
/// one depth the last. Each ancestor of one that was dropped counts it. How many were
/// dropped at the top and below.
///
/// It goes down level by level to the one that does not fit as a whole, cuts there, and tells
/// those above. Records stay where they lie, unless a reader has a copy of them; no recursion is
/// as deep as the tree.
pub(crate) fn prune(records: &mut Vec<Record>, excess: u64) -> u64 {
    let mut stays = Subtree::size(records).saturating_sub(excess);
    let mut above: Vec<Above<'_>> = Vec::new();
    let mut here = records.len() as u64;
    let mut level: Vec<(Option<usize>, &mut Vec<Record>)> = vec![(None, records)];
    let mut next = Vec::new();
    while (1..=stays).contains(&here) {
        stays -= here;
        here = 0;
        for (parent, list) in level.drain(..) {
            for record in list {
                if let Some(below) = go_below(record, parent, &mut above) {
                    here += below.1.len() as u64;
                    next.push(below);
                }
            }
        }
        std::mem::swap(&mut level, &mut next);
    }
    let mut dropped = 0;
    for (parent, list) in level {
        let kept = list.len().min(stays as usize);
        stays -= kept as u64;
        let mut lost = Subtree::size(&list[kept..]);
        list.truncate(kept);
        for record in list {
            lost += record.lose_children();
        }
        dropped += lost;
        if let Some(parent) = parent {
            above[parent].lost += lost;
        }
    }
    while let Some(Above {
        below,
        not_kept,
        parent,
        lost,
    }) = above.pop()
    {
        *below -= lost;
        *not_kept += lost;
        if let Some(parent) = parent {
            above[parent].lost += lost;
        }
    }
    dropped
}

/// The children of a record that stays, if it has any.
fn go_below<'a>(
    record: &'a mut Record,
    parent: Option<usize>,
    above: &mut Vec<Above<'a>>,
) -> Option<(Option<usize>, &'a mut Vec<Record>)> {
    if record.children().is_empty() {
        return None;
    }
    let More {
        children,
        below,
        counts,
        ..
    } = Arc::make_mut(record.more.as_mut()?);
    above.push(Above {
        below,
        not_kept: &mut counts.not_kept,
        parent,
        lost: 0,
    });
    Some((Some(above.len() - 1), &mut children.0))
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
