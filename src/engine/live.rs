//! How many tasks of a manager live, where its host has set a bound: those that were born and have
//! not settled.
//!
//! 1. A task is born, and is counted, under the lock of the count, and so it settles, and is counted
//!    no more. So whoever sees that a task has settled, and asks for another, finds its place free,
//!    and never do more live than may.
//! 2. Room is looked for when nothing else can refuse the birth any more. So no place is taken that
//!    would have to be given back, and nobody is refused for one who is refused himself.
//! 3. Such a task has `PARTS` from its birth on, by which its end takes the long way. That alone
//!    counts: where there is no bound, nothing that most tasks go through looks for one.
//! 4. The lock is the last: it is taken under that of a family or of a module's roots, and nothing is
//!    done under it but a change of the task's word. A shell goes to another manager once no task of
//!    it lives, so that the count is 0 by then, or is as soon as the lock is had.

use super::Engine;
use crate::error::{Error, ErrorCode};
use crate::node::word::PARTS;
use crate::sync::ShortLock;

#[derive(Debug, Default)]
pub(super) struct Live(ShortLock<u64>);

/// As many live as may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Full(u64);

impl Full {
    #[cold]
    pub(super) fn refuses(self, type_: &str) -> Error {
        let Self(most) = self;
        Error::new(
            ErrorCode::Exhausted,
            format!(
                "the task {type_:?} is one too many: {most} have not settled, and max_live_tasks \
                 allows no more; wait for some, or build the manager with more"
            ),
        )
    }
}

impl Engine {
    /// A task is born, with these further flags, unless as many live as may. The caller has the lock
    /// under which it is made known, and nothing else speaks against it.
    pub(super) fn bear(&self, born: impl FnOnce(u64)) -> Result<(), Full> {
        let Some(most) = self.max_live_tasks() else {
            born(0);
            return Ok(());
        };
        let mut live = self.live.0.lock();
        if *live >= most {
            return Err(Full(most));
        }
        *live += 1;
        born(PARTS);
        Ok(())
    }

    /// A task settles by this change of its word, if that succeeds.
    pub(super) fn settle_counted<T, E>(
        &self,
        settle: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        if self.max_live_tasks().is_none() {
            return settle();
        }
        let mut live = self.live.0.lock();
        let settled = settle()?;
        *live -= 1;
        Ok(settled)
    }
}
