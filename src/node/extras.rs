//! What most tasks never need: a block that is hung on a slot when it is first asked for.

use std::sync::Arc;

use uuid::Uuid;

use crate::arena::{Emptied, Numbered, Pooled};
use crate::clock::{NEVER, Tick};
use crate::error::Result;
use crate::names::NameSet;
use crate::node::callback::Callback;
use crate::node::progress::{CAP, Cell, Last};
use crate::node::slot::Slot;
use crate::node::text::Text;
use crate::sync::{AtomicU64, Guard, Lock, Ordering};
use crate::view::{Name, Status};

/// A completion callback; the number tells it from others of the same task.
pub(crate) type DoneCallback = Arc<Callback<Result<Status>>>;

/// Where an abort callback waits in the list of its tree, and which of all it is. It tells the tree
/// by itself, as it may outlive that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AbortTicket {
    pub(crate) tree: u32,
    pub(crate) at: u32,
    pub(crate) stamp: u64,
}

/// The block.
#[derive(Debug)]
pub(crate) struct Extras {
    number: u32,
    /// The halves of the id that the host brought, if the slot's attributes say that it did.
    /// Outside the lock, as an id is told in a forked child, too, where the lock may be held for
    /// ever; written before anybody else knows the task.
    host_id: (AtomicU64, AtomicU64),
    lock: Lock<Parts>,
}

/// Guarded by the block's lock, which is held for moments, and under no other lock but a family's,
/// the hooks' or the modules'; no other lock is taken under it.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) entity: Name,
    pub(crate) parent_id: Option<Uuid>,
    pub(crate) names: Option<Arc<NameSet>>,
    pub(crate) error: Option<Text>,
    /// The first abort of this very task, or, once it has ended, the one that reached it.
    pub(crate) abort: Option<AbortMark>,
    /// How often it had looked for an abort when it ended: what a status shows from then on.
    pub(crate) looks: Looks,
    /// A cell for each live reporter, and what those counted that are gone.
    pub(crate) cells: Vec<&'static Cell>,
    pub(crate) retired: u64,
    /// The sum over all cells, and the total, fixed by the end of the task.
    pub(crate) frozen: Option<Last>,
    pub(crate) done: Vec<(u64, DoneCallback)>,
    pub(crate) aborts: Vec<AbortTicket>,
    /// One for each callback of this task: 64 bits outlast it.
    pub(crate) next_callback: u64,
}

impl Parts {
    /// What everybody has counted, added up, and the total.
    pub(crate) fn last(&self, slot: &'static Slot) -> Last {
        let Last { completed, total } = Last::read(slot);
        let cells = self.cells.iter();
        let completed = cells
            .map(|cell| cell.counted.load(Ordering::Relaxed))
            .fold(completed.saturating_add(self.retired), u64::saturating_add)
            .min(CAP);
        Last { completed, total }
    }
}

/// How often an abort was looked at, and when last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looks {
    pub(crate) polls: u32,
    pub(crate) last_poll: Tick,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            polls: 0,
            last_poll: NEVER,
        }
    }
}

impl Looks {
    /// So far, by handles that may go on.
    pub(crate) fn read(slot: &'static Slot) -> Self {
        Self {
            polls: slot.polls.load(Ordering::Relaxed),
            last_poll: slot.last_poll.load(Ordering::Relaxed),
        }
    }
}

/// An abort that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct AbortMark {
    /// That it was aborted, and why.
    pub(crate) text: Text,
    pub(crate) at: Tick,
}

impl Extras {
    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, Parts> {
        self.lock.lock()
    }

    /// The id that the host brought, for a task that has one. Acquire and Release: whoever comes
    /// too late, and reads another tenant's, sees at its second look at the word that its own has
    /// gone.
    #[inline]
    pub(crate) fn host_id(&self) -> Uuid {
        let (high, low) = &self.host_id;
        Uuid::from_u64_pair(high.load(Ordering::Acquire), low.load(Ordering::Acquire))
    }

    pub(crate) fn set_host_id(&self, id: Uuid) {
        let (high, low) = id.as_u64_pair();
        self.host_id.0.store(high, Ordering::Release);
        self.host_id.1.store(low, Ordering::Release);
    }

    pub(crate) fn clear(&self) {
        // What the host's data does when it is dropped must not happen under the lock.
        let parts = std::mem::take(&mut *self.lock.lock());
        drop(parts);
    }
}

impl Pooled for Extras {
    fn new(number: u32) -> Self {
        Self {
            number,
            host_id: (AtomicU64::new(0), AtomicU64::new(0)),
            lock: Lock::default(),
        }
    }
}

impl Numbered for Extras {
    fn number(&self) -> u32 {
        self.number
    }
}

impl Emptied for Extras {}
