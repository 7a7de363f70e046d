//! What a route is, and which one a request takes.

mod table;

use std::fmt;

use crate::api::Weight;
use crate::call::Call;
use crate::response::{Failure, Response};
use crate::wait::Waiting;
use table::ROUTES;

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

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Id,
    Text,
    Flag,
    Seconds,
    Number,
    Shard,
    State,
}

/// A parameter of a route.
#[derive(Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) kind: Kind,
    pub(crate) description: &'static str,
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

/// What a handler has come to.
pub(crate) enum Reply {
    Ready(Response),
    Waiting(Waiting),
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
    fn matches(&self, segments: &[String]) -> bool {
        self.segments().count() == segments.len()
            && self
                .segments()
                .zip(segments)
                .all(|(pattern, s)| name_in(pattern).is_some() || pattern == s)
    }

    /// Which segment of the path a parameter is.
    pub(crate) fn segment(&self, name: &str) -> Option<usize> {
        self.segments()
            .position(|pattern| name_in(pattern) == Some(name))
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

/// What the table says of a request.
#[derive(Debug)]
pub(crate) enum Found {
    Route(&'static Route),
    /// The path has other methods, these.
    WrongMethod(String),
    Nothing,
}

/// The routes there are.
pub(crate) fn served(test_endpoints: bool) -> impl Iterator<Item = &'static Route> {
    ROUTES
        .iter()
        .filter(move |route| test_endpoints || !route.test_only)
}

pub(crate) fn find(test_endpoints: bool, method: &str, segments: &[String]) -> Found {
    let on_path = || served(test_endpoints).filter(|route| route.matches(segments));
    if let Some(route) = on_path().find(|route| route.method.as_str() == method) {
        return Found::Route(route);
    }
    let allow: Vec<&str> = on_path().map(|route| route.method.as_str()).collect();
    if allow.is_empty() {
        Found::Nothing
    } else {
        Found::WrongMethod(allow.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        for (at, route) in ROUTES.iter().enumerate() {
            assert!(
                !route.summary.is_empty(),
                "{route:?} says nothing of itself"
            );
            let in_path: Vec<_> = route.segments().filter_map(name_in).collect();
            let declared: Vec<_> = route
                .params
                .iter()
                .filter(|p| p.place == Place::Path)
                .map(|p| p.name)
                .collect();
            assert_eq!(in_path, declared, "{route:?}");
            for other in &ROUTES[at + 1..] {
                assert_ne!((route.method, route.path), (other.method, other.path));
                assert_ne!(route.nickname, other.nickname);
            }
        }
    }
}
