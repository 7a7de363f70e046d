//! A request that has found its route: decoded once, and tried as often as it takes.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use taskmgr::Uuid;

use crate::call::Call;
use crate::config::ApiConfig;
use crate::context::Context;
use crate::documents::document;
use crate::request::Request;
use crate::response::{Failure, Response};
use crate::route::{Reply, Route, Weight};
use crate::table::{self, Found};
use crate::wait::Waiting;

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

/// A request whose path, query and id are decoded.
pub(crate) struct Routed<'r>(Target<'r>);

enum Target<'r> {
    Route(&'static Route, Call<'r>),
    /// No path of the API, but perhaps one of the host's.
    Elsewhere(Arc<Context>, Cow<'r, Request>),
}

impl<'r> Routed<'r> {
    /// A request that is wrong whatever its route does has its answer here.
    pub(crate) fn new(
        context: &Arc<Context>,
        request: Cow<'r, Request>,
        arrived: Instant,
    ) -> Result<Self, Response> {
        let (context, segments) = (Arc::clone(context), request.segments()?);
        match find(&context.config, request.method(), &segments) {
            Found::Route(route) => {
                let path = route.bind(segments);
                let call = Call::new(context, request, arrived, route.params, path)?;
                Ok(Self(Target::Route(route, call)))
            }
            Found::WrongMethod(allow) => Err(Response::not_allowed(&allow)),
            Found::Nothing => Ok(Self(Target::Elsewhere(context, request))),
        }
    }

    pub(crate) fn weight(&self) -> Weight {
        match &self.0 {
            Target::Route(route, _) => route.weight,
            Target::Elsewhere(context, _) => weight_elsewhere(&context.config),
        }
    }

    /// The answer, on a thread that may block.
    pub(crate) fn run(&self) -> Outcome {
        self.answer().unwrap_or_else(|failure| {
            Outcome::Ready(match failure {
                Failure::Refused(response) => response,
                Failure::WouldBlock(error) => Response::from_error(&error),
            })
        })
    }

    /// The answer; none if it would have to block.
    pub(crate) fn try_run(&self) -> Option<Outcome> {
        if self.weight() == Weight::Blocking {
            return None;
        }
        let tried = match &self.0 {
            Target::Route(..) => taskmgr::nonblocking(|| self.answer()),
            // The host's routes may block: their thread is one for that.
            Target::Elsewhere(..) => self.answer(),
        };
        match tried {
            Ok(outcome) => Some(outcome),
            Err(Failure::Refused(response)) => Some(Outcome::Ready(response)),
            Err(Failure::WouldBlock(_)) => None,
        }
    }

    fn answer(&self) -> Result<Outcome, Failure> {
        let (route, call) = match &self.0 {
            Target::Route(route, call) => (route, call),
            Target::Elsewhere(context, request) => {
                return Ok(Outcome::Ready(elsewhere(&context.config, request)));
            }
        };
        Ok(match (route.run)(call)? {
            Reply::Ready(response) => Outcome::Ready(response),
            Reply::Waiting(waiting) if waiting.is_ready() => {
                Outcome::Ready(waiting.into_response())
            }
            Reply::Waiting(waiting) => Outcome::Waiting(waiting),
            Reply::Document(which) => Outcome::Ready(document(which, call)),
        })
    }

    /// Whom the answer waits for where [`try_run`](Self::try_run) has none.
    pub(crate) fn waits_for(&self) -> WaitsFor {
        self.asked_of().unwrap_or(WaitsFor::Others)
    }

    fn asked_of(&self) -> Option<WaitsFor> {
        let Target::Route(route, call) = &self.0 else {
            return None;
        };
        if route.weight == Weight::Blocking || route.test_only {
            return None;
        }
        if let Some(module) = call.in_path("module") {
            return Some(WaitsFor::ProvidersOf(module.to_owned()));
        }
        call.in_path("task_id")?;
        let seconds = match call.has("timeout") {
            true => call.optional("timeout").ok()?,
            false => None,
        };
        Some(WaitsFor::ProviderOf {
            task: call.id().ok()?,
            timeout: seconds.map(Duration::from_secs),
        })
    }
}

fn find(config: &ApiConfig, method: &str, segments: &[String]) -> Found {
    table::find(config.has_test_endpoints(), method, segments)
}

/// The weight of a request of which nothing but its path is looked at.
pub(super) fn weight(config: &ApiConfig, request: &Request) -> Weight {
    let Ok(segments) = request.segments() else {
        return Weight::Light;
    };
    match find(config, request.method(), &segments) {
        Found::Route(route) => route.weight,
        Found::WrongMethod(_) => Weight::Light,
        Found::Nothing => weight_elsewhere(config),
    }
}

fn weight_elsewhere(config: &ApiConfig) -> Weight {
    match config.routes_of_host() {
        Some(_) => Weight::Heavy,
        None => Weight::Light,
    }
}

/// The answer for a path that the API does not know.
fn elsewhere(config: &ApiConfig, request: &Request) -> Response {
    config
        .routes_of_host()
        .and_then(|routes| routes(request))
        .unwrap_or_else(|| {
            let path = request.path();
            let message = format!("there is no path {path}; /openapi.json names those there are");
            Response::error(404, message)
        })
}

#[cfg(test)]
mod tests {
    use taskmgr::{BoxError, Completion, Manager, Provider, Stats, Status};

    use super::*;
    use crate::request::DECODED;

    const TASK: Uuid = Uuid::from_u128(7);

    struct One;

    impl Provider for One {
        fn list(&self) -> Result<Vec<Stats>, BoxError> {
            Ok(vec![Stats::new(TASK, "join")])
        }

        fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
            Ok((id == TASK).then(|| Status::new(TASK, "join")))
        }

        fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
            Ok(())
        }

        fn watch(&self, _: Uuid, done: Completion) -> Result<(), BoxError> {
            done.complete(Ok(Status::new(TASK, "join")));
            Ok(())
        }
    }

    /// What the server does with a question that only a provider can answer.
    #[test]
    fn a_request_that_is_tried_in_vain_is_decoded_once() {
        let manager = Manager::builder().build().unwrap();
        let module = manager.register_module("ring").unwrap();
        module.register_provider(One).unwrap();
        let context = Arc::new(Context::new(manager, ApiConfig::new()));
        for (target, texts) in [
            (format!("/task_manager/task_status/{TASK}"), 3),
            (format!("/task_manager/wait_task/{TASK}?timeout=0"), 5),
            (
                "/task_manager/list_module_tasks/r%69ng?table=t".to_owned(),
                5,
            ),
        ] {
            let request = Request::new("GET", &target);
            DECODED.set(0);
            let routed = Routed::new(&context, Cow::Borrowed(&request), Instant::now()).unwrap();
            let (weight, tried) = (routed.weight(), routed.try_run());
            assert_ne!(weight, Weight::Blocking, "{target}");
            assert!(tried.is_none(), "{target}: {tried:?}");
            match routed.waits_for() {
                WaitsFor::ProviderOf { task, timeout } => {
                    assert_eq!(task, TASK);
                    let waits = target.contains("wait_task").then_some(Duration::ZERO);
                    assert_eq!(timeout, waits, "{target}");
                }
                WaitsFor::ProvidersOf(module) => assert_eq!(module, "ring"),
                WaitsFor::Others => panic!("{target} waits for others"),
            }
            drop(routed.run());
            assert_eq!(DECODED.get(), texts, "{target}");
        }
    }
}
