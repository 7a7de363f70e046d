//! A list of the tasks of a module, in order of creation.
//!
//! It goes in two steps. The first goes through the roots of the module, or, for internal tasks,
//! through all trees of the manager, and notes whoever may be listed, in two words each, so that
//! what is put in order is small. The second goes through those in order, and reads and builds
//! each where it is listed.

use std::sync::Arc;

use super::figures::{Figures, same_moment};
use crate::arena::Realm;
use crate::bulk::{Bulk, LIST, copy_of};
use crate::clock::{NEVER, Tick};
use crate::engine::Engine;
use crate::error::Result;
use crate::names::{Group, NameSet};
use crate::node::slot::{INTERNAL, Slot};
use crate::node::word::{GONE, KIDS, SETTLED};
use crate::tree::descend::descend;
use crate::view::{Filter, Stats};

/// So many are looked for in memory at once.
const AT_ONCE: usize = 32;

/// The oldest so many regular tasks, and perhaps some that are as old as the last.
pub(super) fn regular(
    engine: &'static Engine,
    group: &'static Group,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Stats>> {
    let mut scan = Scan {
        engine,
        group,
        filter,
        last: None,
    };
    let candidates = in_order(scan.candidates()?)?;
    // Of those in one state there may be few.
    let most = match filter.state {
        Some(_) => 0,
        None => candidates.len().min(limit),
    };
    let mut listed = Listed {
        stats: Bulk::with_room(most),
        born: NEVER,
        before: 0,
    };
    for some in candidates.chunks(AT_ONCE) {
        touch(some);
        for candidate in some {
            scan.list(candidate, &mut listed);
        }
        if listed.before >= limit {
            break;
        }
    }
    listed.in_full()
}

/// Somebody who may be listed.
#[derive(Clone, Copy)]
struct Candidate {
    born: Tick,
    slot: &'static Slot,
}

/// Tasks that live in memory as it came free are far from one another. Asked for by so little
/// code the lines of many come together; one would be waited for after the other, as what is
/// done with each is more than a processor looks ahead.
fn touch(candidates: &[Candidate]) {
    let mut any = 0;
    for candidate in candidates {
        any ^= candidate.slot.born() ^ candidate.slot.wall().0;
    }
    std::hint::black_box(any);
}

struct Scan<'a> {
    engine: &'static Engine,
    group: &'static Group,
    filter: &'a Filter,
    /// The names that were looked at last, and whether they are wanted: most tasks have the
    /// same as the one before.
    last: Option<(&'static NameSet, bool)>,
}

impl Scan<'_> {
    fn realm(&self) -> &'static Realm {
        self.engine.realm
    }

    /// Whoever may be listed. A guess: it is as old as the word or newer, and whoever reads
    /// the figures looks again.
    fn candidates(&mut self) -> Result<Vec<Candidate>> {
        let realm = self.realm();
        let mut candidates = Bulk::new();
        if self.filter.internal {
            let mut roots = self.engine.roots();
            descend(&mut roots, realm, |slot| {
                if let Some(candidate) = self.candidate(slot) {
                    candidates.push_with(|| candidate);
                }
                slot.word.load().has(KIDS)
            });
            roots.in_full(&LIST)?;
        } else {
            for number in self.group.roots.slots()? {
                if let Some(candidate) = self.candidate(realm.slots.get(number)) {
                    candidates.push_with(|| candidate);
                }
            }
        }
        candidates.in_full(&LIST)
    }

    #[inline]
    fn candidate(&mut self, slot: &'static Slot) -> Option<Candidate> {
        let reading = slot.word.load();
        if !reading.is_live() || reading.has(GONE) || self.hides(slot.attributes()) {
            return None;
        }
        let names = slot.interned_names();
        let may_be_listed = names.is_none_or(|names| self.wanted(names));
        may_be_listed.then(|| Candidate {
            born: slot.born(),
            slot,
        })
    }

    #[inline]
    fn hides(&self, attributes: u32) -> bool {
        !self.filter.internal && attributes & INTERNAL != 0
    }

    /// Whether tasks of these names are asked for.
    #[inline]
    fn wanted(&mut self, names: &'static NameSet) -> bool {
        match self.last {
            Some((last, wanted)) if std::ptr::eq(last, names) => wanted,
            _ => {
                let wanted = self.wants(names);
                self.last = Some((names, wanted));
                wanted
            }
        }
    }

    fn wants(&self, names: &NameSet) -> bool {
        let NameSet {
            type_,
            scope,
            keyspace,
            table,
            ..
        } = names;
        // A module is of one manager alone.
        std::ptr::eq(names.group, self.group)
            && self
                .filter
                .lets_names_through(type_, scope, keyspace, table)
    }

    /// Lists one task without a reference to it: what is read of a moment between two states
    /// is read again, and who was born later than the candidate is none.
    #[inline]
    fn list(&mut self, candidate: &Candidate, listed: &mut Listed) {
        let slot = candidate.slot;
        loop {
            let reading = slot.word.load();
            if !reading.is_live() || reading.has(GONE) {
                return;
            }
            let figures = Figures::read(slot, reading, self.realm());
            let interned = slot.interned_names();
            let own_names = match interned {
                None => self.own_names(slot),
                Some(_) => None,
            };
            let expired = reading.has(SETTLED) && self.engine.is_expired(slot);
            if same_moment(reading, slot) {
                let names = match interned {
                    Some(names) => self.wanted(names).then_some(names),
                    None => own_names.as_deref().filter(|names| self.wants(names)),
                };
                if let Some(names) = names
                    && !expired
                    && figures.born == candidate.born
                    && self.shows(&figures)
                {
                    listed.make_room_for(figures.born);
                    let stats = || figures.into_stats(names, self.realm());
                    listed.stats.push_with(stats);
                }
                return;
            }
            std::hint::spin_loop();
        }
    }

    #[inline]
    fn shows(&self, figures: &Figures) -> bool {
        let state = || figures.reading.state();
        !self.hides(figures.attributes) && self.filter.state.is_none_or(|wanted| wanted == state())
    }

    #[cold]
    fn own_names(&self, slot: &'static Slot) -> Option<Arc<NameSet>> {
        slot.look_at_extras(self.realm(), |extras| extras.lock().names.clone())?
    }
}

/// What is listed; those that are equally old in order of their ids.
struct Listed {
    stats: Bulk<Stats>,
    /// The age of the last ones, and how many are older.
    born: Tick,
    before: usize,
}

impl Listed {
    #[inline]
    fn make_room_for(&mut self, born: Tick) {
        if born != self.born {
            self.sort_last();
            self.born = born;
        }
    }

    #[inline]
    fn sort_last(&mut self) {
        let stats = self.stats.all_mut();
        if stats.len() > self.before + 1 {
            stats[self.before..].sort_unstable_by_key(|stats| stats.id);
        }
        self.before = stats.len();
    }

    fn in_full(mut self) -> Result<Vec<Stats>> {
        self.sort_last();
        self.stats.in_full(&LIST)
    }
}

/// Puts candidates in order of their births, by their digits from the last to the first:
/// those of what a list is asked for are few, as it was born within some time.
fn in_order(mut candidates: Vec<Candidate>) -> Result<Vec<Candidate>> {
    const MOST_BITS: u32 = 11;
    const FEW: usize = 1 << 10;

    // Slots that nobody has used before are in order.
    if candidates.is_sorted_by_key(|one| one.born) {
        return Ok(candidates);
    }
    if candidates.len() < FEW {
        candidates.sort_unstable_by_key(|one| one.born);
        return Ok(candidates);
    }
    let births = || candidates.iter().map(|one| one.born);
    let first = births().min().unwrap_or(0);
    let span = u64::BITS - (births().max().unwrap_or(0) - first).leading_zeros();
    let digits = span.div_ceil(MOST_BITS);
    let bits = span.div_ceil(digits);
    let mut sorted = copy_of(&candidates, &LIST)?;
    for shift in (0..digits).map(|digit| digit * bits) {
        let digit = |one: &Candidate| ((one.born - first) >> shift) as usize & ((1 << bits) - 1);
        // As many as are numbered by 32 bits: candidates are slots.
        let mut places = [0_u32; 1 << MOST_BITS];
        for one in &candidates {
            places[digit(one)] += 1;
        }
        let mut before = 0;
        for place in &mut places {
            before += std::mem::replace(place, before);
        }
        for one in &candidates {
            let place = &mut places[digit(one)];
            sorted[*place as usize] = *one;
            *place += 1;
        }
        std::mem::swap(&mut candidates, &mut sorted);
    }
    Ok(candidates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::Pooled;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn list_1_candidates_are_put_in_order(
            births in proptest::collection::vec(any::<u64>(), 0..5000),
            shift in 0..64_u32,
        ) {
            static SLOT: std::sync::OnceLock<Slot> = std::sync::OnceLock::new();
            let slot = SLOT.get_or_init(|| Slot::new(0));
            let mut births: Vec<u64> = births.iter().map(|born| born >> shift).collect();
            let candidates = births.iter().map(|born| Candidate { born: *born, slot }).collect();
            let sorted: Vec<u64> = in_order(candidates).unwrap().iter().map(|one| one.born).collect();
            births.sort_unstable();
            prop_assert_eq!(sorted, births);
        }
    }
}
