//! The sets of names that a thread has used: siblings find theirs without a lock.

use std::cell::Cell;
use std::hash::BuildHasher;

use crate::names::{Given, Group, NameSet};

/// How many a thread remembers.
const SETS: usize = 64;

struct Recent {
    last: Cell<Option<&'static NameSet>>,
    /// By their hash; one pushes another out.
    sets: [Cell<Option<&'static NameSet>>; SETS],
}

impl Recent {
    const fn new() -> Self {
        Self {
            last: Cell::new(None),
            sets: [const { Cell::new(None) }; SETS],
        }
    }

    fn place(&self, group: &'static Group, given: &Given<'_>) -> &Cell<Option<&'static NameSet>> {
        let hash =
            foldhash::fast::FixedState::default().hash_one((std::ptr::from_ref(group), given));
        &self.sets[hash as usize % SETS]
    }
}

crate::sync::per_thread! {
    static RECENT: Recent = const { Recent::new() };
}

/// The set for these names, if this thread has used it lately.
#[inline(always)]
pub(super) fn find(group: &'static Group, given: &Given<'_>) -> Option<&'static NameSet> {
    match RECENT.with(|recent| recent.last.get()) {
        Some(set) if set.is(group, given) => Some(set),
        _ => find_further(group, given),
    }
}

#[inline(never)]
fn find_further(group: &'static Group, given: &Given<'_>) -> Option<&'static NameSet> {
    RECENT.with(|recent| {
        let set = recent.place(group, given).get()?;
        set.is(group, given).then(|| {
            recent.last.set(Some(set));
            set
        })
    })
}

pub(super) fn remember(set: &'static NameSet) {
    RECENT.with(|recent| {
        recent.last.set(Some(set));
        recent.place(set.group, &set.given()).set(Some(set));
    });
}
