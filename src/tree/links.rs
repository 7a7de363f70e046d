//! Which siblings a live child has beside it, and where a root is on the list of its module.
//!
//! Apart from the slots, close together: who ends among many siblings then writes next to what
//! others have just written, and not into two tasks that nobody else would look at.

use crate::arena::{NONE, Pooled, Realm};
use crate::sync::{AllAtomic, AtomicU32, Ordering};

/// The numbers of the siblings born before and after; guarded by the family's lock. A root has
/// none, and its place on the list of roots in `next`; guarded by the list's lock.
#[derive(Debug)]
pub(crate) struct Links {
    next: AtomicU32,
    previous: AtomicU32,
}

impl Pooled for Links {
    fn new(_: u32) -> Self {
        Self {
            next: AtomicU32::new(NONE),
            previous: AtomicU32::new(NONE),
        }
    }
}

// SAFETY: both are atomics.
#[allow(unsafe_code)]
unsafe impl AllAtomic for Links {
    #[cfg(all(test, any(loom, shuttle)))]
    fn blank(&self) {
        self.next.store(0, Ordering::Relaxed);
        self.previous.store(0, Ordering::Relaxed);
    }
}

/// The live children of one parent, in order of their birth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Siblings {
    pub(super) first: u32,
    last: u32,
}

impl Siblings {
    pub(super) const NONE: Self = Self {
        first: NONE,
        last: NONE,
    };

    /// Adds the youngest.
    #[inline(always)]
    pub(super) fn push(&mut self, child: u32, realm: &'static Realm) {
        let links = realm.links.beside(child);
        links.next.store(NONE, Ordering::Relaxed);
        links.previous.store(self.last, Ordering::Relaxed);
        match self.last {
            NONE => self.first = child,
            last => links_of(last, realm).next.store(child, Ordering::Relaxed),
        }
        self.last = child;
    }

    /// Takes one out; the one after it.
    #[inline(always)]
    pub(super) fn remove(&mut self, child: u32, realm: &'static Realm) -> u32 {
        let links = links_of(child, realm);
        let next = links.next.load(Ordering::Relaxed);
        let previous = links.previous.load(Ordering::Relaxed);
        match previous {
            NONE => self.first = next,
            previous => links_of(previous, realm)
                .next
                .store(next, Ordering::Relaxed),
        }
        match next {
            NONE => self.last = previous,
            next => links_of(next, realm)
                .previous
                .store(previous, Ordering::Relaxed),
        }
        next
    }

    /// The one after a live child.
    pub(super) fn after(child: u32, realm: &'static Realm) -> u32 {
        links_of(child, realm).next.load(Ordering::Relaxed)
    }
}

/// Where a registered root is on the list of its module.
pub(super) fn place(root: u32, realm: &'static Realm) -> u32 {
    links_of(root, realm).next.load(Ordering::Relaxed)
}

pub(super) fn set_place(root: u32, place: u32, realm: &'static Realm) {
    let links = realm.links.beside(root);
    links.next.store(place, Ordering::Relaxed);
}

#[inline(always)]
fn links_of(child: u32, realm: &'static Realm) -> &'static Links {
    realm.links.get(child)
}
