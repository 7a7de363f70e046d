//! From a request to a response, without sockets.

mod routed;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use taskmgr::Manager;

use crate::config::ApiConfig;
use crate::context::Context;
use crate::request::Request;
use crate::response::Response;
use crate::route::Weight;
pub use routed::Outcome;
pub(crate) use routed::{Routed, WaitsFor};

/// The REST API of one manager, for any HTTP server. Cloning gives the same one.
///
/// ```
/// use taskmgr_http::{Api, ApiConfig, Outcome, Request};
///
/// let manager = taskmgr::Manager::builder().build()?;
/// manager.register_module("repair")?;
/// let api = Api::new(manager, ApiConfig::new());
///
/// let request = Request::new("GET", "/task_manager/list_modules");
/// let Outcome::Ready(response) = api.handle(&request) else { panic!("it waits for nothing") };
/// assert_eq!(response.body, br#"["repair"]"#);
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone)]
pub struct Api(Arc<Context>);

impl Api {
    /// The API of `manager`.
    ///
    /// ```
    /// use taskmgr_http::{Api, ApiConfig};
    /// let api = Api::new(taskmgr::Manager::builder().build()?, ApiConfig::new());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn new(manager: Manager, config: ApiConfig) -> Self {
        Self(Arc::new(Context::new(manager, config)))
    }

    /// Answers a request. It may block for as long as a provider of virtual tasks may take,
    /// but never for a task to end.
    ///
    /// ```
    /// # use taskmgr_http::{Api, ApiConfig, Outcome, Request};
    /// # let api = Api::new(taskmgr::Manager::builder().build()?, ApiConfig::new());
    /// let outcome = api.handle(&Request::new("POST", "/task_manager/ttl?ttl=60"));
    /// assert!(matches!(outcome, Outcome::Ready(response) if response.body == b"0"));
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn handle(&self, request: &Request) -> Outcome {
        match self.route(Cow::Borrowed(request), Instant::now()) {
            Ok(routed) => routed.run(),
            Err(refused) => Outcome::Ready(refused),
        }
    }

    /// Answers a request, or returns `None` where it would have to block. So this can be
    /// called on a thread that must go on, and [`handle`](Api::handle) elsewhere for the rest.
    ///
    /// ```
    /// # use taskmgr_http::{Api, ApiConfig, Request};
    /// # let api = Api::new(taskmgr::Manager::builder().build()?, ApiConfig::new());
    /// assert!(api.try_handle(&Request::new("GET", "/task_manager/ttl")).is_some());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn try_handle(&self, request: &Request) -> Option<Outcome> {
        match self.route(Cow::Borrowed(request), Instant::now()) {
            Ok(routed) => routed.try_run(),
            Err(refused) => Some(Outcome::Ready(refused)),
        }
    }

    /// Decodes a request that arrived then. One that is wrong by itself has its answer here.
    pub(crate) fn route<'r>(
        &self,
        request: Cow<'r, Request>,
        arrived: Instant,
    ) -> Result<Routed<'r>, Response> {
        Routed::new(&self.0, request, arrived)
    }

    /// How much work the answer to a request takes.
    ///
    /// ```
    /// # use taskmgr_http::{Api, ApiConfig, Request, Weight};
    /// # let api = Api::new(taskmgr::Manager::builder().build()?, ApiConfig::new());
    /// let list = Request::new("GET", "/task_manager/list_module_tasks/repair");
    /// assert_eq!(api.weight(&list), Weight::Heavy);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn weight(&self, request: &Request) -> Weight {
        routed::weight(&self.0.config, request)
    }

    /// How many waits are parked now.
    ///
    /// ```
    /// # use taskmgr_http::{Api, ApiConfig};
    /// # let api = Api::new(taskmgr::Manager::builder().build()?, ApiConfig::new());
    /// assert_eq!(api.pending_waits(), 0);
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn pending_waits(&self) -> usize {
        self.0.pending.load(Ordering::Relaxed)
    }

    pub(crate) fn manager(&self) -> &Manager {
        &self.0.manager
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("config", &self.0.config)
            .field("pending_waits", &self.pending_waits())
            .finish()
    }
}
