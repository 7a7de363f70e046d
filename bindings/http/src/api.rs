//! From a request to a response, without sockets.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use taskmgr::{Manager, Uuid};

use crate::call::Call;
use crate::request::Request;
use crate::response::{Failure, Response};
use crate::routes::{self, Found, Reply, Route};
use crate::test_endpoints::TestTasks;
use crate::wait::Waiting;

/// Routes of the host: `None` for a path that is not one of them either.
pub type Fallback = Arc<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

/// How an [`Api`] behaves.
///
/// ```
/// let config = taskmgr_http::ApiConfig::new().test_endpoints(true);
/// ```
#[derive(Clone, Default)]
pub struct ApiConfig {
    test_endpoints: bool,
    fallback: Option<Fallback>,
}

impl ApiConfig {
    /// Without test endpoints, and without routes of the host.
    ///
    /// ```
    /// let config = taskmgr_http::ApiConfig::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `/task_manager_test` is there, where a test harness makes and ends tasks.
    ///
    /// ```
    /// let config = taskmgr_http::ApiConfig::new().test_endpoints(true);
    /// ```
    pub fn test_endpoints(mut self, on: bool) -> Self {
        self.test_endpoints = on;
        self
    }

    /// Routes of the host, asked for paths that the API does not know.
    ///
    /// ```
    /// use taskmgr_http::{ApiConfig, Response};
    /// let config = ApiConfig::new().fallback(|request| {
    ///     (request.path() == "/node/version").then(|| Response::json(&"1.0"))
    /// });
    /// ```
    pub fn fallback(
        mut self,
        routes: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        self.fallback = Some(Arc::new(routes));
        self
    }

    pub(crate) fn has_test_endpoints(&self) -> bool {
        self.test_endpoints
    }
}

impl fmt::Debug for ApiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiConfig")
            .field("test_endpoints", &self.test_endpoints)
            .field("fallback", &self.fallback.is_some())
            .finish()
    }
}

/// What a request has come to.
///
/// ```
/// # fn send(_: taskmgr_http::Response) {}
/// # fn answer(outcome: taskmgr_http::Outcome) {
/// match outcome {
///     taskmgr_http::Outcome::Ready(response) => send(response),
///     taskmgr_http::Outcome::Waiting(waiting) => waiting.on_ready(|| println!("ready")),
/// }
/// # }
/// ```
#[derive(Debug)]
#[must_use = "it holds the response"]
pub enum Outcome {
    /// The response.
    Ready(Response),
    /// The task that was asked for has not ended yet.
    Waiting(Waiting),
}

/// How much work an answer takes, so that a host can choose the thread for it.
///
/// ```
/// use taskmgr_http::{Api, ApiConfig, Request, Weight};
/// let api = Api::new(taskmgr::Manager::builder().build()?, ApiConfig::new());
/// assert_eq!(api.weight(&Request::new("GET", "/task_manager/ttl")), Weight::Light);
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Microseconds, if [`try_handle`](Api::try_handle) has an answer at all.
    Light,
    /// As long as many tasks, a callback of the host or one of its routes take.
    Heavy,
    /// It may block, so that only [`handle`](Api::handle) has an answer.
    Blocking,
}

/// Who keeps an answer waiting.
#[derive(Debug)]
pub(crate) enum WaitsFor {
    /// The provider that has a task, if one has.
    ProviderOf {
        task: Uuid,
        /// How long the client waits.
        timeout: Option<Duration>,
    },
    /// All providers of a module.
    ProvidersOf(String),
    /// None of these, or not one alone.
    Others,
}

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
pub struct Api(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) manager: Manager,
    pub(crate) config: ApiConfig,
    pub(crate) pending: Arc<AtomicUsize>,
    pub(crate) test_tasks: Arc<TestTasks>,
}

impl Api {
    /// The API of `manager`.
    ///
    /// ```
    /// use taskmgr_http::{Api, ApiConfig};
    /// let api = Api::new(taskmgr::Manager::builder().build()?, ApiConfig::new());
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn new(manager: Manager, config: ApiConfig) -> Self {
        Self(Arc::new(Inner {
            manager,
            config,
            pending: Arc::default(),
            test_tasks: Arc::default(),
        }))
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
        self.handle_since(request, Instant::now())
    }

    /// The same of a request that has waited since it arrived.
    pub(crate) fn handle_since(&self, request: &Request, arrived: Instant) -> Outcome {
        self.route(request)
            .and_then(|(route, segments)| self.0.run(route, request, &segments, arrived))
            .unwrap_or_else(|failure| match failure {
                Failure::Refused(response) => Outcome::Ready(response),
                Failure::WouldBlock(error) => Outcome::Ready(Response::from_error(&error)),
            })
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
        self.try_since(request, Instant::now())
    }

    /// The same of a request that has waited since it arrived.
    pub(crate) fn try_since(&self, request: &Request, arrived: Instant) -> Option<Outcome> {
        let (route, segments) = match self.route(request) {
            Ok(found) => found,
            Err(Failure::Refused(response)) => return Some(Outcome::Ready(response)),
            Err(Failure::WouldBlock(_)) => return None,
        };
        if route.weight == Weight::Blocking {
            return None;
        }
        match taskmgr::nonblocking(|| self.0.run(route, request, &segments, arrived)) {
            Ok(outcome) => Some(outcome),
            Err(Failure::Refused(response)) => Some(Outcome::Ready(response)),
            Err(Failure::WouldBlock(_)) => None,
        }
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
        match self.find(request) {
            Ok((Found::Route(route), _)) => route.weight,
            Ok((Found::Nothing, _)) if self.0.config.fallback.is_some() => Weight::Heavy,
            _ => Weight::Light,
        }
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

    /// Whom the answer to a request waits for that [`try_handle`](Self::try_handle) has none for.
    pub(crate) fn waits_for(&self, request: &Request, arrived: Instant) -> WaitsFor {
        self.asked_of(request, arrived).unwrap_or(WaitsFor::Others)
    }

    fn asked_of(&self, request: &Request, arrived: Instant) -> Option<WaitsFor> {
        let (Found::Route(route), segments) = self.find(request).ok()? else {
            return None;
        };
        if route.weight == Weight::Blocking || route.test_only {
            return None;
        }
        let call = Call::new(&self.0, route, request, &segments, arrived).ok()?;
        if route.segment("module").is_some() {
            let module = call.text_or_empty("module").ok()?;
            return Some(WaitsFor::ProvidersOf(module.to_owned()));
        }
        route.segment("task_id")?;
        let seconds = match call.has("timeout") {
            true => call.optional("timeout").ok()?,
            false => None,
        };
        Some(WaitsFor::ProviderOf {
            task: call.required("task_id").ok()?,
            timeout: seconds.map(Duration::from_secs),
        })
    }

    fn find(&self, request: &Request) -> Result<(Found, Vec<String>), Response> {
        let segments = request.segments()?;
        let found = routes::find(self.0.config.test_endpoints, request.method(), &segments);
        Ok((found, segments))
    }

    /// The route of a request; a request without one has its answer here.
    fn route(&self, request: &Request) -> Result<(&'static Route, Vec<String>), Failure> {
        let (found, segments) = self.find(request)?;
        Err(Failure::Refused(match found {
            Found::Route(route) => return Ok((route, segments)),
            Found::WrongMethod(allow) => Response::not_allowed(&allow),
            Found::Nothing => {
                let fallback = self.0.config.fallback.as_ref();
                fallback
                    .and_then(|routes| routes(request))
                    .unwrap_or_else(|| unknown(request))
            }
        }))
    }
}

fn unknown(request: &Request) -> Response {
    Response::error(
        404,
        format!(
            "there is no path {}; /openapi.json names those there are",
            request.path()
        ),
    )
}

impl Inner {
    fn run(
        &self,
        route: &'static Route,
        request: &Request,
        segments: &[String],
        arrived: Instant,
    ) -> Result<Outcome, Failure> {
        let call = Call::new(self, route, request, segments, arrived)?;
        Ok(match (route.run)(&call)? {
            Reply::Ready(response) => Outcome::Ready(response),
            Reply::Waiting(waiting) if waiting.is_ready() => {
                Outcome::Ready(waiting.into_response())
            }
            Reply::Waiting(waiting) => Outcome::Waiting(waiting),
        })
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
