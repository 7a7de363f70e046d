//! Who looks at a block without a reference to its task, and how memory waits for them.
//!
//! Slots are all atomics, and whoever comes too late reads zeroes there. A block with locks and
//! lists in it is no such thing:
//! 1. It is looked at with a reference to its task, or to one below that has not settled, which keeps
//!    it from being free; or in a [`Section`], in which it is looked for by its number. Cells have
//!    their reporter, and are looked at by others under the lock of their task's extras.
//! 2. A run of which every block is free is unlinked first, so that no number leads there any
//!    more. Whoever found a block of it before is in a section. Once each counter of sections has
//!    been zero since, they have left, and the memory goes back.
//! 3. Who enters a section adds to a counter and then looks for a block; who unlinks reads the
//!    counter afterwards, with an operation of the same kind. So either the one sees that the block
//!    is gone, or the other that somebody is there.

use std::cell::Cell;
use std::mem;

use super::Realm;
use super::pool::{Blocks, Numbered, Pool, size};
use crate::node::extras::Extras;
use crate::sync::{AtomicU32, CachePadded, Ordering, sized};

/// A block that is looked at by the rule above.
pub(crate) trait Emptied: Numbered {}

/// So many counters, so that threads that list do not write the same line.
const COUNTERS: usize = sized(8, 1);

/// All of them.
const ALL: u32 = (1 << COUNTERS) - 1;

/// Counters of those who look at blocks without a reference.
#[derive(Debug)]
pub(crate) struct Sections([CachePadded<AtomicU32>; COUNTERS]);

/// As long as it lives no memory goes of blocks that are found now.
#[derive(Debug)]
#[must_use = "it ends as it is dropped"]
pub(crate) struct Section<'a>(&'a AtomicU32);

crate::sync::per_thread! {
    static TURN: Cell<usize> = const { Cell::new(COUNTERS) };
}

// Not a model's: any counter will do.
static TURNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// The counter of this thread; of one that is ending, any.
fn turn() -> usize {
    let turn = TURN.try_with(|turn| {
        if turn.get() == COUNTERS {
            let next = TURNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            turn.set(next % COUNTERS);
        }
        turn.get()
    });
    turn.unwrap_or(0)
}

impl Sections {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| CachePadded::new(AtomicU32::new(0))))
    }

    pub(crate) fn enter(&self) -> Section<'_> {
        let counter = &self.0[turn()];
        counter.fetch_add(1, Ordering::AcqRel);
        Section(counter)
    }

    /// The counters that are zero.
    fn empty(&self) -> u32 {
        let counters = self.0.iter().enumerate();
        counters.fold(0, |empty, (at, counter)| {
            let is_empty = counter.fetch_add(0, Ordering::AcqRel) == 0;
            empty | u32::from(is_empty) << at
        })
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

impl<T: Emptied> Pool<T> {
    /// Gives the memory of each run back of which nothing is used, and nothing was at the last look;
    /// or `at_once`, whatever was. Whether there are runs left that may go at another look.
    pub(crate) fn give_back_emptied(&'static self, at_once: bool, sections: &Sections) -> bool {
        let mut is_left = false;
        for run in 1.. {
            let mut stock = self.stock.lock();
            if run >= stock.runs.len() {
                break;
            }
            let numbers = size::numbers(run);
            if matches!(stock.runs[run], Blocks::There(_)) {
                let is_free = stock.free.has_all(numbers.clone());
                if !stock.reclaim.may_go(run, is_free, at_once) {
                    is_left = true;
                    continue;
                }
                stock.free.remove_all(numbers.clone());
                self.unlink(numbers.start, numbers.len());
                if let Blocks::There(blocks) = mem::take(&mut stock.runs[run]) {
                    stock.runs[run] = Blocks::Waits(blocks, 0);
                }
                stock.reclaim.has_gone(run, 0);
            }
            let Blocks::Waits(_, empty) = &mut stock.runs[run] else {
                continue;
            };
            *empty |= sections.empty();
            if *empty != ALL {
                is_left = true;
                continue;
            }
            let Blocks::Waits(blocks, _) = mem::take(&mut stock.runs[run]) else {
                unreachable!("looked at above, under the same lock");
            };
            stock.reclaim.comes_back(run);
            drop(stock);
            let vacant = vacate(blocks);
            let mut stock = self.stock.lock();
            stock.runs[run] = Blocks::Gone(vacant);
            stock.reclaim.has_gone(run, 0);
        }
        is_left
    }
}

impl Realm {
    /// Few tasks have any.
    #[cold]
    #[inline(never)]
    pub(crate) fn look_at_extras<R>(
        &'static self,
        number: u32,
        look: impl FnOnce(&Extras) -> R,
    ) -> Option<R> {
        let _section = self.sections.enter();
        self.extras.find(number).map(look)
    }
}

#[allow(unsafe_code)]
fn vacate<T: Emptied>(blocks: crate::sync::Run<T>) -> crate::sync::Vacant<T> {
    // SAFETY: all of them were free, so nobody has a reference to a task of theirs; they were
    // unlinked, so nobody has found one since; and whoever found one before has left its section.
    unsafe { blocks.vacate() }
}
