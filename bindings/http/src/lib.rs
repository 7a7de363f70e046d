//! The REST API of [`taskmgr`]: the wire format of ScyllaDB's task manager, over one thread.
//!
//! ```
//! use std::time::Duration;
//! use taskmgr_http::{ServerConfig, serve};
//!
//! let manager = taskmgr::Manager::builder().task_ttl(Duration::from_secs(60)).build()?;
//! let repair = manager.register_module("repair")?;
//! let server = serve(manager, ServerConfig::new().address("127.0.0.1:0".parse()?))?;
//!
//! let task = repair.task("repair").keyspace("ks").start()?;
//! println!("http://{}/task_manager/list_module_tasks/repair", server.local_addr());
//! task.finish()?;
//! server.stop(Duration::from_secs(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layers
//!
//! - The [wire types](TaskStatus) are what goes over the wire, for servers and clients alike. They
//!   are those of the crate `taskmgr-wire`, which clients can have alone; [`FromView`] makes them of
//!   what a manager tells.
//! - [`Api`] goes from a [`Request`] to a [`Response`], without sockets: a host with an HTTP
//!   server of its own mounts it there. One table of routes is behind its handlers, its
//!   404s and 405s, `GET /api-doc/task_manager` (Swagger 1.2) and `GET /openapi.json`.
//! - [`serve`] adds the sockets.
//!
//! # Threads
//!
//! A [`Server`] has one thread, and at most two more for answers that take long: one for
//! lists, trees, aborts and the host's own routes, one for questions that a provider of
//! virtual tasks has to answer. A slow provider delays nothing but other questions to
//! providers. A parked `wait_task` costs a connection and a callback, no thread, and is freed
//! as soon as its client hangs up (one that has sent a further request behind it: when the
//! task ends).
//!
//! # Requests
//!
//! - Errors are `{"message": "...", "code": N}` with N the HTTP status: 400 for whatever the
//!   request got wrong (also an unknown id or module), 403 for a task that is not abortable,
//!   408 for a wait that timed out, 502 for a provider that failed, 503 once the manager is
//!   closed.
//! - Parameters that a route does not know are ignored; one that it knows and that is given
//!   twice is refused.
//! - `HEAD` is refused with 405: reading a status may unregister its task, and a `HEAD` would
//!   lose it.
//!
//! # Security
//!
//! The API has no authentication: whoever reaches the port can abort tasks. It listens on
//! loopback unless told otherwise. There it answers only requests whose `Host` is an IP
//! address or `localhost`, so that no web page can reach it through a name of its own (DNS
//! rebinding), and it refuses those that a page of another origin sends.

mod api;
mod call;
mod config;
mod context;
mod documents;
mod handlers;
mod param;
mod request;
mod response;
mod route;
mod server;
mod table;
mod test_tasks;
mod view;
mod wait;

pub use api::{Api, Outcome};
pub use config::{ApiConfig, Fallback};
pub use request::Request;
pub use response::Response;
pub use route::Weight;
pub use server::{Server, ServerConfig, serve};
pub use taskmgr_wire::{
    ChildId, ErrorBody, ExtendedAbort, ExtendedCounts, ExtendedList, ExtendedStats, ExtendedStatus,
    MissingTasks, TaskStats, TaskStatus,
};
pub use view::FromView;
pub use wait::Waiting;
