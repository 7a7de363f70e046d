//! Names that are kept for as long as the process lives, so that whoever works or looks reads them
//! without a lock or a count, however late: nothing takes them back. So they are bounded for the
//! whole process, and once there are many, only names that come again are kept. A set that is not
//! kept is its task's own, and goes with it.

use std::collections::HashSet;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::NONE;
use crate::sync::Lock;
use crate::view::Name;

/// So many sets are kept at once, whether they come again or not: most hosts have fewer.
const AT_ONCE: usize = 4096;
/// And so many at most.
const MOST: usize = 1 << 16;
/// Beyond these there is room for some that a task cannot have for itself alone.
const MORE: usize = 1 << 13;
/// The bytes of their texts.
const MOST_BYTES: usize = 16 << 20;
/// The addresses of managers.
const MOST_NODES: usize = 64;
/// Of so many sets that were not kept it is remembered that they were asked for.
const ASKED: usize = 1024;

/// The texts of a set: the module's name, type, scope, keyspace, table and units.
pub(super) type Texts<'a> = [&'a str; 6];

/// Whether a set has to come again before it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    IfItComesAgain,
    /// Its task cannot have it for itself alone.
    AtOnce,
}

#[derive(Debug, Default)]
pub(crate) struct Kept(Lock<Store>);

#[derive(Debug, Default)]
struct Store {
    texts: HashSet<&'static str>,
    bytes: usize,
    sets: usize,
    nodes: usize,
    titles: u32,
    /// The hashes of sets that were asked for lately and not kept, by their last digits.
    asked: Vec<u64>,
}

impl Kept {
    /// The texts of a set that is to be kept, if there is room and it has come before.
    pub(super) fn keep(&self, texts: &Texts<'_>, keep: Keep) -> Option<Texts<'static>> {
        let mut store = self.0.lock();
        let has_room = match keep {
            Keep::IfItComesAgain => store.sets < MOST && store.comes_again(texts),
            Keep::AtOnce => store.sets < MOST + MORE,
        };
        if !has_room {
            return None;
        }
        let mut kept = [""; 6];
        for (kept, text) in kept.iter_mut().zip(texts) {
            *kept = store.text(text)?;
        }
        store.sets += 1;
        Some(kept)
    }

    /// The number of a module's name in its place. There are no more of them than sets.
    pub(super) fn new_title(&self) -> u32 {
        let mut store = self.0.lock();
        store.titles += 1;
        debug_assert_ne!(store.titles, NONE);
        store.titles
    }

    /// The address of a manager: shown with every child, so it is not counted where a process has
    /// few of them.
    pub(crate) fn node(&self, text: &str) -> Name {
        let mut store = self.0.lock();
        if let Some(known) = store.texts.get(text) {
            return Name::from_static(known);
        }
        if store.nodes >= MOST_NODES {
            return Name::from(text);
        }
        store.nodes += 1;
        store
            .text(text)
            .map_or_else(|| text.into(), Name::from_static)
    }
}

impl Store {
    fn comes_again(&mut self, texts: &Texts<'_>) -> bool {
        if self.sets < AT_ONCE {
            return true;
        }
        let hash = FixedState::default().hash_one(texts);
        self.asked.resize(ASKED, 0);
        std::mem::replace(&mut self.asked[hash as usize % ASKED], hash) == hash
    }

    /// The same text, for good.
    fn text(&mut self, text: &str) -> Option<&'static str> {
        if text.is_empty() {
            return Some("");
        }
        if let Some(known) = self.texts.get(text) {
            return Some(known);
        }
        if self.bytes + text.len() > MOST_BYTES {
            return None;
        }
        let kept: &'static str = Box::leak(text.into());
        self.bytes += kept.len();
        self.texts.insert(kept);
        Some(kept)
    }
}
