//! The children of a task: one family, or, once two threads have met at its lock, several,
//! so that workers who make and end children of one parent do not wait for each other.

use crate::arena::{Emptied, Held, NONE, Numbered, Pooled, Realm};
use crate::bulk::Bulk;
use crate::clock::Utc;
use crate::node::slot::Slot;
use crate::node::text::Text;
use crate::sync::{
    AtomicBool, AtomicU32, AtomicU64, CachePadded, Made, Ordering, ShortGuard, ShortLock, sized,
};
use crate::tree::abort::Findings;
use crate::tree::family::{BEYOND_TIME, Family, Legacy, Position};
use crate::tree::record::Record;
use crate::tree::room::Bounds;
use crate::view::{ChildCounts, State};

/// How many families a parent can have.
pub(crate) const STRIPES: usize = sized(8, 2);

/// The block that only parents have; on lines of its own, as workers of other parents write
/// theirs. What all workers of this one read lies apart from what each of them writes.
#[repr(C, align(128))]
#[derive(Debug)]
pub(crate) struct Kids {
    first: Stripe,
    /// The other families, made when they are first needed, and kept for later tenants.
    further: Made<Further>,
    /// Whether the others are in use.
    is_striped: AtomicBool,
    number: u32,
    /// The slot in which its parent lives, or its last one lived.
    owner: AtomicU32,
    /// What keeps the parent from settling: itself until it has ended, and each family that
    /// was closed with live children in it. At most one more than there are families.
    open: AtomicU32,
    /// How many failures are kept; for a moment, also those of threads that look for room.
    failures: AtomicU64,
    /// How many first errors of families there have been: at most one of each.
    errors: AtomicU64,
    /// How many more records of children that succeeded the families may keep, once there are
    /// several: each takes room for one when it needs it, so none lies where nobody uses it.
    free: AtomicU32,
    /// How often a family has taken over records of another's.
    moves: AtomicU32,
    /// Where the clock may stand still, the order of the next child once there are several
    /// families; till then [`COUNTED`]. Else [`BY_TIME`].
    births: AtomicU64,
    /// What those have found who came by here on their way up to look for an abort.
    pub(super) above: Findings,
}

/// Children of several families are ordered by time.
const BY_TIME: u64 = 0;
/// They are numbered.
const COUNTED: u64 = 1;

/// A family, on lines of its own.
#[repr(align(64))]
#[derive(Debug, Default)]
struct Stripe(ShortLock<Family>);

/// Padded, as a processor may fetch the line next to one that it needs.
type Further = [CachePadded<Stripe>; STRIPES - 1];

impl Pooled for Kids {
    fn new(number: u32) -> Self {
        Self {
            first: Stripe::default(),
            further: Made::not_yet(),
            is_striped: AtomicBool::new(false),
            number,
            owner: AtomicU32::new(NONE),
            open: AtomicU32::new(1),
            failures: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            free: AtomicU32::new(0),
            moves: AtomicU32::new(0),
            births: AtomicU64::new(BY_TIME),
            above: Findings::default(),
        }
    }
}

impl Numbered for Kids {
    fn number(&self) -> u32 {
        self.number
    }
}

impl Emptied for Kids {}

impl Kids {
    /// Makes the block a new parent's. Time does not order its children if the clock may
    /// stand still.
    pub(crate) fn prepare(&self, owner: u32, bounds: Bounds, may_stand_still: bool) {
        self.owner.store(owner, Ordering::Relaxed);
        self.first.0.lock().open(bounds.per_parent);
        let births = if may_stand_still { COUNTED } else { BY_TIME };
        self.births.store(births, Ordering::Relaxed);
    }

    /// The slot in which the parent lives, unless the block is free or about to be another's.
    pub(crate) fn owner(&self, realm: &'static Realm) -> Option<&'static Slot> {
        realm.slots.find(self.owner.load(Ordering::Relaxed))
    }

    /// Takes everything out, when the parent's last reference has gone.
    pub(crate) fn clear(&self) {
        for family in self.families() {
            let last = std::mem::take(&mut *family.lock());
            drop(last);
        }
        self.is_striped.store(false, Ordering::Relaxed);
        self.open.store(1, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        self.errors.store(0, Ordering::Relaxed);
        self.free.store(0, Ordering::Relaxed);
        self.above.clear();
    }

    /// The families in use.
    pub(super) fn families(&self) -> impl Iterator<Item = &ShortLock<Family>> {
        let further = self.further.get().filter(|_| self.is_striped());
        let further = further.into_iter().flatten().map(|stripe| &stripe.0);
        std::iter::once(&self.first.0).chain(further)
    }

    /// Acquire: who sees it sees the families as they were made.
    #[inline]
    fn is_striped(&self) -> bool {
        self.is_striped.load(Ordering::Acquire)
    }

    pub(super) fn family(&self, at: usize) -> &ShortLock<Family> {
        match (at, self.further.get()) {
            (1.., Some(further)) => &further[at - 1].0,
            _ => &self.first.0,
        }
    }

    /// The family of a child of this order.
    #[inline(always)]
    pub(crate) fn family_of(&self, order: u64) -> ShortGuard<'_, Family> {
        match order as usize % STRIPES {
            0 => self.first.0.lock(),
            at => self.family(at).lock(),
        }
    }

    /// A family for a new child.
    #[inline(always)]
    pub(crate) fn family_for_birth(&self) -> ShortGuard<'_, Family> {
        if !self.is_striped()
            && let Some(family) = self.first.0.try_lock()
        {
            return family;
        }
        self.family_of_thread()
    }

    #[inline(never)]
    fn family_of_thread(&self) -> ShortGuard<'_, Family> {
        if !self.is_striped() && !self.stripe() {
            return self.first.0.lock();
        }
        let at = turn::get();
        let mut family = match self.family(at).try_lock() {
            Some(family) => family,
            // Somebody else has the same turn: this thread takes the next from now on.
            None => self.family(turn::next()).lock(),
        };
        if self.births.load(Ordering::Relaxed) != BY_TIME {
            let step = STRIPES as u64;
            family.go_on_from(self.births.fetch_add(step, Ordering::Relaxed));
        }
        family
    }

    /// Puts further families into use, unless the first is closed already.
    #[cold]
    pub(crate) fn stripe(&self) -> bool {
        let mut first = self.first.0.lock();
        if first.closed {
            return false;
        }
        if !self.is_striped() {
            let (free, keeps) = first.share_room();
            self.free.store(free, Ordering::Relaxed);
            if self.births.load(Ordering::Relaxed) != BY_TIME {
                let next = first.next_order().max(BEYOND_TIME);
                self.births.store(next, Ordering::Relaxed);
            }
            let further = self.further.get_or_make(Further::default);
            for (at, stripe) in further.iter().enumerate() {
                stripe.0.lock().open_further(at + 1, keeps);
            }
            self.is_striped.store(true, Ordering::Release);
        }
        true
    }

    /// Room for one more record in a family that has none left, whose lock the caller has. If
    /// all is taken, records of another family's that are older than its own become its own,
    /// to go first: so what is kept are those that finished last, whichever thread ended them.
    #[cold]
    #[inline(never)]
    pub(super) fn find_room(&self, family: &mut Family) -> bool {
        let less = |free: u32| free.checked_sub(1);
        let (done, seen) = (Ordering::Relaxed, Ordering::Relaxed);
        let found = self.free.fetch_update(done, seen, less).is_ok();
        match found {
            true => family.add_room(),
            false => self.take_over(family),
        }
        found
    }

    /// No family waits for another's lock while it is locked itself: one that is busy is passed
    /// over, and so is its own.
    pub(super) fn take_over(&self, family: &mut Family) {
        let others = || self.families().filter_map(ShortLock::try_lock);
        let most = match family.oldest() {
            Some(_) => family.turns_till_it_looks(),
            None => others().map(|other| other.first_share()).max().unwrap_or(1),
        };
        let own = family.oldest().unwrap_or(Utc::MAX).max(1);
        let mut ends = Vec::new();
        others().for_each(|other| ends.extend(other.ends_until(own - 1).take(most)));
        let last = match ends.len() > most {
            true => *ends.select_nth_unstable(most - 1).1,
            false => own - 1,
        };
        let mut older = Vec::new();
        for mut other in others() {
            if other.hand_over(last, most - older.len(), &mut older) {
                // Under its lock: its next reader sees by this that they have gone elsewhere.
                self.moves.fetch_add(1, Ordering::Relaxed);
            }
        }
        family.take_in(older, most);
    }

    /// Drops the oldest record of those of the other families that succeeded, for the sake of
    /// one in a family whose lock the caller has.
    pub(super) fn drop_of_others(&self) -> bool {
        let mut others = self.families().filter_map(ShortLock::try_lock);
        others.any(|mut other| other.give_up_oldest(self))
    }

    /// Room that a family has and does not need.
    pub(super) fn give_back(&self, room: u32) {
        self.free.fetch_add(room, Ordering::Relaxed);
    }

    /// Takes no more children. How many families still have live ones: the last of each says
    /// [`let_go`](Self::let_go), and so must the caller once the parent has ended, if there
    /// are any.
    pub(crate) fn close(&self) -> u32 {
        for family in self.families_from_the_first() {
            let mut family = family.lock();
            if !family.closed {
                family.closed = true;
                if family.live() > 0 {
                    self.open.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        self.open.load(Ordering::Acquire) - 1
    }

    /// The same, but looks for the others when the first one's lock has been gone through:
    /// after that there are no more, or whoever makes them sees what the caller did before.
    pub(super) fn families_from_the_first(&self) -> impl Iterator<Item = &ShortLock<Family>> {
        let further = std::iter::once_with(|| self.families().skip(1)).flatten();
        std::iter::once(&self.first.0).chain(further)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.first.0.lock().closed
    }

    /// The parent has ended, or the last child of a closed family has folded; `true` for the
    /// last of them, who settles the parent.
    pub(crate) fn let_go(&self) -> bool {
        self.open.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// The number of a first error, in order of folding.
    pub(crate) fn number_error(&self) -> u64 {
        self.errors.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether there is room for another failure, and takes it.
    pub(crate) fn keep_failure(&self, most: usize) -> bool {
        let fits = self.failures.fetch_add(1, Ordering::Relaxed) < most as u64;
        if !fits {
            self.forget_failures(1);
        }
        fits
    }

    pub(crate) fn forget_failures(&self, count: usize) {
        self.failures.fetch_sub(count as u64, Ordering::Relaxed);
    }

    /// What the parent takes along when it folds, and how many records it keeps; all of its
    /// children have folded. What was kept of those that succeeded is dropped with the block.
    pub(crate) fn bequeath(&self) -> (Legacy, u64) {
        let mut legacy = Legacy {
            first_error: self.first_error(),
            ..Legacy::default()
        };
        let size = self.families().map(|family| {
            let family = family.lock();
            family.bequeath(&mut legacy);
            family.size()
        });
        let size = size.sum();
        (legacy, size)
    }

    /// Forgets the failures that the parent has taken along, before all else that is kept.
    pub(crate) fn leave_failures(&self) {
        self.families()
            .for_each(|family| family.lock().leave_failures());
    }

    /// Of one moment: a child that was born in one family before another folded in the next is not
    /// missed. So all families are locked, for as long as their few figures are read; nobody who
    /// has one of them waits for another.
    pub(crate) fn counts(&self) -> ChildCounts {
        let families = self.families_from_the_first().map(ShortLock::lock);
        let families: Vec<ShortGuard<'_, Family>> = families.collect();
        let mut counts = ChildCounts::default();
        families
            .iter()
            .for_each(|family| counts.add(&family.counts()));
        counts
    }

    pub(crate) fn first_error(&self) -> Option<Text> {
        let first = self.families().filter_map(|f| f.lock().first_error());
        first
            .min_by_key(|(number, _)| *number)
            .map(|(_, error)| error)
    }

    /// When the last child that is wanted has ended, and how, among the records and those that are
    /// kept with them. No family is locked for more than a bounded number of them.
    pub(crate) fn find_kept(
        &self,
        wanted: impl Fn(&Record) -> bool,
    ) -> Option<((Utc, u64), State)> {
        let mut found = Vec::new();
        self.each_kept(|family, from| {
            let mut paths = Vec::new();
            let next = family.lock().visit_kept(from, |record| {
                if wanted(record) {
                    found.push(record.ended());
                }
                paths.extend(record.below());
            });
            let below = paths.iter().filter_map(|below| below.find(&wanted));
            found.extend(below.map(Record::ended));
            next
        });
        found.into_iter().max_by_key(|(end, _)| *end)
    }

    /// About how many bytes it takes with all that it keeps.
    pub(super) fn bytes(&self) -> u64 {
        let further = match self.is_striped() {
            true => size_of::<Further>() as u64,
            false => 0,
        };
        let kept = self.families().map(|family| {
            let (mut bytes, mut at) = (0, Some(Position::Succeeded(0)));
            while let Some(from) = at {
                let some;
                (some, at) = family.lock().bytes_of_kept(from);
                bytes += some;
            }
            bytes
        });
        size_of::<Self>() as u64 + further + kept.sum::<u64>()
    }

    /// Copies all kept records, and locks no family for more than a bounded number of them.
    /// One that has changed families meanwhile may be there twice.
    pub(crate) fn copy_kept(&self, into: &mut Bulk<Record>) {
        self.each_kept(|family, from| family.lock().copy_kept(from, into));
    }

    /// Goes through the records of all families, in pieces: `piece` says where to go on.
    fn each_kept(&self, mut piece: impl FnMut(&ShortLock<Family>, Position) -> Option<Position>) {
        /// Where records move all the time, those that are missed are about to go.
        const TRIES: usize = 8;

        for _ in 0..TRIES {
            let moves = self.moves.load(Ordering::Relaxed);
            for family in self.families() {
                let mut at = Some(Position::Succeeded(0));
                while let Some(from) = at {
                    at = piece(family, from);
                }
            }
            // Through the locks it is at least as new as what was found.
            if self.moves.load(Ordering::Relaxed) == moves {
                return;
            }
        }
    }
}

/// A child of a task, as a walk finds it.
#[derive(Debug)]
pub(crate) enum Child {
    Live(Held),
    Kept(Record),
}

impl Child {
    pub(crate) fn order(&self) -> u64 {
        match self {
            Self::Live(held) => held.slot().order(),
            Self::Kept(record) => record.order,
        }
    }
}

/// Which family a thread takes where there are several.
mod turn {
    use std::cell::Cell;

    use super::{STRIPES, sized};

    // A model's threads begin with a further one, to come there in few steps.
    crate::sync::per_thread! {
        static TURN: Cell<usize> = const { Cell::new(sized(0, 1)) };
    }

    #[inline]
    pub(super) fn get() -> usize {
        TURN.with(Cell::get)
    }

    pub(super) fn next() -> usize {
        TURN.with(|turn| {
            turn.set((turn.get() + 1) % STRIPES);
            turn.get()
        })
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod layout {
    use super::*;

    #[test]
    fn a_family_is_three_lines_and_its_parent_reads_another() {
        assert_eq!(size_of::<Stripe>(), 192);
        assert_eq!(size_of::<Kids>(), 256);
        assert_eq!(std::mem::offset_of!(Kids, further), 192);
        let stripe = Stripe::default();
        let family = std::ptr::from_ref(&*stripe.0.lock()).addr();
        assert_eq!(family - std::ptr::from_ref(&stripe).addr(), 8);
    }
}
