//! The only home of `crossbeam`, `loom` and `shuttle`: the rest of the core names its primitives through this module, so that models and random schedules run the code that ships.
//!
//! Both are tests of the core's own: what a dependant builds is what ships, whatever
//! `cfg` it has set.

mod deadline;
#[cfg(any(not(unix), all(test, any(loom, shuttle))))]
mod joinable;
#[cfg(all(test, loom))]
mod modelled;
#[cfg(all(test, loom))]
mod park;
mod raw;
mod roster;
#[cfg(all(test, shuttle, not(loom)))]
mod scheduled;
#[cfg(not(all(test, any(loom, shuttle))))]
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
pub(crate) use raw::{
    AllAtomic, AtomicRef, Made, Run, Vacant, erase, fork_depth, no_refs, watch_forks,
};
pub(crate) use roster::{ALL, Member, Roster};
#[cfg(all(test, shuttle, not(loom)))]
pub(crate) use scheduled::*;
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) use shipped::*;
pub(crate) use sleepers::Sleepers;
pub(crate) use threads::{Running, discard_panic};

/// The thread that asks, as far as the scheduler in use can tell threads apart.
pub(crate) fn thread_id() -> ThreadId {
    #[cfg(not(all(test, loom)))]
    return current().id();
    // What a model has behind its handle is told by this.
    #[cfg(all(test, loom))]
    return thread::current().id();
}
