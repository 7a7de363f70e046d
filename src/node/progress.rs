//! Counting: a cell for everybody who counts, and what a task shows of it.

use crate::arena::{Emptied, Numbered, Pooled, Realm};
use crate::node::extras::Extras;
use crate::node::slot::{Slot, UNKNOWN};
use crate::node::word::{PARTS, Reading};
use crate::sync::{AtomicU64, CachePadded, Ordering};
use crate::view::{Name, Progress};

/// The largest amount there is: beyond it a double, which is what JSON carries, has gaps.
pub(crate) const CAP: u64 = 1 << 53;

/// A reporter's cell, on a line of its own.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) counted: CachePadded<AtomicU64>,
    number: u32,
}

impl Pooled for Cell {
    fn new(number: u32) -> Self {
        Self {
            counted: CachePadded::new(AtomicU64::new(0)),
            number,
        }
    }
}

impl Numbered for Cell {
    fn number(&self) -> u32 {
        self.number
    }
}

/// Its reporter writes it; others look at it under the lock of its task's extras, off which it is
/// taken before it is free.
impl Emptied for Cell {}

/// What a cell adds without a look at what it has come to: it would take 2^54 such steps, two
/// months of nothing else, before one wrapped.
const SMALL: u64 = 1 << 10;

/// Counts in a cell that this thread alone writes: a load and a store, wait-free. Whoever
/// looks at it caps what is seen.
#[inline(always)]
pub(crate) fn advance_alone(cell: &AtomicU64, by: u64) {
    let counted = cell.load(Ordering::Relaxed);
    match by <= SMALL {
        true => cell.store(counted.wrapping_add(by), Ordering::Relaxed),
        false => cell.store(counted.saturating_add(by).min(CAP), Ordering::Relaxed),
    }
}

/// Counts in a cell that others write too. Small steps are capped by who looks, as above; to
/// come round by large ones, 2,047 threads would have to add the most there is before the first
/// of them has capped it.
#[inline]
pub(crate) fn advance_shared(cell: &AtomicU64, by: u64) {
    if by <= SMALL {
        cell.fetch_add(by, Ordering::Relaxed);
        return;
    }
    let by = by.min(CAP);
    if cell.fetch_add(by, Ordering::Relaxed).saturating_add(by) > CAP {
        cell.store(CAP, Ordering::Relaxed);
    }
}

/// Sets a cell, and never lowers it.
#[inline]
pub(crate) fn raise(cell: &AtomicU64, to: u64) {
    cell.fetch_max(to.min(CAP), Ordering::Relaxed);
}

/// What a task has counted itself.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) completed: u64,
    pub(crate) total: Option<u64>,
    pub(crate) units: Name,
}

impl Own {
    /// Reads the figures of a task. Once it has ended they do not change any more: where
    /// several count, the finisher fixes the sum under the lock under which it is read.
    pub(crate) fn read(
        slot: &'static Slot,
        realm: &'static Realm,
        reading: Reading,
        units: Name,
    ) -> Self {
        let mut completed = slot.counted.load(Ordering::Relaxed).min(CAP);
        let mut total = slot.total.load(Ordering::Relaxed);
        let last = |extras: &Extras| {
            let parts = extras.lock();
            parts.frozen.unwrap_or_else(|| parts.last(slot))
        };
        if reading.has(PARTS)
            && let Some(last) = slot.look_at_extras(realm, last)
        {
            Last { completed, total } = last;
        }
        Self {
            completed,
            total: (total != UNKNOWN).then_some(total),
            units,
        }
    }

    #[inline]
    fn is_silent(&self) -> bool {
        self.completed == 0 && self.total.is_none() && self.units.is_empty()
    }
}

/// What a task shows.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) completed: u64,
    pub(crate) total: Option<u64>,
    pub(crate) units: Name,
}

impl Shown {
    #[inline]
    pub(crate) fn of_leaf(own: Own, done: bool) -> Self {
        match own.is_silent() {
            true => Self {
                completed: done.into(),
                total: Some(1),
                units: own.units,
            },
            false => Self {
                completed: own.completed,
                total: own.total,
                units: own.units,
            },
        }
    }

    pub(crate) fn amounts(&self) -> Amounts<'_> {
        Amounts {
            completed: self.completed,
            total: self.total,
            units: &self.units,
        }
    }

    /// `done` is whether the task has succeeded.
    pub(crate) fn of(own: Own, children: &Sums, done: bool) -> Self {
        if children.known == 0 {
            return Self::of_leaf(own, done);
        }
        let theirs = children.shown();
        let declares_nothing = own.units.is_empty() && own.total.is_none();
        if declares_nothing && children.is_mixed() {
            return theirs;
        }
        // What is declared decides, never what is counted, and then whichever is further
        // along: so nothing goes back when a parent begins to count.
        if own.units.is_empty() || own.units == theirs.units {
            return Self {
                completed: own.completed.max(theirs.completed),
                total: own.total.or(theirs.total),
                units: theirs.units,
            };
        }
        Self {
            completed: own.completed,
            total: own.total,
            units: own.units,
        }
    }

    /// Never above the total: one that was set too low follows.
    #[inline]
    pub(crate) fn into_progress(self) -> Progress {
        let completed = self.completed.min(CAP);
        Progress {
            completed,
            total: self.total.unwrap_or(0).max(completed).min(CAP),
            total_known: self.total.is_some(),
            units: self.units,
        }
    }
}

/// What a task shows, as its parent adds it up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amounts<'a> {
    pub(crate) completed: u64,
    pub(crate) total: Option<u64>,
    pub(crate) units: &'a Name,
}

/// What a task for which nobody but its owner counts comes to with its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Last {
    pub(crate) completed: u64,
    /// Or `UNKNOWN`.
    pub(crate) total: u64,
}

impl Last {
    #[inline]
    pub(crate) fn read(slot: &'static Slot) -> Self {
        Self {
            completed: slot.counted.load(Ordering::Relaxed).min(CAP),
            total: slot.total.load(Ordering::Relaxed),
        }
    }
}

impl<'a> Amounts<'a> {
    #[inline]
    pub(crate) fn of_ended(last: Last, units: &'a Name) -> Self {
        let Last { completed, total } = last;
        let is_silent = completed == 0 && total == UNKNOWN && units.is_empty();
        match is_silent {
            true => Self {
                completed: 1,
                total: Some(1),
                units,
            },
            false => Self {
                completed,
                total: (total != UNKNOWN).then_some(total),
                units,
            },
        }
    }
}

/// The sum over children: first what changes with each, then what seldom does.
#[repr(C)]
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    completed: u64,
    total: u64,
    /// How many have succeeded: a child that failed is no progress.
    done: u64,
    known: u64,
    units: Units,
    total_known: bool,
}

#[derive(Clone, Debug, Default)]
enum Units {
    #[default]
    Nothing,
    Same(Name),
    Mixed,
}

const CHILDREN: Name = Name::from_static("children");

impl Sums {
    #[inline(always)]
    pub(crate) fn add(&mut self, child: Amounts<'_>, done: bool) {
        let completed = child.completed.min(CAP);
        self.completed = self.completed.saturating_add(completed);
        self.total = self
            .total
            .saturating_add(child.total.unwrap_or(0).max(completed));
        // Not written again and again: it lies on a line that others' workers are next to.
        if child.total.is_some() && !self.total_known {
            self.total_known = true;
        }
        self.done += u64::from(done);
        self.known += 1;
        match &self.units {
            Units::Nothing => self.units = Units::Same(child.units.clone()),
            Units::Same(units) if units != child.units => self.units = Units::Mixed,
            _ => {}
        }
    }

    pub(crate) fn merge(&mut self, other: &Sums) {
        self.completed = self.completed.saturating_add(other.completed);
        self.total = self.total.saturating_add(other.total);
        self.total_known |= other.total_known;
        self.done += other.done;
        self.known += other.known;
        match (&self.units, &other.units) {
            (_, Units::Nothing) => {}
            (Units::Nothing, theirs) => self.units = theirs.clone(),
            (Units::Same(ours), Units::Same(theirs)) if ours == theirs => {}
            _ => self.units = Units::Mixed,
        }
    }

    fn is_mixed(&self) -> bool {
        matches!(self.units, Units::Mixed)
    }

    fn shown(&self) -> Shown {
        match &self.units {
            Units::Same(units) => Shown {
                completed: self.completed,
                total: self.total_known.then_some(self.total),
                units: units.clone(),
            },
            _ => Shown {
                completed: self.done,
                total: Some(self.known),
                units: CHILDREN,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(completed: u64, total: Option<u64>, units: &str) -> Own {
        Own {
            completed,
            total,
            units: units.into(),
        }
    }

    fn sums(children: &[(u64, u64, &str)]) -> Sums {
        let mut sums = Sums::default();
        for (completed, total, units) in children {
            let shown = Shown {
                completed: *completed,
                total: Some(*total),
                units: (*units).into(),
            };
            sums.add(shown.amounts(), completed == total);
        }
        sums
    }

    fn shown(own: Own, children: &Sums, done: bool) -> (u64, u64, String) {
        let progress = Shown::of(own, children, done).into_progress();
        (
            progress.completed,
            progress.total,
            progress.units.to_string(),
        )
    }

    #[test]
    fn prog_2_neither_units_nor_children_is_0_of_1_and_1_of_1_once_done() {
        assert_eq!(
            shown(own(0, None, ""), &Sums::default(), false),
            (0, 1, "".into())
        );
        assert_eq!(
            shown(own(0, None, ""), &Sums::default(), true),
            (1, 1, "".into())
        );
    }

    #[test]
    fn prog_2_a_silent_parent_shows_the_sum_over_its_children() {
        let children = sums(&[(3, 10, "ranges"), (4, 20, "ranges")]);
        assert_eq!(
            shown(own(0, None, ""), &children, false),
            (7, 30, "ranges".into())
        );
    }

    #[test]
    fn prog_2_a_total_of_its_own_stands_in_for_the_sum_of_theirs() {
        let children = sums(&[(3, 10, "ranges"), (4, 20, "ranges")]);
        assert_eq!(
            shown(own(0, Some(100), "ranges"), &children, false),
            (7, 100, "ranges".into())
        );
        assert_eq!(
            shown(own(9, Some(100), "ranges"), &children, false),
            (9, 100, "ranges".into())
        );
    }

    #[test]
    fn prog_2_where_units_differ_children_are_counted() {
        let children = sums(&[(10, 10, "ranges"), (4, 20, "pages"), (0, 5, "pages")]);
        assert_eq!(
            shown(own(0, None, ""), &children, false),
            (1, 3, "children".into())
        );
    }

    #[test]
    fn prog_2_progress_of_its_own_comes_first() {
        let children = sums(&[(3, 10, "pages")]);
        assert_eq!(
            shown(own(2, Some(8), "ranges"), &children, false),
            (2, 8, "ranges".into())
        );
    }

    #[test]
    fn prog_3_a_parent_that_begins_to_count_never_goes_back() {
        let same = sums(&[(3, 10, "ranges"), (4, 20, "ranges")]);
        assert_eq!(
            shown(own(2, None, ""), &same, false),
            (7, 30, "ranges".into())
        );
        assert_eq!(
            shown(own(9, None, ""), &same, false),
            (9, 30, "ranges".into())
        );
        let mixed = sums(&[(10, 10, "ranges"), (4, 20, "pages")]);
        assert_eq!(
            shown(own(9, None, ""), &mixed, false),
            (1, 2, "children".into())
        );
    }

    #[test]
    fn prog_3_completed_is_never_above_total() {
        assert_eq!(
            shown(own(12, Some(10), "rows"), &Sums::default(), false),
            (12, 12, "rows".into())
        );
        assert_eq!(
            shown(own(12, None, "rows"), &Sums::default(), false),
            (12, 12, "rows".into())
        );
    }

    #[test]
    fn prog_1_amounts_are_capped() {
        let cell = AtomicU64::new(0);
        advance_alone(&cell, u64::MAX);
        advance_alone(&cell, u64::MAX);
        assert_eq!(cell.load(Ordering::Relaxed), CAP);
        advance_shared(&cell, u64::MAX);
        assert_eq!(cell.load(Ordering::Relaxed), CAP);
    }

    #[test]
    fn prog_1_set_completed_never_lowers() {
        let cell = AtomicU64::new(5);
        raise(&cell, 3);
        assert_eq!(cell.load(Ordering::Relaxed), 5);
    }
    #[test]
    fn prog_2_sums_that_are_put_together_are_those_of_all_their_children() {
        let (rows, files) = (Name::from("rows"), Name::from("files"));
        let amounts = |units, total| Amounts {
            completed: 2,
            total,
            units,
        };
        let lists = [
            vec![],
            vec![(amounts(&rows, None), true)],
            vec![(amounts(&rows, Some(3)), false)],
            vec![(amounts(&files, Some(3)), true)],
            vec![
                (amounts(&rows, Some(3)), true),
                (amounts(&rows, None), true),
            ],
            vec![(amounts(&rows, None), true), (amounts(&files, None), false)],
        ];
        let sums = |list: &[(Amounts<'_>, bool)]| {
            let mut sums = Sums::default();
            list.iter()
                .for_each(|(amounts, done)| sums.add(*amounts, *done));
            sums
        };
        for ours in &lists {
            for theirs in &lists {
                let mut merged = sums(ours);
                merged.merge(&sums(theirs));
                let all = sums(&[&ours[..], &theirs[..]].concat());
                assert_eq!(
                    format!("{merged:?}"),
                    format!("{all:?}"),
                    "{ours:?}, {theirs:?}"
                );
            }
        }
    }
}
