//! Children of one parent under one lock: the live ones, what is kept of the others, and
//! their sums.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::arena::{NONE, Numbered, Realm};
use crate::clock::Utc;
use crate::node::label::{Label, Text};
use crate::node::progress::{Amounts, Sums};
use crate::node::slot::Slot;
use crate::tree::kids::{Kids, STRIPES};
use crate::tree::links::Siblings;
use crate::tree::record::{Record, Subtree, prune};
use crate::tree::room::{Room, Share};
use crate::tree::tour::{Reader, readers};
use crate::view::ChildCounts;

/// Guarded by a lock, which makers and finishers of children take, and readers for at most
/// [`AT_ONCE`] of them. No two families are locked at once.
///
/// What each birth and fold writes comes first, and with the lock fills two lines; the third
/// is seldom written, as the line next to it is read by workers of other families.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Family {
    counts: ChildCounts,
    /// Which of its parent's families this is, in the lowest bits; grows with each child, and
    /// with the time, so that children of several families come in order of their birth. Time
    /// fills at most half of it: that leaves room for 2^60 children born at its end.
    next_order: u64,
    pub(super) siblings: Siblings,
    /// Those that finished last, in that order.
    succeeded: VecDeque<Record>,
    /// How many have left the front of `succeeded`: one for each child at most, of whom no
    /// parent has 2^64.
    turned: u64,
    pub(super) sums: Sums,
    room: Room,
    /// When `turned` comes here, it is time to look for room in other families.
    weigh_at: u64,
    /// What most families do without.
    pub(super) rare: Option<Box<Rare>>,
    /// The parent has ended, or is about to: no more children.
    pub(crate) closed: bool,
}

/// Failures, and who reads.
#[derive(Debug, Default)]
pub(super) struct Rare {
    /// Those that failed, or have a failure below them: first in, last out.
    failed: Vec<Record>,
    /// With its number in the parent's order of folding.
    first_error: Option<(u64, Arc<str>)>,
    pub(super) readers: Vec<Reader>,
    pub(super) next_reader: u64,
    /// The entities of those in `succeeded`, as soon as one has any.
    texts: VecDeque<Text>,
}

impl Default for Family {
    fn default() -> Self {
        Self {
            closed: false,
            siblings: Siblings::NONE,
            next_order: 0,
            sums: Sums::default(),
            succeeded: VecDeque::new(),
            room: Room::default(),
            turned: 0,
            weigh_at: u64::MAX,
            counts: ChildCounts::default(),
            rare: None,
        }
    }
}

/// How many children are visited while the lock is held.
pub(crate) const AT_ONCE: usize = 1024;

/// What a task takes along when it folds.
#[derive(Default)]
pub(crate) struct Legacy {
    /// Its children's failures.
    pub(crate) failed: Vec<Record>,
    pub(crate) sums: Sums,
    pub(crate) counts: ChildCounts,
    pub(crate) first_error: Option<Arc<str>>,
}

impl Family {
    /// Links a child that nobody else knows yet.
    #[inline]
    pub(crate) fn link(&mut self, child: &'static Slot, realm: &'static Realm) {
        // A manual clock may stand still, or be as far as it goes.
        let now = child.born().min(u64::MAX / (2 * STRIPES as u64)) * STRIPES as u64;
        let stripe = self.next_order % STRIPES as u64;
        let order = self.next_order.max(now + stripe);
        child.set_order(order);
        self.next_order = order + STRIPES as u64;
        self.counts.live += 1;
        let number = child.number();
        self.siblings.push(number, realm);
        for reader in readers(&mut self.rare) {
            if reader.next == NONE {
                reader.next = number;
            }
        }
    }

    #[inline(always)]
    fn unlink(
        &mut self,
        child: &'static Slot,
        amounts: Amounts<'_>,
        done: bool,
        realm: &'static Realm,
    ) {
        let next = self.siblings.remove(child.number(), realm);
        self.counts.live -= 1;
        for reader in readers(&mut self.rare) {
            let ahead = match reader.next {
                NONE => false,
                at => realm.slots.get(at).order() <= child.order(),
            };
            if ahead {
                reader.missed.add(amounts, done);
            }
            if reader.next == child.number() {
                reader.next = next;
            }
        }
    }

    /// A child has settled: its live view becomes the kept one, under one lock.
    pub(crate) fn fold(
        &mut self,
        child: &'static Slot,
        folding: Folding<'_>,
        kids: &Kids,
        share: Share<'_>,
        realm: &'static Realm,
    ) {
        let Folding {
            record,
            amounts,
            error,
            not_kept,
        } = folding;
        let done = !record.has_failed();
        self.unlink(child, amounts, done, realm);
        self.sums.add(amounts, done);
        match record.has_failed() {
            true => self.counts.failed += 1,
            false => self.counts.succeeded += 1,
        }
        self.counts.not_kept += not_kept;
        if let Some(error) = error {
            let first = &mut self.rare().first_error;
            first.get_or_insert_with(|| (kids.number_error(), error));
        }
        match record.leads_to_failure() {
            true => self.keep_failed(record, kids, share),
            false => self.keep_succeeded(|| record, None, share),
        }
    }

    /// The same for a child that succeeded and has nothing else to tell.
    #[inline(always)]
    pub(crate) fn fold_plainly(
        &mut self,
        child: &'static Slot,
        amounts: Amounts<'_>,
        record: impl FnOnce() -> Record,
        label: Option<&'static Label>,
        share: Share<'_>,
        realm: &'static Realm,
    ) {
        self.unlink(child, amounts, true, realm);
        self.sums.add(amounts, true);
        self.counts.succeeded += 1;
        self.keep_succeeded(record, label, share);
    }

    /// The record is made where it stays.
    #[inline(always)]
    fn keep_succeeded(
        &mut self,
        record: impl FnOnce() -> Record,
        label: Option<&'static Label>,
        share: Share<'_>,
    ) {
        // The ring turns: those that finished last are kept.
        if self.succeeded.len() >= self.room.records as usize
            && let Some(oldest) = self.succeeded.front_mut()
        {
            oldest.forget_more();
            *oldest = record();
            self.succeeded.rotate_left(1);
            self.turned += 1;
            self.counts.not_kept += 1;
            if label.is_some() || self.has_texts() {
                self.turn_texts(label);
            }
            return;
        }
        self.keep_one_more(record(), label, share);
    }

    #[cold]
    fn keep_one_more(&mut self, record: Record, label: Option<&'static Label>, share: Share<'_>) {
        let fits = self.room.records > 0 && (self.room.take_granted() || share.reserve(1));
        if !fits {
            self.counts.not_kept += 1;
            if !self.drop_oldest() {
                return;
            }
        }
        if label.is_some() || self.has_texts() {
            let text = label.map(Label::get).unwrap_or_default();
            self.texts().push_back(text);
        }
        self.succeeded.push_back(record);
    }

    #[inline(always)]
    fn has_texts(&self) -> bool {
        let rare = self.rare.as_ref();
        rare.is_some_and(|rare| !rare.texts.is_empty())
    }

    /// The entities, one for each record.
    #[cold]
    fn texts(&mut self) -> &mut VecDeque<Text> {
        let count = self.succeeded.len();
        let texts = &mut self.rare().texts;
        texts.resize(count, Text::default());
        texts
    }

    #[inline]
    fn turn_texts(&mut self, label: Option<&'static Label>) {
        let texts = match &mut self.rare {
            Some(rare) if rare.texts.len() == self.succeeded.len() => &mut rare.texts,
            _ => self.texts(),
        };
        if let Some(oldest) = texts.front_mut() {
            // Word by word from where it lies to where it stays.
            *oldest = label.map(Label::get).unwrap_or_default();
            texts.rotate_left(1);
        }
    }

    pub(crate) fn drop_oldest(&mut self) -> bool {
        let dropped = self.succeeded.pop_front().is_some();
        if dropped && self.has_texts() {
            self.rare().texts.pop_front();
        }
        self.turned += u64::from(dropped);
        dropped
    }

    fn keep_failed(&mut self, record: Record, kids: &Kids, share: Share<'_>) {
        let size = record.size();
        if !kids.keep_failure(share.bounds.per_parent) {
            self.counts.not_kept += size;
            return;
        }
        self.rare().failed.push(record);
        let mut missing = size - share.reserve_some(size);
        // Failures are worth more than successes, shallow ones more than deep ones, and
        // those that failed first more than the last.
        while missing > 0 && self.drop_oldest() {
            self.counts.not_kept += 1;
            missing -= 1;
        }
        if missing > 0 {
            // A good number at once, so that a tree whose failures go on and on is not
            // gone through for each of them; the room of the others is given back.
            let more = missing.max(share.bounds.per_root as u64 / 64);
            let failed = &mut self.rare().failed;
            let before = failed.len();
            let dropped = prune(failed, more);
            kids.forget_failures(before - failed.len());
            self.counts.not_kept += dropped;
            share.give_back(dropped - missing);
        }
    }

    /// Adds what the parent takes along when it folds.
    pub(crate) fn bequeath(&self, legacy: &mut Legacy) {
        legacy.failed.extend(self.failed().iter().cloned());
        legacy.sums.merge(&self.sums);
        legacy.counts.add(&self.counts);
    }

    /// How much of the tree's share it has: the records that it keeps, all levels counted, and
    /// what it may add.
    pub(crate) fn size(&self) -> u64 {
        let granted = u64::from(self.room.granted);
        self.succeeded.len() as u64 + granted + Subtree::size(self.failed())
    }

    /// Copies the next kept records, as many as may be under one lock; where to go on, or
    /// `None` when there are no more.
    pub(crate) fn copy_kept(&self, from: Position, into: &mut Vec<Record>) -> Option<Position> {
        match from {
            Position::Succeeded(at) => {
                let skip = at.saturating_sub(self.turned) as usize;
                into.extend(self.kept(skip).take(AT_ONCE));
                let next = self.turned + (skip + AT_ONCE) as u64;
                Some(match next < self.turned + self.succeeded.len() as u64 {
                    true => Position::Succeeded(next),
                    false => Position::Failed(0),
                })
            }
            Position::Failed(at) => {
                into.extend(self.failed().iter().skip(at).take(AT_ONCE).cloned());
                let next = at + AT_ONCE;
                (next < self.failed().len()).then_some(Position::Failed(next))
            }
        }
    }

    /// Copies of the records of those that succeeded.
    fn kept(&self, skip: usize) -> impl Iterator<Item = Record> {
        let texts = self.rare.as_ref().map(|rare| &rare.texts);
        let records = self.succeeded.iter().enumerate().skip(skip);
        records.map(move |(at, record)| {
            let mut record = record.clone();
            if let Some(text) = texts.and_then(|texts| texts.get(at))
                && !text.is_empty()
            {
                record.set_entity(text.name());
            }
            record
        })
    }

    pub(crate) fn counts(&self) -> ChildCounts {
        self.counts
    }

    pub(crate) fn first_error(&self) -> Option<(u64, Arc<str>)> {
        self.rare.as_ref()?.first_error.clone()
    }

    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn failed(&self) -> &[Record] {
        self.rare.as_ref().map_or(&[], |rare| &rare.failed)
    }

    /// Makes it a parent's first family, with room for so many records.
    pub(crate) fn open(&mut self, room: usize) {
        self.room.records = u32::try_from(room).unwrap_or(u32::MAX);
    }

    /// Makes it a further family, of this number, which looks for room where there is any.
    pub(crate) fn open_further(&mut self, stripe: usize, looks_for_room: bool) {
        self.next_order = stripe as u64;
        if looks_for_room {
            self.weigh_at = 0;
        }
    }

    /// How many of its children have not folded.
    pub(crate) fn live(&self) -> u64 {
        self.counts.live
    }

    pub(crate) fn stripe(&self) -> usize {
        self.next_order as usize % STRIPES
    }

    /// When the oldest of the kept children that succeeded has ended.
    fn oldest(&self) -> Option<Utc> {
        self.succeeded.front().map(|record| record.end)
    }

    /// What other families keep that ended before this is to make room for this one's: older
    /// than its own oldest by a quarter of what it keeps, so that two families that keep about
    /// the same do not take from each other all the time.
    pub(crate) fn end_of_outdated(&self) -> Option<Utc> {
        let (oldest, newest) = (self.oldest()?, self.succeeded.back()?.end);
        Some(oldest.saturating_sub(newest.saturating_sub(oldest) / 4))
    }

    /// Whether it is time to look for room in other families: it has none, or half of the ring
    /// has turned since the last time.
    #[inline(always)]
    pub(crate) fn looks_for_room(&self) -> bool {
        self.turned >= self.weigh_at
    }

    /// Sets the next time; `false` if there is no room in it at all.
    pub(crate) fn look_for_room_later(&mut self) -> bool {
        let some = self.room.records > 0;
        if some {
            self.weigh_at = self.turned + u64::from(self.room.records / 2).max(1);
        }
        some
    }

    /// Gives room up to another family: what is free, and that of records that ended before
    /// `end`, at most a `share`-th of all.
    pub(crate) fn give_room(&mut self, end: Utc, share: usize) -> Room {
        let most = self.room.records.div_ceil(share as u32);
        let mut given = self.room.split_off(self.succeeded.len() as u32, most);
        while given.records < most && self.oldest().is_some_and(|oldest| oldest < end) {
            self.drop_oldest();
            self.counts.not_kept += 1;
            self.room.records -= 1;
            given.add(Room {
                records: 1,
                granted: 1,
            });
        }
        if self.room.records == 0 {
            // Its next child is to find some.
            self.weigh_at = 0;
        }
        given
    }

    pub(crate) fn take_room(&mut self, given: Room) {
        self.room.add(given);
        self.look_for_room_later();
    }
}

/// How far a copy of the kept records has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Position {
    Succeeded(u64),
    Failed(usize),
}

/// A child on its way into its parent.
pub(crate) struct Folding<'a> {
    pub(crate) record: Record,
    pub(crate) amounts: Amounts<'a>,
    /// The first error below it, which has folded before, or its own.
    pub(crate) error: Option<Arc<str>>,
    /// Descendants that its own record counts but does not keep.
    pub(crate) not_kept: u64,
}
