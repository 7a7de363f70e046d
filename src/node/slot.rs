//! The block of one task: two cache lines, everything in them atomic.
//!
//! Line 0 is read by those who look for a task or climb to the root, and written at birth, at
//! the end, and when an abort is looked at; line 1 belongs to the one who reports.

use crate::arena::{NONE, Numbered, Pooled, Realm, Reclaimed, Section};
use crate::clock::{NEVER, Tick, Wall};
use crate::engine::Engine;
use crate::id::Place;
use crate::names::{NameSet, Names};
use crate::node::extras::Extras;
use crate::node::label::Label;
use crate::node::word::{Reading, Word};
use crate::sync::{AllAtomic, AtomicRef, AtomicU32, AtomicU64, Ordering, fence};
use crate::tree::kids::Kids;
use crate::tree::root::Tree;

/// It has an entity that is short and plain, in its label.
pub(crate) const LABELLED: u32 = 1 << 26;
/// An observer may abort the task. Attributes lie above the number of its tree.
pub(crate) const ABORTABLE: u32 = 1 << 27;
/// Lists leave it out unless asked.
pub(crate) const INTERNAL: u32 = 1 << 28;
/// Its TTL is that of user tasks.
pub(crate) const USER_TASK: u32 = 1 << 29;
/// Its id was brought by the host, and lies in its extras.
pub(crate) const HOST_ID: u32 = 1 << 30;
/// Its parent's id lies in its extras: a virtual parent, or a regular one that is gone.
pub(crate) const PARENT_ID: u32 = 1 << 31;

/// The number of its tree; numbers of a pool have fewer bits.
const TREE: u32 = LABELLED - 1;

/// The total that was not told.
pub(crate) const UNKNOWN: u64 = u64::MAX;

#[repr(C, align(128))]
#[derive(Debug)]
pub(crate) struct Slot {
    // Line 0.
    pub(crate) word: Word,
    born: AtomicU64,
    /// When an abort was looked at last.
    pub(crate) last_poll: AtomicU64,
    /// What it is called, unless its names are its own and lie in its extras.
    names: AtomicRef<NameSet>,
    /// Whose task it is.
    engine: AtomicRef<Engine>,
    parent: AtomicU32,
    kids: AtomicU32,
    extras: AtomicU32,
    /// And its attributes.
    tree: AtomicU32,
    number: AtomicU32,
    /// How often an abort was looked at after it was asked for.
    pub(crate) polls: AtomicU32,
    // Line 1.
    /// What the owner has counted.
    pub(crate) counted: AtomicU64,
    pub(crate) total: AtomicU64,
    pub(crate) start: AtomicU64,
    pub(crate) end: AtomicU64,
    /// Among its siblings.
    order: AtomicU64,
    sequence: AtomicU64,
    /// UTC at tick 0, as it was known at the birth.
    wall: AtomicU64,
    shard: AtomicU32,
    parent_generation: AtomicU32,
}

/// What a new tenant brings.
pub(crate) struct Birth {
    pub(crate) now: (Tick, Wall),
    /// Its birth is its start.
    pub(crate) started: bool,
    pub(crate) parent: Option<&'static Slot>,
    pub(crate) tree: &'static Tree,
    pub(crate) names: Option<&'static NameSet>,
    pub(crate) attributes: u32,
    pub(crate) sequence: u64,
    pub(crate) shard: u32,
    pub(crate) total: u64,
}

impl Pooled for Slot {
    fn new(number: u32) -> Self {
        let none = || AtomicU32::new(NONE);
        let zero = || AtomicU64::new(0);
        Self {
            word: Word::free(),
            born: zero(),
            order: zero(),
            parent: none(),
            kids: none(),
            names: AtomicRef::none(),
            engine: AtomicRef::none(),
            extras: none(),
            tree: none(),
            number: AtomicU32::new(number),
            polls: AtomicU32::new(0),
            counted: zero(),
            total: zero(),
            start: zero(),
            end: zero(),
            last_poll: zero(),
            sequence: zero(),
            wall: zero(),
            shard: AtomicU32::new(0),
            parent_generation: AtomicU32::new(0),
        }
    }
}

impl Numbered for Slot {
    #[inline(always)]
    fn number(&self) -> u32 {
        self.number.load(Ordering::Relaxed)
    }

    fn renew(&self, number: u32, generation: u64) {
        self.number.store(number, Ordering::Relaxed);
        // The rest is written by the birth of its next tenant.
        self.word.renew(generation as u32);
    }
}

impl Reclaimed for Slot {
    /// The generation of a free slot is its next tenant's.
    fn mark(&self) -> u64 {
        self.word.load_relaxed().generation().into()
    }
}

// SAFETY: its fields are atomics, and the word's and the references' insides are.
#[allow(unsafe_code)]
unsafe impl AllAtomic for Slot {
    #[cfg(all(test, any(loom, shuttle)))]
    fn blank(&self) {
        self.parent.store(0, Ordering::Relaxed);
        self.kids.store(0, Ordering::Relaxed);
        self.extras.store(0, Ordering::Relaxed);
        self.tree.store(0, Ordering::Relaxed);
        self.names.clear();
        self.engine.clear();
        self.start.store(0, Ordering::Relaxed);
        self.number.store(0, Ordering::Relaxed);
        self.born.store(0, Ordering::Relaxed);
        self.word.blank();
    }
}

impl Slot {
    /// Writes everything of a new tenant; it is nobody's until its word is born.
    #[inline(always)]
    pub(crate) fn prepare(&self, birth: &Birth) {
        // Whoever reads one of the stores below sees, at its second look at the word, that
        // the tenant before has gone: the writer's half of the seqlock.
        fence(Ordering::Release);
        let (parent, generation) = birth.parent.map_or((NONE, 0), |parent| {
            (parent.number(), parent.word.load_relaxed().generation())
        });
        let (now, wall) = birth.now;
        self.born.store(now, Ordering::Relaxed);
        self.wall.store(wall.0, Ordering::Relaxed);
        self.parent.store(parent, Ordering::Relaxed);
        self.parent_generation.store(generation, Ordering::Relaxed);
        self.kids.store(NONE, Ordering::Relaxed);
        self.extras.store(NONE, Ordering::Relaxed);
        self.tree
            .store(birth.tree.number() | birth.attributes, Ordering::Relaxed);
        match birth.names {
            Some(set) => self.names.set(set),
            None => self.names.clear(),
        }
        self.polls.store(0, Ordering::Relaxed);
        self.counted.store(0, Ordering::Relaxed);
        self.total.store(birth.total, Ordering::Relaxed);
        let start = if birth.started { now } else { NEVER };
        self.start.store(start, Ordering::Relaxed);
        self.end.store(NEVER, Ordering::Relaxed);
        self.last_poll.store(NEVER, Ordering::Relaxed);
        self.sequence.store(birth.sequence, Ordering::Relaxed);
        self.shard.store(birth.shard, Ordering::Relaxed);
    }

    /// Makes it a task of this manager, before anybody else knows it.
    #[inline(always)]
    pub(crate) fn belong_to(&self, engine: &'static Engine) {
        self.engine.set(engine);
    }

    /// Whether it is a task of this manager.
    #[inline(always)]
    pub(crate) fn belongs_to(&self, engine: &'static Engine) -> bool {
        let mine = self.engine.get();
        mine.is_some_and(|mine| std::ptr::eq(mine, engine))
    }

    /// The manager of its tenant or of the last.
    pub(crate) fn find_engine(&self) -> Option<&'static Engine> {
        self.engine.get()
    }

    /// The manager of the tenant, for one who holds a reference.
    #[inline(always)]
    pub(crate) fn engine(&self) -> &'static Engine {
        self.engine.get().expect("a task has a manager")
    }

    #[inline]
    pub(crate) fn born(&self) -> Tick {
        self.born.load(Ordering::Relaxed)
    }

    /// What turns its ticks into UTC.
    #[inline]
    pub(crate) fn wall(&self) -> Wall {
        Wall(self.wall.load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn order(&self) -> u64 {
        self.order.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set_order(&self, order: u64) {
        self.order.store(order, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn attributes(&self) -> u32 {
        self.tree.load(Ordering::Relaxed) & !TREE
    }

    #[inline]
    pub(crate) fn is(&self, attribute: u32) -> bool {
        self.tree.load(Ordering::Relaxed) & attribute != 0
    }

    pub(crate) fn add_attribute(&self, attribute: u32) {
        self.tree.fetch_or(attribute, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// A root gets its number when it is born.
    pub(crate) fn set_sequence(&self, sequence: u64) {
        self.sequence.store(sequence, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn shard(&self) -> u32 {
        self.shard.load(Ordering::Relaxed)
    }

    /// Where it lives, for the tenant of this reading.
    #[inline]
    pub(crate) fn place(&self, reading: Reading) -> Place {
        Place {
            slot: self.number(),
            generation: reading.generation(),
        }
    }

    /// Where its parent lives or lived.
    #[inline]
    pub(crate) fn parent_place(&self) -> Option<Place> {
        let slot = self.parent.load(Ordering::Relaxed);
        (slot != NONE).then(|| Place {
            slot,
            generation: self.parent_generation.load(Ordering::Relaxed),
        })
    }

    /// The slot of its parent, which is its parent's for as long as this task has not settled.
    #[inline]
    pub(crate) fn parent(&self, realm: &'static Realm) -> Option<&'static Slot> {
        let parent = self.parent.load(Ordering::Relaxed);
        (parent != NONE).then(|| realm.slots.get(parent))
    }

    #[inline]
    pub(crate) fn is_root(&self) -> bool {
        self.parent.load(Ordering::Relaxed) == NONE
    }

    /// Its tree's block, or, for one who came too late, another tree's or none.
    #[inline]
    pub(crate) fn find_tree(&self, realm: &'static Realm) -> Option<&'static Tree> {
        realm.trees.find(self.tree_number())
    }

    #[inline]
    pub(crate) fn tree_number(&self) -> u32 {
        self.tree.load(Ordering::Relaxed) & TREE
    }

    /// Its kids, for one who holds a reference, or a task below it that has not settled.
    #[inline]
    pub(crate) fn kids(&self, realm: &'static Realm) -> Option<&'static Kids> {
        // Acquire: whoever sees the number sees the block as its maker left it.
        let kids = self.kids.load(Ordering::Acquire);
        (kids != NONE).then(|| realm.kids.get(kids))
    }

    /// The same for one who may be too late: then another's.
    pub(crate) fn find_kids<'a>(
        &self,
        realm: &'static Realm,
        _: &'a Section<'_>,
    ) -> Option<&'a Kids> {
        realm.kids.find(self.kids.load(Ordering::Acquire))
    }

    /// Whether its kids are in the block of this number.
    pub(crate) fn has_kids(&self, number: u32) -> bool {
        self.kids.load(Ordering::Acquire) == number
    }

    /// Hangs a block of kids on the slot, unless another thread was faster.
    pub(crate) fn offer_kids(&self, realm: &'static Realm, mine: &'static Kids) -> &'static Kids {
        match offer(&self.kids, mine.number()) {
            Ok(()) => mine,
            Err(theirs) => {
                realm.kids.give(mine);
                realm.kids.get(theirs)
            }
        }
    }

    /// Its extras, for one who holds a reference.
    #[inline]
    pub(crate) fn extras(&self, realm: &'static Realm) -> Option<&'static Extras> {
        let extras = self.extras.load(Ordering::Acquire);
        (extras != NONE).then(|| realm.extras.get(extras))
    }

    /// The same for one who holds no reference, and may be too late: then another's.
    pub(crate) fn look_at_extras<R>(
        &self,
        realm: &'static Realm,
        look: impl FnOnce(&Extras) -> R,
    ) -> Option<R> {
        match self.extras.load(Ordering::Acquire) {
            NONE => None,
            extras => realm.look_at_extras(extras, look),
        }
    }

    /// Gives it an entity that is short and plain, if there is memory; nobody else knows the task
    /// yet, and its attributes are yet to say so.
    #[inline]
    #[must_use = "there may be no memory"]
    pub(crate) fn set_label(&self, text: &str, realm: &'static Realm) -> bool {
        let label = realm.labels.try_beside(self.number());
        label.map(|label| label.set(text)).is_some()
    }

    /// Its entity, if that is short and plain.
    #[inline]
    pub(crate) fn label(&self, realm: &'static Realm) -> Option<&'static Label> {
        match self.is(LABELLED) {
            true => realm.labels.find(self.number()),
            false => None,
        }
    }

    /// Its extras, made now if it has none. The caller holds a reference.
    pub(crate) fn extras_or_new(&self, realm: &'static Realm) -> &'static Extras {
        if let Some(extras) = self.extras(realm) {
            return extras;
        }
        // There are as many blocks as slots, and this slot has none yet: only memory can be short.
        let taken = realm.extras.take_one();
        let mine = taken.unwrap_or_else(|error| panic!("{error}"));
        match offer(&self.extras, mine.number()) {
            Ok(()) => mine,
            Err(theirs) => {
                realm.extras.give(mine);
                realm.extras.get(theirs)
            }
        }
    }

    /// Its names, for one who holds a reference.
    #[inline]
    pub(crate) fn names(&self, realm: &'static Realm) -> Names {
        match self.interned_names() {
            Some(set) => Names::Interned(set),
            None => {
                let extras = self
                    .extras(realm)
                    .expect("names are interned or in the extras");
                let names = extras.lock().names.clone();
                Names::Owned(names.expect("names are interned or in the extras"))
            }
        }
    }

    pub(crate) fn set_names(&self, set: &'static NameSet) {
        self.names.set(set);
    }

    /// Keeps the names that were the task's own, unless it has others by now. Both are right: who
    /// has looked for the one before finds the other where it was.
    pub(crate) fn offer_names(&self, set: &'static NameSet) {
        self.names.offer(set);
    }

    #[inline]
    pub(crate) fn interned_names(&self) -> Option<&'static NameSet> {
        self.names.get()
    }

    /// Whether it has kids or extras.
    #[inline]
    pub(crate) fn has_blocks(&self) -> bool {
        let both = self.kids.load(Ordering::Relaxed) & self.extras.load(Ordering::Relaxed);
        both != NONE
    }

    /// Its names, if it has nothing else: no kids, no extras, no user who started it.
    #[inline]
    pub(crate) fn plain_names(&self) -> Option<&'static NameSet> {
        match self.has_blocks() || self.is(USER_TASK) {
            true => None,
            false => self.interned_names(),
        }
    }

    /// Called by who has dropped the last reference, before the slot is free for others.
    #[inline]
    pub(crate) fn give_up_blocks(&self, realm: &'static Realm) {
        if self.has_blocks() || self.is_root() {
            self.give_up_each(realm);
        }
    }

    fn give_up_each(&self, realm: &'static Realm) {
        if let Some(extras) = self.extras(realm) {
            extras.clear();
            if realm.is_forked() {
                // By what the host's data did as it was dropped.
                return;
            }
            realm.extras.give(extras);
        }
        if let Some(kids) = self.kids(realm) {
            kids.clear();
            realm.kids.give(kids);
        }
        if self.is_root() {
            realm.trees.give(realm.trees.get(self.tree_number()));
        }
    }
}

/// Sets a number that is not set yet; the number that was there otherwise.
fn offer(place: &AtomicU32, mine: u32) -> Result<(), u32> {
    place
        .compare_exchange(NONE, mine, Ordering::AcqRel, Ordering::Acquire)
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_two_cache_lines() {
        assert_eq!(size_of::<Slot>(), 128);
        assert_eq!(std::mem::offset_of!(Slot, counted), 64);
    }
}
