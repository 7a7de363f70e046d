//! The sets of names that a thread has used: siblings find theirs without a lock.

use std::cell::Cell;
use std::hash::BuildHasher;

use crate::names::{Given, NameSet};

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

    fn place(&self, title: u32, given: &Given<'_>) -> &Cell<Option<&'static NameSet>> {
        let hash = foldhash::fast::FixedState::default().hash_one((title, given));
        &self.sets[hash as usize % SETS]
    }
}

crate::sync::per_thread! {
    static RECENT: Recent = const { Recent::new() };
}

/// The set for these names in a module of this title, if this thread has used it lately.
#[inline(always)]
pub(super) fn find(title: u32, given: &Given<'_>) -> Option<&'static NameSet> {
    match RECENT.with(|recent| recent.last.get()) {
        Some(set) if set.is(title, given) => Some(set),
        _ => find_further(title, given),
    }
}

#[inline(never)]
fn find_further(title: u32, given: &Given<'_>) -> Option<&'static NameSet> {
    RECENT.with(|recent| {
        let set = recent.place(title, given).get()?;
        set.is(title, given).then(|| {
            recent.last.set(Some(set));
            set
        })
    })
}

pub(super) fn remember(set: &'static NameSet) {
    RECENT.with(|recent| {
        recent.last.set(Some(set));
        recent.place(set.title, &set.given()).set(Some(set));
    });
}
