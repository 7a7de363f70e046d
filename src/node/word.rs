//! The atomic state machine of one task: one word, every change a named transition.
//!
//! ```text
//!  63            34 33        14 13                                            0
//! ┌────────────────┬────────────┬───────────────────────────────────────────────┐
//! │ generation (30)│ refs (20)  │ flags (14)                                    │
//! └────────────────┴────────────┴───────────────────────────────────────────────┘
//! ```
//!
//! *Generation* says which of the slot's tenants this is; it grows when the last reference
//! goes. *Refs* counts what keeps the slot from being reused: the registration (from birth
//! until the task is unregistered), each owner, reporter and observer. A slot with no
//! reference is free: nobody but the thread that freed it may touch it. A count that has come to
//! `PINNED` never falls again, and goes no further than `MOST_REFS`: the slot keeps its tenant for
//! the life of the process, and no reference can be one too many.
//!
//! | flag | set by | cleared | grants |
//! | --- | --- | --- | --- |
//! | `STARTED` | the owner's `start` | never | – |
//! | `SUSPEND` | an observer's `suspend` | by `resume` | – |
//! | `ASLEEP` | the owner, in `checkpoint` | by the owner | the state shows `suspended` |
//! | `ENDING` | the one who ends a task with parts that others may touch | never | writing end and error |
//! | `TERMINAL`, `FAILED` | the winning `finish` | never | reading end, error and frozen figures |
//! | `SETTLED` | who folds the task, or goes on to keep or forget the root | never | nothing of it changes |
//! | `SETTLING` | the winning `finish` of a task with live children, or of the last child of a parent that has ended | by the same thread | having brought about what goes with it, which waiters wait for |
//! | `GONE` | who unregisters it | never | dropping the registration's reference |
//! | `ABORT` | `request_abort` on this very task, unless it has settled | never | – |
//! | `WAS_ABORTED` | the winning `finish`, for an abort that came from above | never | – |
//! | `WATCHED` | a waiter or a completion callback, before it looks again | never | being woken |
//! | `PARTS` | who adds a callback or a reporter, changes units that others may read, ends a task whose handle stays, or bears one that is counted | never | `ENDING` is needed |
//! | `KIDS` | the first child's maker | never | the kids' block is there |
//!
//! Orderings: a transition that publishes (birth, `finish`, `settle`, `unregister`) is a
//! Release, so that what was written before it is seen by whoever sees the flag; every
//! load that acts on a flag is an Acquire. Transitions are read-modify-writes of one
//! location, so they have one order for everybody: exactly one `finish` wins, and an
//! abort of this task is either seen by it or comes after it.

use crate::sync::{AtomicWord, Ordering};
use crate::view::State;

const REF: u64 = 1 << 14;
const REF_BITS: u64 = ((1 << 20) - 1) << 14;
const GENERATION: u64 = 1 << 34;
const GENERATION_BITS: u64 = !(GENERATION - 1);
const FLAG_BITS: u64 = REF - 1;

const MOST_REFS: u32 = (1 << 20) - 1;
/// Above this releases do nothing. The one `finish` of a tenant, which does not look, takes two
/// references at most, and so cannot lead back from where further ones are no longer counted.
const PINNED: u32 = MOST_REFS - 8;
/// So many references leave room for the short ones of threads that look at a task.
pub(crate) const MANY_REFS: u32 = (1 << 20) - 4096;

/// Generations there are; a slot whose last one has been used is retired.
pub(crate) const MAX_GENERATION: u32 = (1 << 30) - 1;

pub(crate) const STARTED: u64 = 1;
pub(crate) const SUSPEND: u64 = 1 << 1;
pub(crate) const ASLEEP: u64 = 1 << 2;
pub(crate) const ENDING: u64 = 1 << 3;
pub(crate) const TERMINAL: u64 = 1 << 4;
pub(crate) const FAILED: u64 = 1 << 5;
pub(crate) const SETTLED: u64 = 1 << 6;
pub(crate) const GONE: u64 = 1 << 7;
pub(crate) const ABORT: u64 = 1 << 8;
pub(crate) const WAS_ABORTED: u64 = 1 << 9;
pub(crate) const WATCHED: u64 = 1 << 10;
pub(crate) const PARTS: u64 = 1 << 11;
pub(crate) const KIDS: u64 = 1 << 12;
pub(crate) const SETTLING: u64 = 1 << 13;

/// One reading of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading(u64);

impl Reading {
    #[inline]
    pub(crate) fn has(self, flags: u64) -> bool {
        self.0 & flags != 0
    }

    #[inline]
    pub(crate) fn with(self, flags: u64) -> Self {
        Self(self.0 | flags)
    }

    #[inline]
    pub(crate) fn generation(self) -> u32 {
        (self.0 >> 34) as u32
    }

    /// Whether it is a reading of this tenant's, and has none of these flags.
    #[inline]
    pub(crate) fn is_of(self, generation: u32, without: u64) -> bool {
        let generation = u64::from(generation) * GENERATION;
        (self.0 ^ generation) & (GENERATION_BITS | without) == 0
    }

    #[inline]
    pub(crate) fn refs(self) -> u32 {
        ((self.0 & REF_BITS) >> 14) as u32
    }

    #[inline]
    pub(crate) fn is_live(self) -> bool {
        self.0 & REF_BITS != 0
    }

    /// Whether two readings have the same of these flags.
    #[inline]
    pub(crate) fn agrees(self, other: Self, flags: u64) -> bool {
        (self.0 ^ other.0) & flags == 0
    }

    /// Whether the task has succeeded.
    #[inline]
    pub(crate) fn is_done(self) -> bool {
        self.0 & (TERMINAL | FAILED) == TERMINAL
    }

    pub(crate) fn state(self) -> State {
        match self.0 & (TERMINAL | FAILED | STARTED | ASLEEP) {
            bits if bits & FAILED != 0 => State::Failed,
            bits if bits & TERMINAL != 0 => State::Done,
            bits if bits & STARTED == 0 => State::Created,
            bits if bits & ASLEEP != 0 => State::Suspended,
            _ => State::Running,
        }
    }

    /// Whether the slot keeps its tenant whatever is released.
    #[inline]
    fn is_pinned(self) -> bool {
        self.refs() >= PINNED
    }

    #[inline]
    fn with_ref(self) -> Self {
        match self.refs() < MOST_REFS {
            true => Self(self.0 + REF),
            false => self,
        }
    }

    /// Takes references away; with the last one the slot passes to its next generation.
    #[inline]
    fn without_refs(self, refs: u32) -> Self {
        debug_assert!(self.refs() >= refs);
        let rest = self.0 - u64::from(refs) * REF;
        if rest & REF_BITS == 0 {
            Self((rest & !FLAG_BITS).wrapping_add(GENERATION))
        } else {
            Self(rest)
        }
    }
}

/// Why `start` did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotStarted {
    Already,
    Ended,
    Aborted,
}

/// Why `finish` did not finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFinished {
    /// Somebody else has ended the task, or is about to.
    Already,
    /// An abort of this very task came first; it has to end as failed.
    Aborted,
    /// The task has got parts or kids that the finisher has not seen to.
    Changed,
}

/// The word of a slot.
#[derive(Debug)]
pub(crate) struct Word(AtomicWord);

impl Word {
    /// A free slot before its first tenant.
    pub(crate) fn free() -> Self {
        // Generation 0 is never lived in, so that an id of zeroes leads nowhere.
        Self(AtomicWord::new(GENERATION))
    }

    /// A free slot whose tenants so far had lower generations, and of which nobody knows.
    pub(crate) fn renew(&self, generation: u32) {
        let free = u64::from(generation) * GENERATION;
        self.0.store(free, Ordering::Release);
    }

    #[cfg(all(test, any(loom, shuttle)))]
    pub(crate) fn blank(&self) {
        self.0.store(0, Ordering::Release);
    }

    #[inline]
    pub(crate) fn load(&self) -> Reading {
        Reading(self.0.load(Ordering::Acquire))
    }

    /// The second reading of a seqlock; the caller has put a fence before it.
    #[inline]
    pub(crate) fn load_relaxed(&self) -> Reading {
        Reading(self.0.load(Ordering::Relaxed))
    }

    /// Publishes a new tenant. Only the thread that took the slot from a free list calls
    /// this, so a plain store cannot overwrite anybody's change.
    #[inline]
    pub(crate) fn born(&self, flags: u64, refs: u32) -> Reading {
        let free = self.0.load(Ordering::Relaxed);
        let born = free | flags | (u64::from(refs) * REF);
        self.0.store(born, Ordering::Release);
        Reading(born)
    }

    #[inline]
    fn update<E>(&self, change: impl Fn(Reading) -> Result<Reading, E>) -> Result<Reading, E> {
        let mut old = Reading(self.0.load(Ordering::Acquire));
        loop {
            let new = change(old)?;
            match self
                .0
                .compare_exchange_weak(old.0, new.0, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Ok(old),
                Err(now) => old = Reading(now),
            }
        }
    }

    /// created → running.
    #[must_use = "the task may be running, ended or aborted already"]
    pub(crate) fn start(&self) -> Result<Reading, NotStarted> {
        self.update(|old| match old {
            _ if old.has(TERMINAL | ENDING) => Err(NotStarted::Ended),
            _ if old.has(STARTED) => Err(NotStarted::Already),
            _ if old.has(ABORT) => Err(NotStarted::Aborted),
            _ => Ok(old.with(STARTED)),
        })
    }

    /// Tells those who may touch what an end writes that it is being written.
    #[must_use = "the task may have ended"]
    pub(crate) fn begin_end(&self) -> Result<Reading, NotFinished> {
        self.update(|old| match old.has(TERMINAL) {
            true => Err(NotFinished::Already),
            false => Ok(old.with(ENDING)),
        })
    }

    /// running or suspended → done or failed, and whatever goes with it: `flags` are set, and
    /// `refs` references dropped if nobody watches, none if somebody has to be woken.
    #[must_use = "an abort may have come first"]
    #[inline]
    pub(crate) fn finish(&self, end: End) -> Result<Reading, NotFinished> {
        self.update(|old| match old {
            _ if old.has(TERMINAL) => Err(NotFinished::Already),
            _ if old.has((PARTS | KIDS) & !end.seen) => Err(NotFinished::Changed),
            _ if old.has(ABORT & !end.seen) => Err(NotFinished::Aborted),
            _ => Ok(end.apply(old)),
        })
    }

    /// Whether the task has not ended, has nothing that an end has to see to, and nobody but the
    /// registration and the one who ends it has a reference.
    #[inline]
    pub(crate) fn unseen(&self) -> Option<Reading> {
        let now = self.load();
        let is_plain = !now.has(TERMINAL | PARTS | KIDS | ABORT | WATCHED);
        (is_plain && now.refs() == 2).then_some(now)
    }

    /// The same as [`finish`](Self::finish) if nothing has changed since that reading.
    #[must_use = "others may look at the task"]
    #[inline]
    pub(crate) fn finish_since(&self, old: Reading, end: End) -> Result<Reading, NotFinished> {
        let ended = end.apply(old);
        self.0
            .compare_exchange_weak(old.0, ended.0, Ordering::AcqRel, Ordering::Acquire)
            .map(|_| old)
            .map_err(|_| NotFinished::Changed)
    }

    /// Marks this very task as told to abort; `false` if it has settled, and stays as it is.
    #[must_use = "the task may have settled"]
    pub(crate) fn request_abort(&self) -> bool {
        self.update(|old| match old.has(SETTLED) {
            true => Err(()),
            false => Ok(old.with(ABORT)),
        })
        .is_ok()
    }

    /// A root that has ended before is kept now. The reading before it.
    pub(crate) fn settle(&self) -> Reading {
        Reading(self.0.fetch_or(SETTLED, Ordering::AcqRel))
    }

    /// A child that has ended before folds. The reading before it, and whether its registration's
    /// reference, the caller's, went with it, as it was the only one: then the slot is the
    /// caller's.
    pub(crate) fn settle_child(&self) -> (Reading, bool) {
        let is_last = |old: Reading| old.refs() == 1;
        let settled = self.update(|old| {
            let settled = old.with(SETTLED | GONE);
            Ok::<_, ()>(match is_last(old) {
                true => settled.without_refs(1),
                false => settled,
            })
        });
        let before = settled.unwrap_or_else(|()| unreachable!("a settle always succeeds"));
        (before, is_last(before))
    }

    /// What goes with the end has come about. The reading before it.
    pub(crate) fn brought_about(&self) -> Reading {
        Reading(self.0.fetch_and(!SETTLING, Ordering::AcqRel))
    }

    /// Takes a settled task out of the manager; `false` for whoever comes second.
    #[must_use = "somebody else may have unregistered the task"]
    pub(crate) fn unregister(&self) -> bool {
        !Reading(self.0.fetch_or(GONE, Ordering::AcqRel)).has(GONE)
    }

    /// Asks the owner to sleep at its next checkpoint.
    pub(crate) fn suspend(&self) {
        let _ = self.update(|old| match old.has(TERMINAL) {
            true => Err(()),
            false => Ok(old.with(SUSPEND)),
        });
    }

    /// Takes that back.
    pub(crate) fn resume(&self) {
        let _ = self.update(|old| match old.has(TERMINAL) {
            true => Err(()),
            false => Ok(Reading(old.0 & !SUSPEND)),
        });
    }

    /// running → suspended, if that is still asked for.
    #[must_use = "the task may have been resumed or ended"]
    pub(crate) fn fall_asleep(&self) -> bool {
        self.update(
            |old| match old.has(SUSPEND) && !old.has(TERMINAL | ENDING) {
                true => Ok(old.with(ASLEEP | WATCHED)),
                false => Err(()),
            },
        )
        .is_ok()
    }

    /// suspended → running.
    pub(crate) fn wake_up(&self) {
        self.0.fetch_and(!ASLEEP, Ordering::AcqRel);
    }

    /// Sets `WATCHED`, `PARTS` or `KIDS`. The reading before it.
    pub(crate) fn mark(&self, flags: u64) -> Reading {
        debug_assert!(flags & !(WATCHED | PARTS | KIDS) == 0, "a mark only");
        Reading(self.0.fetch_or(flags, Ordering::AcqRel))
    }

    /// A further reference by somebody who holds one, or who holds the lock under which
    /// the last one would have to go.
    #[inline]
    pub(crate) fn retain(&self) {
        let _ = self.update(|old| Ok::<_, ()>(old.with_ref()));
    }

    /// A reference by somebody who holds none: only to this tenant, only while it lives, and
    /// only if none of these flags is set.
    #[must_use = "the slot may have passed on"]
    #[inline]
    pub(crate) fn acquire(&self, generation: u32, without: u64) -> Option<Reading> {
        self.update(|old| {
            let fits = old.is_of(generation, without) && old.is_live();
            fits.then(|| old.with_ref()).ok_or(())
        })
        .ok()
    }

    /// Gives references back; `true` if they were the last, and the slot is the caller's.
    #[must_use = "whoever drops the last reference frees the slot"]
    #[inline]
    pub(crate) fn release(&self, refs: u32) -> bool {
        !self.release_unless_last(refs) && self.release_any(refs)
    }

    /// Gives references back if others hold the task too, as most who look at one find, and
    /// nobody comes in between; else nothing happened.
    #[must_use = "they may not have been given back"]
    #[inline]
    pub(crate) fn release_unless_last(&self, refs: u32) -> bool {
        let old = self.0.load(Ordering::Acquire);
        let rest = old - u64::from(refs) * REF;
        let others_hold = rest & REF_BITS != 0;
        if Reading(old).is_pinned() {
            return true;
        }
        let change = || {
            self.0
                .compare_exchange_weak(old, rest, Ordering::AcqRel, Ordering::Acquire)
        };
        others_hold && change().is_ok()
    }

    fn release_any(&self, refs: u32) -> bool {
        let change = |old: Reading| match old.is_pinned() {
            true => Err(()),
            false => Ok(old.without_refs(refs)),
        };
        self.update(change).is_ok_and(|old| old.refs() == refs)
    }

    /// For tests: the generation that the next tenant of a free slot gets.
    #[cfg(test)]
    pub(crate) fn preset_generation(&self, generation: u32) {
        assert!(!self.load().is_live());
        self.0
            .store(u64::from(generation) * GENERATION, Ordering::SeqCst);
    }
}

/// What a winning `finish` does to the word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) flags: u64,
    /// References that go with it.
    pub(crate) refs: u32,
    /// Which of `PARTS`, `KIDS` and `ABORT` the finisher has seen to.
    pub(crate) seen: u64,
}

impl End {
    /// Whoever is to be woken needs the slot a moment longer, so a watched task keeps the
    /// finisher's reference until it has woken them.
    #[inline]
    fn apply(self, old: Reading) -> Reading {
        let ended = old.with(self.flags | TERMINAL);
        match self.refs_dropped(old) {
            0 => ended,
            refs => ended.without_refs(refs),
        }
    }

    /// How many references go with the end itself. Where the caller's handle goes, and others hold
    /// the task, none: they might drop the last one before the task has folded.
    #[inline]
    pub(crate) fn refs_dropped(self, old: Reading) -> u32 {
        let handle_goes = self.refs > 1;
        let drops = match handle_goes {
            true => self.is_alone(old),
            false => !old.has(WATCHED),
        };
        if drops { self.refs } else { 0 }
    }

    /// Whether the slot went with it.
    #[inline]
    pub(crate) fn freed(self, old: Reading) -> bool {
        self.refs > 0 && self.is_alone(old)
    }

    /// Whether its references are all that there are, and nobody is to be woken.
    #[inline]
    fn is_alone(self, old: Reading) -> bool {
        old.0 & (REF_BITS | WATCHED) == u64::from(self.refs) * REF
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Word {
        let word = Word::free();
        word.born(STARTED, 2);
        word
    }

    #[test]
    fn life_1_the_state_follows_the_transitions() {
        let word = Word::free();
        assert_eq!(word.born(0, 2).state(), State::Created);
        assert!(word.start().is_ok());
        assert_eq!(word.load().state(), State::Running);
        word.suspend();
        assert_eq!(word.load().state(), State::Running, "suspend only asks");
        assert!(word.fall_asleep());
        assert_eq!(word.load().state(), State::Suspended);
        word.resume();
        word.wake_up();
        assert!(
            word.finish(End {
                flags: FAILED,
                refs: 0,
                seen: 0
            })
            .is_ok()
        );
        assert_eq!(word.load().state(), State::Failed);
        word.suspend();
        assert!(
            !word.load().has(SUSPEND),
            "nothing changes a task that has ended"
        );
    }

    #[test]
    fn life_2_a_second_end_loses() {
        let word = running();
        assert!(
            word.finish(End {
                flags: 0,
                refs: 0,
                seen: 0
            })
            .is_ok()
        );
        let again = word.finish(End {
            flags: FAILED,
            refs: 0,
            seen: 0,
        });
        assert_eq!(again, Err(NotFinished::Already));
        assert_eq!(word.load().state(), State::Done);
    }

    #[test]
    fn life_4_an_abort_of_this_task_is_never_missed() {
        let word = running();
        assert!(word.request_abort());
        assert_eq!(
            word.finish(End {
                flags: 0,
                refs: 0,
                seen: 0
            }),
            Err(NotFinished::Aborted)
        );
        assert!(
            word.finish(End {
                flags: FAILED,
                refs: 0,
                seen: ABORT
            })
            .is_ok()
        );
    }

    #[test]
    fn abort_3_what_has_settled_is_not_told_to_abort() {
        let word = running();
        let end = End {
            flags: SETTLING,
            refs: 0,
            seen: 0,
        };
        assert!(word.finish(end).is_ok());
        word.settle();
        let settled = word.load();
        assert!(!word.request_abort());
        assert_eq!(word.load(), settled);
        assert_eq!(word.brought_about(), settled);
        assert!(!word.load().has(SETTLING | ABORT));
    }

    #[test]
    fn id_1_the_last_reference_ends_the_generation() {
        let word = running();
        let generation = word.load().generation();
        assert!(word.acquire(generation, 0).is_some());
        assert!(!word.release(2));
        assert!(word.release(1));
        assert!(word.acquire(generation, 0).is_none());
        assert!(
            word.acquire(generation + 1, 0).is_none(),
            "a free slot has no tenant"
        );
        assert_eq!(word.load().generation(), generation + 1);
        assert!(!word.load().has(STARTED), "flags go with the tenant");
    }

    #[test]
    fn life_7_references_that_are_not_counted_any_more_pin_the_slot() {
        let word = Word::free();
        let generation = word.born(STARTED, MOST_REFS - 2).generation();
        word.retain();
        assert!(word.acquire(generation, 0).is_some());
        let full = word.load();
        assert_eq!(full.refs(), MOST_REFS);
        word.retain();
        assert!(word.acquire(generation, 0).is_some());
        assert_eq!(word.load(), full, "a further one is not counted");
        assert!(word.acquire(generation + 1, 0).is_none());
        let end = End {
            flags: SETTLED | GONE,
            refs: 2,
            seen: 0,
        };
        let before = word.finish(end).unwrap();
        assert!(!end.freed(before) && word.load().has(TERMINAL));
        for _ in 0..2 {
            word.retain();
            assert!(!word.release(1));
            assert!(!word.release(2));
        }
        assert_eq!(word.load().generation(), generation);
        assert_eq!(word.load().refs(), MOST_REFS, "so none can be the last");
    }

    #[test]
    fn life_7_references_are_given_back_up_to_where_they_pin_the_slot() {
        let word = Word::free();
        let generation = word.born(STARTED, PINNED - 2).generation();
        word.retain();
        assert!(!word.release(2));
        word.retain();
        assert!(word.release(PINNED - 2), "and each was counted");
        assert_eq!(word.load().generation(), generation + 1);
    }

    #[test]
    fn a_watched_task_keeps_its_slot_until_its_waiters_are_woken() {
        let word = running();
        word.mark(WATCHED);
        let end = End {
            flags: SETTLED | GONE,
            refs: 2,
            seen: 0,
        };
        let old = word.finish(end).unwrap();
        assert!(!end.freed(old));
        assert!(word.release(2));
    }

    #[test]
    fn life_6_a_start_is_refused_by_what_came_first() {
        let made = || {
            let word = Word::free();
            let _ = word.born(0, 2);
            word
        };
        let end = |flags| End {
            flags,
            refs: 0,
            seen: ABORT,
        };
        assert!(made().start().is_ok());
        let word = made();
        assert!(word.start().is_ok());
        assert!(matches!(word.start(), Err(NotStarted::Already)));
        let word = made();
        let _ = word.request_abort();
        assert!(matches!(word.start(), Err(NotStarted::Aborted)));
        let word = made();
        assert!(word.begin_end().is_ok());
        assert!(matches!(word.start(), Err(NotStarted::Ended)));
        let word = made();
        assert!(word.finish(end(FAILED)).is_ok());
        assert!(matches!(word.start(), Err(NotStarted::Ended)));
    }
}
