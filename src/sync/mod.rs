//! The only home of `crossbeam` and `loom`: the rest of the core names its primitives through this module, so that the loom models run the code that ships.
//!
//! The models are tests of the core's own: what a dependant builds is what ships, whatever
//! `cfg` it has set.

mod deadline;
#[cfg(all(test, loom))]
mod modelled;
#[cfg(all(test, loom))]
mod park;
mod raw;
#[cfg(not(all(test, loom)))]
mod shipped;
mod sleepers;
mod threads;
#[cfg(all(test, loom))]
mod word;

pub(crate) use deadline::Deadline;
#[cfg(all(test, loom))]
pub(crate) use modelled::*;
#[cfg(all(test, loom))]
pub(crate) use park::unpark_me;
pub(crate) use raw::{AtomicRef, Made, fork_depth, watch_forks};
#[cfg(not(all(test, loom)))]
pub(crate) use shipped::*;
pub(crate) use sleepers::Sleepers;
pub(crate) use threads::{Running, discard_panic, start as start_thread};

/// The thread that asks, as far as the scheduler in use can tell threads apart.
pub(crate) fn thread_id() -> ThreadId {
    thread::current().id()
}
