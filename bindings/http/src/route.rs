//! What a route is.

use std::fmt;

use crate::call::Call;
use crate::param::Param;
use crate::response::{Failure, Response};
use crate::wait::Waiting;

/// A method that some route has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Delete,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// What a route answers with 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Empty,
    Id,
    Seconds,
    Names,
    Stats,
    Status,
    Statuses,
    ExtendedList,
    ExtendedStatus,
    ExtendedStatuses,
    Document,
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
    /// Microseconds, if [`try_handle`](crate::Api::try_handle) has an answer at all.
    Light,
    /// As long as many tasks, a callback of the host or one of its routes take.
    Heavy,
    /// It may block, so that only [`handle`](crate::Api::handle) has an answer.
    Blocking,
}

/// What a handler has come to.
pub(crate) enum Reply {
    Ready(Response),
    Waiting(Waiting),
    /// This document, which is made of the table, so that no handler can make it.
    Document(Document),
}

/// A description of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// OpenAPI 3.1.
    OpenApi,
    /// Swagger 1.2.
    Swagger,
}

pub(crate) type Handler = fn(&Call<'_>) -> Result<Reply, Failure>;

/// One method of one path.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) nickname: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) params: &'static [Param],
    pub(crate) answer: Answer,
    /// The errors that the route is expected to give, beside 500 and 503.
    pub(crate) errors: &'static [u16],
    pub(crate) weight: Weight,
    pub(crate) test_only: bool,
    pub(crate) run: Handler,
}

impl Route {
    pub(crate) fn matches(&self, segments: &[String]) -> bool {
        self.segments().count() == segments.len()
            && self
                .segments()
                .zip(segments)
                .all(|(pattern, s)| name_in(pattern).is_some() || pattern == s)
    }

    /// The values that a path has for the names in the pattern, with those.
    pub(crate) fn bind(&self, segments: Vec<String>) -> Vec<(&'static str, String)> {
        self.segments()
            .zip(segments)
            .filter_map(|(pattern, value)| Some((name_in(pattern)?, value)))
            .collect()
    }

    /// The names in the pattern.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.segments().filter_map(name_in).collect()
    }

    fn segments(&self) -> impl Iterator<Item = &'static str> {
        self.path[1..].split('/')
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({} {})", self.method.as_str(), self.path)
    }
}

fn name_in(pattern: &str) -> Option<&str> {
    pattern.strip_prefix('{')?.strip_suffix('}')
}
