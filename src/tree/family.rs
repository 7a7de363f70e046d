//! Children of one parent under one lock: the live ones, what is kept of the others, and
//! their sums.

use std::collections::VecDeque;

use crate::arena::{NONE, Numbered, Realm};
use crate::bulk::Bulk;
use crate::clock::Utc;
use crate::node::label::{Label, Text as Entity};
use crate::node::progress::{Amounts, Sums};
use crate::node::slot::Slot;
use crate::node::text::Text;
use crate::tree::bytes;
use crate::tree::kids::{Kids, STRIPES};
use crate::tree::links::Siblings;
use crate::tree::record::{Record, Subtree, prune};
use crate::tree::room::Share;
use crate::tree::tour::{Reader, readers};
use crate::view::ChildCounts;

/// Guarded by a lock, which makers and finishers of children take, and readers for at most
/// [`AT_ONCE`] of them. Whoever has one family's lock waits for no other's, but for that of one
/// that folds with its parent, which nobody else can look at any more.
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
    /// How many have left the front of `succeeded`, less those that have come there: one for
    /// each child at most, of whom no parent has 2^63.
    turned: u64,
    pub(super) sums: Sums,
    /// How many records of children that succeeded it may keep.
    room: u32,
    /// When `turned` comes here, it is time to look for room in other families: never where
    /// there are none.
    look_at: u64,
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
    first_error: Option<(u64, Text)>,
    pub(super) readers: Vec<Reader>,
    pub(super) next_reader: u64,
    /// The entities of those in `succeeded`, as soon as one has any.
    texts: VecDeque<Entity>,
}

impl Default for Family {
    fn default() -> Self {
        Self {
            closed: false,
            siblings: Siblings::NONE,
            next_order: 0,
            sums: Sums::default(),
            succeeded: VecDeque::new(),
            room: 0,
            turned: FIRST_TURN,
            look_at: NO_OTHERS,
            counts: ChildCounts::default(),
            rare: None,
        }
    }
}

/// What part of another's records a family takes over that keeps none itself.
const START: u32 = crate::sync::sized(16, 1) as u32;

/// Far enough from 0 for all records of other families that a family takes over.
const FIRST_TURN: u64 = 1 << 62;

const NO_OTHERS: u64 = u64::MAX;

/// The first order that no time comes to: it fills at most half of it.
pub(crate) const BEYOND_TIME: u64 = 1 << 63;

/// How many children are visited while the lock is held.
pub(crate) const AT_ONCE: usize = 1024;

/// What a task takes along when it folds.
#[derive(Default)]
pub(crate) struct Legacy {
    /// Its children's failures.
    pub(crate) failed: Vec<Record>,
    pub(crate) sums: Sums,
    pub(crate) counts: ChildCounts,
    pub(crate) first_error: Option<Text>,
}

impl Family {
    /// Links a child that nobody else knows yet.
    #[inline]
    pub(crate) fn link(&mut self, child: &'static Slot, realm: &'static Realm) {
        // A manual clock may stand still, or be as far as it goes.
        let now = child.born().min(BEYOND_TIME / STRIPES as u64 - 1) * STRIPES as u64;
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
            false => self.keep_succeeded(|| record, None, kids, share),
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
        (kids, share): (&Kids, Share<'_>),
        realm: &'static Realm,
    ) {
        self.unlink(child, amounts, true, realm);
        self.sums.add(amounts, true);
        self.counts.succeeded += 1;
        self.keep_succeeded(record, label, kids, share);
    }

    /// The record is made where it stays.
    #[inline(always)]
    fn keep_succeeded(
        &mut self,
        record: impl FnOnce() -> Record,
        label: Option<&'static Label>,
        kids: &Kids,
        share: Share<'_>,
    ) {
        // The ring turns: those that finished last are kept.
        if self.turned < self.look_at
            && self.succeeded.len() >= self.room as usize
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
        self.keep_further(record(), label, kids, share);
    }

    /// The same where there is room, or may be in other families.
    #[cold]
    #[inline(never)]
    fn keep_further(
        &mut self,
        record: Record,
        label: Option<&'static Label>,
        kids: &Kids,
        share: Share<'_>,
    ) {
        // Where there are other families, none has room that it does not use.
        if self.turned >= self.look_at && !kids.find_room(self) && self.drop_oldest() {
            // Its room, and its share of the tree's, are the new one's.
            self.counts.not_kept += 1;
            self.push(record, label);
            return;
        }
        self.keep_one_more(record, label, kids, share);
    }

    fn keep_one_more(
        &mut self,
        record: Record,
        label: Option<&'static Label>,
        kids: &Kids,
        share: Share<'_>,
    ) {
        if self.room == 0 || !share.reserve(1) {
            // The oldest goes, another family's if that is older than its own. Without room it
            // has asked the others just now.
            self.counts.not_kept += 1;
            if self.room > 0 && self.turned >= self.look_at {
                kids.take_over(self);
            }
            if !self.drop_oldest() {
                self.give_back_room(kids);
                return;
            }
        }
        self.push(record, label);
        self.give_back_room(kids);
    }

    fn push(&mut self, record: Record, label: Option<&'static Label>) {
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
    fn texts(&mut self) -> &mut VecDeque<Entity> {
        let count = self.succeeded.len();
        let texts = &mut self.rare().texts;
        texts.resize(count, Entity::default());
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
        self.give_back_room(kids);
        while missing > 0 && self.has_others() && kids.drop_of_others() {
            missing -= 1;
        }
        if missing > 0 {
            // A good number at once, so that a tree whose failures go on and on is not
            // gone through for each of them; the room of the others is given back.
            let more = missing.max(share.step());
            let failed = &mut self.rare().failed;
            let before = failed.len();
            let dropped = prune(failed, more);
            kids.forget_failures(before - failed.len());
            self.counts.not_kept += dropped;
            share.count_pruned(dropped);
            share.give_back(dropped - missing);
        }
    }

    /// Adds what the parent takes along when it folds.
    pub(crate) fn bequeath(&self, legacy: &mut Legacy) {
        legacy.failed.extend(self.failed().iter().cloned());
        legacy.sums.merge(&self.sums);
        legacy.counts.add(&self.counts);
    }

    /// Forgets the failures that its parent has taken along.
    pub(crate) fn leave_failures(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.failed = Vec::new();
        }
    }

    /// How much of the tree's share it has: the records that it keeps, all levels counted.
    pub(crate) fn size(&self) -> u64 {
        self.succeeded.len() as u64 + Subtree::size(self.failed())
    }

    /// Copies the next kept records, as many as may be under one lock; where to go on, or
    /// `None` when there are no more.
    pub(crate) fn copy_kept(&self, from: Position, into: &mut Bulk<Record>) -> Option<Position> {
        match from {
            Position::Succeeded(at) => {
                let skip = at.saturating_sub(self.turned) as usize;
                into.extend(self.kept(skip).take(AT_ONCE));
                Some(self.after_succeeded(skip))
            }
            Position::Failed(at) => {
                into.extend(self.failed().iter().skip(at).take(AT_ONCE).cloned());
                self.after_failed(at)
            }
        }
    }

    /// The same for one who looks at them where they are.
    pub(crate) fn visit_kept(
        &self,
        from: Position,
        mut visit: impl FnMut(&Record),
    ) -> Option<Position> {
        match from {
            Position::Succeeded(at) => {
                let skip = at.saturating_sub(self.turned) as usize;
                let records = self.succeeded.iter().skip(skip).take(AT_ONCE);
                records.for_each(&mut visit);
                Some(self.after_succeeded(skip))
            }
            Position::Failed(at) => {
                self.failed()
                    .iter()
                    .skip(at)
                    .take(AT_ONCE)
                    .for_each(&mut visit);
                self.after_failed(at)
            }
        }
    }

    /// About how many bytes the next kept records take, as many as may be under one lock; where to
    /// go on.
    pub(super) fn bytes_of_kept(&self, from: Position) -> (u64, Option<Position>) {
        match from {
            Position::Succeeded(at) => {
                let skip = at.saturating_sub(self.turned) as usize;
                let some = self.succeeded.iter().skip(skip).take(AT_ONCE);
                let entities = match self.has_texts() {
                    true => some.len() * size_of::<Entity>(),
                    false => 0,
                };
                let bytes = bytes::of_records(some) + entities as u64;
                (bytes, Some(self.after_succeeded(skip)))
            }
            Position::Failed(at) => {
                let some = self.failed().iter().skip(at).take(AT_ONCE);
                (bytes::of_records(some), self.after_failed(at))
            }
        }
    }

    fn after_succeeded(&self, skip: usize) -> Position {
        let next = self.turned + (skip + AT_ONCE) as u64;
        match next < self.turned + self.succeeded.len() as u64 {
            true => Position::Succeeded(next),
            false => Position::Failed(0),
        }
    }

    fn after_failed(&self, at: usize) -> Option<Position> {
        let next = at + AT_ONCE;
        (next < self.failed().len()).then_some(Position::Failed(next))
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

    pub(crate) fn first_error(&self) -> Option<(u64, Text)> {
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
        self.room = u32::try_from(room).unwrap_or(u32::MAX);
    }

    /// Makes it a further family, of this number, which looks for room where there is any.
    pub(crate) fn open_further(&mut self, stripe: usize, looks_for_room: bool) {
        self.next_order = stripe as u64;
        if looks_for_room {
            self.look_at = 0;
        }
    }

    /// It is one of several from now on. The room that it has left, which is anybody's, and
    /// whether anything is kept at all.
    pub(crate) fn share_room(&mut self) -> (u32, bool) {
        let keeps = self.room > 0;
        let kept = self.succeeded.len() as u32;
        let free = self.room - kept;
        self.room = kept;
        if keeps {
            self.look_at = 0;
        }
        (free, keeps)
    }

    pub(crate) fn next_order(&self) -> u64 {
        self.next_order
    }

    /// Its next child comes after all that have an order below this one, a multiple of the
    /// number of families.
    pub(crate) fn go_on_from(&mut self, order: u64) {
        let stripe = self.next_order % STRIPES as u64;
        self.next_order = self.next_order.max(order + stripe);
    }

    /// How many of its children have not folded.
    pub(crate) fn live(&self) -> u64 {
        self.counts.live
    }

    /// When the oldest of the kept children that succeeded has ended.
    pub(super) fn oldest(&self) -> Option<Utc> {
        self.succeeded.front().map(|record| record.end)
    }

    fn has_others(&self) -> bool {
        self.look_at != NO_OTHERS
    }

    pub(crate) fn add_room(&mut self) {
        self.room += 1;
    }

    /// What it does not use is anybody's.
    fn give_back_room(&mut self, kids: &Kids) {
        let unused = self.room - self.succeeded.len() as u32;
        if unused > 0 && self.has_others() {
            self.room -= unused;
            kids.give_back(unused);
        }
    }

    /// A quarter of what it keeps turns before it looks for older records of other families.
    pub(super) fn turns_till_it_looks(&self) -> usize {
        (self.room / 4).max(1) as usize
    }

    /// How many at least go to a family that keeps none, if they are the oldest.
    pub(super) fn first_share(&self) -> usize {
        (self.room / START).max(1) as usize
    }

    /// When its oldest records finished, of those that did until then.
    pub(super) fn ends_until(&self, last: Utc) -> impl Iterator<Item = Utc> {
        let ends = self.succeeded.iter().map(|record| record.end);
        ends.take_while(move |end| *end <= last)
    }

    /// Its oldest records that finished until then go to another family, with their room.
    pub(super) fn hand_over(
        &mut self,
        last: Utc,
        most: usize,
        to: &mut Vec<(Record, Entity)>,
    ) -> bool {
        let count = self.ends_until(last).take(most).count();
        // One by one: what a `drain` needs is shared with the turn of the ring, and then is no
        // part of that any more.
        for record in std::iter::from_fn(|| self.succeeded.pop_front()).take(count) {
            let texts = self.rare.as_mut().map(|rare| &mut rare.texts);
            let text = texts.and_then(VecDeque::pop_front).unwrap_or_default();
            to.push((record, text));
        }
        self.turned += count as u64;
        self.room -= count as u32;
        // Its own next ones are not to push one another out.
        let soon = self.turned + u64::from(self.room / 4);
        self.look_at = self.look_at.min(soon);
        count > 0
    }

    /// Older records of other families, to go before its own. If they are as many as might
    /// be, there may be more, for which it looks once they have gone.
    pub(super) fn take_in(&mut self, mut older: Vec<(Record, Entity)>, most: usize) {
        older.sort_by_key(|(record, _)| record.end);
        let count = older.len();
        if self.has_texts() || older.iter().any(|(_, text)| !text.is_empty()) {
            self.texts();
            let texts = older.iter().rev().map(|(_, text)| *text);
            texts.for_each(|text| self.rare().texts.push_front(text));
        }
        let records = older.into_iter().rev();
        records.for_each(|(record, _)| self.succeeded.push_front(record));
        self.room += count as u32;
        self.turned -= count as u64;
        let turns = match count < most {
            // Nothing turns where nothing is kept: it looks again with its next child.
            true if self.succeeded.is_empty() => 0,
            true => count.max(self.turns_till_it_looks()),
            false => count,
        };
        self.look_at = self.turned + turns as u64;
    }

    /// Drops its oldest record and the room for it.
    pub(crate) fn give_up_oldest(&mut self, kids: &Kids) -> bool {
        let dropped = self.drop_oldest();
        if dropped {
            self.counts.not_kept += 1;
            self.give_back_room(kids);
        }
        dropped
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
    pub(crate) error: Option<Text>,
    /// Descendants that its own record counts but does not keep.
    pub(crate) not_kept: u64,
}
