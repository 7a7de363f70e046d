//! The one place of the core with `unsafe` code, but for promises about blocks beside these: what
//! neither `std` nor a crate that the core already has offers safely.
#![allow(unsafe_code)]

mod fork;
#[cfg(all(unix, not(all(test, any(loom, shuttle)))))]
mod joining;
mod memory;
mod reference;
#[cfg(not(all(test, any(loom, shuttle))))]
mod short;

pub(crate) use fork::{depth as fork_depth, watch as watch_forks};
#[cfg(all(unix, not(all(test, any(loom, shuttle)))))]
pub(super) use joining::{Joinable, begin};
pub(crate) use memory::{AllAtomic, Run, Vacant, erase};
pub(crate) use reference::{AtomicRef, Made, no_refs};
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) use short::Short;
