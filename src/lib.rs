//! Tracks the long-running background operations of a database.
//!
//! A host registers *modules* with its [`Manager`] and tracks each operation as a tree of
//! *tasks*: what runs, how far it is, what it waits for, how to stop it, why it failed.
//! Finished children fold into their parents; finished roots stay for a time to live.
//!
//! Everything is synchronous and made for plain threads: counting is a load and a store,
//! looking for an abort two loads, and no question that anybody asks holds a worker up.
//!
//! ```
//! use taskmgr::{Filter, Manager};
//!
//! let manager = Manager::builder().build()?;
//! let repair = manager.register_module("repair")?;
//!
//! let job = repair.task("repair").scope("global").abortable().start()?;
//! for keyspace in ["orders", "users"] {
//!     job.child("repair").scope("keyspace").keyspace(keyspace).total(4, "ranges").run(|task| {
//!         for _range in 0..4 {
//!             task.check_abort()?;
//!             task.advance(1);
//!         }
//!         Ok(())
//!     })?;
//! }
//! assert_eq!(job.status()?.progress.completed, 8);
//! job.finish()?;
//! # Ok::<(), taskmgr::Error>(())
//! ```

// A model has one, or none, of what there are many of as it ships.
#![cfg_attr(
    all(test, any(loom, shuttle)),
    allow(clippy::modulo_one, clippy::absurd_extreme_comparisons)
)]

mod arena;
mod bulk;
mod clock;
mod engine;
mod error;
mod eviction;
mod handle;
mod id;
mod index;
mod manager;
#[cfg(all(test, loom))]
mod models;
mod module;
mod names;
mod node;
mod provider;
mod reaper;
mod retention;
#[cfg(all(test, shuttle, not(loom)))]
#[allow(
    unreachable_pub,
    reason = "what a file there shows the others is plainly public"
)]
#[path = "../tests/schedules/mod.rs"]
mod schedules;
/// The reference model names the crate as the integration tests do.
#[cfg(all(test, shuttle, not(loom)))]
extern crate self as taskmgr;
mod snapshot;
mod sync;
mod tree;
mod view;

pub use clock::{Clock, ManualClock};
pub use engine::RawTask;
pub use error::{BoxError, Error, ErrorCode, GoneReason, Result};
pub use handle::{
    AbortGuard, AsTask, DoneGuard, Observer, Reporter, Search, SharedTask, Spawned, Task,
    TaskBuilder, TaskContext,
};
pub use manager::{Manager, ManagerBuilder};
pub use module::Module;
pub use node::callback::nonblocking;
pub use provider::{Completion, Provider};
pub use uuid::Uuid;
pub use view::{
    AbortInfo, ChildCounts, ChildId, CloseReport, Filter, Kind, Listing, Missing, Name, Progress,
    ProviderId, State, Stats, Status, Tree,
};

/// The README's code is tested with the rest.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
