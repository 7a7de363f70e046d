//! The public face of a task: its owner, further reporters, observers.

mod builder;
mod context;
mod guard;
mod observer;
mod ours;
mod owner;
mod reporter;
mod search;
mod shared;
mod virtual_task;

pub use builder::TaskBuilder;
pub use context::{AsTask, TaskContext};
pub use guard::{AbortGuard, DoneGuard};
pub use observer::Observer;
pub use owner::{Spawned, Task};
pub use reporter::Reporter;
pub use search::Search;
pub use shared::SharedTask;

pub(crate) use context::sealed::Parent as AsParent;

/// The counting calls of a handle: `$how` adds to its cell.
macro_rules! counting {
    ($handle:literal, $how:path) => {
        /// Counts `n` more units. Wait-free; amounts are capped at 2^53. What is counted
        /// after the task has ended is dropped.
        ///
        /// ```
        #[doc = $handle]
        /// task.advance(3);
        /// assert_eq!(task.status()?.progress.completed, 3);
        /// # Ok::<(), taskmgr::Error>(())
        /// ```
        #[inline]
        pub fn advance(&self, n: u64) {
            $how(self.cell(), n);
        }

        /// The same for an amount that is not known to be sane.
        ///
        /// # Errors
        /// [`InvalidArgument`](crate::ErrorCode::InvalidArgument) if `n` is above 2^53;
        /// nothing is counted then.
        ///
        /// ```
        #[doc = $handle]
        /// assert!(task.try_advance(u64::MAX).is_err());
        /// assert!(task.try_advance(1).is_ok());
        /// # Ok::<(), taskmgr::Error>(())
        /// ```
        pub fn try_advance(&self, n: u64) -> crate::Result<()> {
            if n > crate::node::progress::CAP {
                return Err(crate::Error::invalid(format!(
                    "{n} units at once are above the cap of 2^53"
                )));
            }
            self.advance(n);
            Ok(())
        }

        /// Sets what this handle has counted so far; it never lowers it, and other
        /// handles of the task are not touched.
        ///
        /// ```
        #[doc = $handle]
        /// task.set_completed(7);
        /// task.set_completed(5);
        /// assert_eq!(task.status()?.progress.completed, 7);
        /// # Ok::<(), taskmgr::Error>(())
        /// ```
        pub fn set_completed(&self, n: u64) {
            crate::node::progress::raise(self.cell(), n);
        }
    };
}
pub(crate) use counting;
