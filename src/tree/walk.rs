//! Going from a task to its children without holding anybody up.

use std::collections::HashSet;

use crate::arena::{Held, Realm};
use crate::bulk::{Bulk, TREE};
use crate::error::Result;
use crate::node::progress::{Own, Shown, Sums};
use crate::node::slot::Slot;
use crate::node::word::KIDS;
use crate::tree::kids::Child;
use crate::tree::tour::Tour;

/// A parent whose children are being added up.
struct Frame {
    held: Held,
    tour: Option<Tour>,
    sums: Sums,
    /// Children that have children of their own.
    parents: Vec<Held>,
    more: bool,
}

impl Frame {
    fn new(held: Held, realm: &'static Realm) -> Self {
        let (sums, tour) = match held.slot().kids(realm).map(Tour::start) {
            Some((sums, tour)) => (sums, Some(tour)),
            None => (Sums::default(), None),
        };
        Self {
            held,
            more: tour.is_some(),
            tour,
            sums,
            parents: Vec::new(),
        }
    }

    /// Adds the next children up, or puts them aside to be gone into.
    fn read_on(&mut self, realm: &'static Realm, mut each: impl FnMut(&'static Slot)) {
        let (sums, parents) = (&mut self.sums, &mut self.parents);
        self.more = self.tour.as_mut().is_some_and(|tour| {
            tour.go_on(realm, |child| {
                each(child);
                if child.word.load().has(KIDS) {
                    parents.push(Held::retain(child));
                } else {
                    let (shown, done) = leaf(child, realm);
                    sums.add(shown.amounts(), done);
                }
            })
        });
    }

    /// What the task shows, and whether it has succeeded.
    fn shown(mut self, realm: &'static Realm) -> (Shown, bool) {
        if let Some(tour) = self.tour {
            self.sums.merge(&tour.stop());
        }
        let slot = self.held.slot();
        let reading = slot.word.load();
        let own = Own::read(slot, realm, reading, slot.names(realm).units.clone());
        let done = reading.is_done();
        (Shown::of(own, &self.sums, done), done)
    }
}

/// What a task without children shows, and whether it has succeeded.
fn leaf(slot: &'static Slot, realm: &'static Realm) -> (Shown, bool) {
    let reading = slot.word.load();
    let own = Own::read(slot, realm, reading, slot.names(realm).units.clone());
    let done = reading.is_done();
    (Shown::of_leaf(own, done), done)
}

/// What a task shows of its progress, its descendants' included. Each of its own live children
/// that is visited for it is named, under the family's lock. No lock is held for more
/// than a bounded number of tasks, and no stack grows with the depth of the tree.
pub(crate) fn shown(
    task: &Held,
    realm: &'static Realm,
    mut each: impl FnMut(&'static Slot),
) -> Shown {
    let mut frames = vec![Frame::new(task.clone(), realm)];
    loop {
        let is_first = frames.len() == 1;
        let frame = frames
            .last_mut()
            .expect("the loop ends with the first frame");
        if let Some(parent) = frame.parents.pop() {
            frames.push(Frame::new(parent, realm));
        } else if frame.more {
            frame.read_on(realm, |child| {
                if is_first {
                    each(child);
                }
            });
        } else if let Some(frame) = frames.pop() {
            let (shown, done) = frame.shown(realm);
            match frames.last_mut() {
                Some(parent) => parent.sums.add(shown.amounts(), done),
                None => return shown,
            }
        }
    }
}

/// What a walk finds below a task.
#[derive(Default)]
pub(crate) struct Below {
    /// The children, live and kept, each once, in order of creation.
    pub(crate) children: Vec<Child>,
    /// The sums over those that are not among them as live.
    pub(crate) folded: Sums,
}

/// The children of a task, and the sums over those that have folded.
pub(crate) fn below(slot: &'static Slot, realm: &'static Realm) -> Result<Below> {
    let Some(kids) = slot.kids(realm) else {
        return Ok(Below::default());
    };
    let (mut folded, mut tour) = Tour::start(kids);
    let mut children = Bulk::new();
    let mut keep = |child| children.push_with(|| Child::Live(Held::retain(child)));
    while tour.go_on(realm, &mut keep) {}
    folded.merge(&tour.stop());
    // Whoever folds between the two looks is found twice; nobody is missed.
    let mut children = children.in_full(&TREE)?;
    let mut kept = Bulk::new();
    kids.copy_kept(&mut kept);
    let mut kept = kept.in_full(&TREE)?;
    let entries = children.len() + kept.len();
    let mut seen: HashSet<u64> = HashSet::new();
    TREE.check(seen.try_reserve(entries), entries)?;
    TREE.check(children.try_reserve(kept.len()), entries)?;
    seen.extend(children.iter().map(Child::order));
    kept.retain(|record| seen.insert(record.order));
    children.extend(kept.into_iter().map(Child::Kept));
    children.sort_unstable_by_key(Child::order);
    Ok(Below { children, folded })
}
