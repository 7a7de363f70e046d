//! One request, decoded once, and its parameters, checked against what its route says of them.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use taskmgr::{Manager, Uuid};

use crate::context::Context;
use crate::param::{Param, Place, Value};
use crate::request::{Query, Request};
use crate::response::Response;

/// One request that has found its route, decoded once however often it is tried.
pub(crate) struct Call<'r> {
    pub(crate) context: Arc<Context>,
    /// When it arrived; it may have waited since.
    pub(crate) arrived: Instant,
    /// The host's, or the server's own, whose calls move between threads.
    request: Cow<'r, Request>,
    params: &'static [Param],
    /// The parameters in the path.
    path: Vec<(&'static str, String)>,
    query: Query,
    /// The one in the path, if it is an id.
    id: Option<Uuid>,
}

impl<'r> Call<'r> {
    /// `params` are those that its route declares, and `path` has the values of those in the path.
    pub(crate) fn new(
        context: Arc<Context>,
        request: Cow<'r, Request>,
        arrived: Instant,
        params: &'static [Param],
        path: Vec<(&'static str, String)>,
    ) -> Result<Self, Response> {
        let query = Query::parse(&request)?;
        let id = path.iter().find(|(name, _)| *name == "task_id");
        let id = id.and_then(|(_, value)| Uuid::read(value));
        Ok(Self {
            context,
            arrived,
            request,
            params,
            path,
            query,
            id,
        })
    }

    pub(crate) fn manager(&self) -> &Manager {
        &self.context.manager
    }

    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    /// The id in the path.
    pub(crate) fn id(&self) -> Result<Uuid, Response> {
        match self.id {
            Some(id) => Ok(id),
            // Says what is wrong with it.
            None => self.required("task_id"),
        }
    }

    /// A parameter as it was given, an empty one too.
    pub(crate) fn given(&self, name: &str) -> Result<Option<&str>, Response> {
        match self.param(name).place {
            Place::Path => Ok(self.in_path(name)),
            Place::Query => self.query.given(name),
        }
    }

    /// The value of a parameter in the path; none if its route has no such one there.
    pub(crate) fn in_path(&self, name: &str) -> Option<&str> {
        let mut path = self.path.iter();
        path.find(|(named, _)| *named == name)
            .map(|(_, value)| value.as_str())
    }

    /// A text; an empty one counts as absent.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Response> {
        Ok(self.given(name)?.filter(|value| !value.is_empty()))
    }

    /// A text, or "".
    pub(crate) fn text_or_empty(&self, name: &str) -> Result<&str, Response> {
        Ok(self.given(name)?.unwrap_or(""))
    }

    /// A parameter of any kind that has to be there and has to be right.
    pub(crate) fn required<T: Value>(&self, name: &str) -> Result<T, Response> {
        match self.given(name)? {
            Some("") | None if self.param(name).place == Place::Query => Err(Response::error(
                400,
                format!(
                    "parameter {name} is missing; it should be {}",
                    self.param(name).kind.expected()
                ),
            )),
            value => self.read(name, value.unwrap_or("")),
        }
    }

    /// A parameter of any kind that may be absent or empty.
    pub(crate) fn optional<T: Value>(&self, name: &str) -> Result<Option<T>, Response> {
        self.text(name)?
            .map(|value| self.read(name, value))
            .transpose()
    }

    fn read<T: Value>(&self, name: &str, value: &str) -> Result<T, Response> {
        T::read(value).ok_or_else(|| self.wrong(name, format_args!("{value:?}")))
    }

    /// Names the parameter, what it is, and what it should be.
    pub(crate) fn wrong(&self, name: &str, value: impl Display) -> Response {
        let expected = self.param(name).kind.expected();
        Response::error(
            400,
            format!("parameter {name} is {value}; it should be {expected}"),
        )
    }

    /// Whether its route declares a parameter.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.params.iter().any(|param| param.name == name)
    }

    /// A handler that reads what its route does not declare would make the documents wrong.
    fn param(&self, name: &str) -> &'static Param {
        self.params
            .iter()
            .find(|param| param.name == name)
            .unwrap_or_else(|| {
                panic!(
                    "the route of {} declares no parameter {name}",
                    self.request.path()
                )
            })
    }
}
