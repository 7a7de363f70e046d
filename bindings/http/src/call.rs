//! The parameters of a request, checked against what its route says of them.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Instant;

use taskmgr::{Manager, State, Uuid};

use crate::api::Inner;
use crate::request::{Query, Request};
use crate::response::Response;
use crate::routes::{Kind, Param, Place, Route};

/// One request that has found its route.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Inner,
    pub(crate) route: &'static Route,
    pub(crate) request: &'a Request,
    pub(crate) arrived: Instant,
    segments: &'a [String],
    query: Query,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        api: &'a Inner,
        route: &'static Route,
        request: &'a Request,
        segments: &'a [String],
        arrived: Instant,
    ) -> Result<Self, Response> {
        let query = Query::parse(request)?;
        Ok(Self {
            api,
            route,
            request,
            arrived,
            segments,
            query,
        })
    }

    pub(crate) fn manager(&self) -> &'a Manager {
        &self.api.manager
    }

    /// A parameter as it was given, an empty one too.
    pub(crate) fn given(&self, name: &str) -> Result<Option<&str>, Response> {
        match self.param(name).place {
            Place::Path => Ok(self
                .route
                .segment(name)
                .map(|at| self.segments[at].as_str())),
            Place::Query => self.query.given(name),
        }
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
        self.route.params.iter().any(|param| param.name == name)
    }

    /// A handler that reads what its route does not declare would make the documents wrong.
    fn param(&self, name: &str) -> &'static Param {
        self.route
            .params
            .iter()
            .find(|param| param.name == name)
            .unwrap_or_else(|| panic!("route {} declares no parameter {name}", self.route.path))
    }
}

/// What a parameter can be read as.
pub(crate) trait Value: Sized {
    fn read(text: &str) -> Option<Self>;
}

impl Value for Uuid {
    /// The hyphenated form alone, as the API writes it; any case.
    fn read(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().filter(|_| text.len() == 36)
    }
}

impl Value for bool {
    fn read(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        }
    }
}

impl Value for u64 {
    fn read(text: &str) -> Option<Self> {
        digits(text)
    }
}

impl Value for u32 {
    fn read(text: &str) -> Option<Self> {
        digits(text)
    }
}

impl Value for State {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// No sign: `parse` alone would take `+5`.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

impl Kind {
    /// What a value of this kind should be, for messages.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Id => "a task id such as 6fbf2a3c-0f6c-4f62-9a55-3d8b3a1c7e21",
            Self::Text => "a text",
            Self::Flag => "true or false, yes or no, 1 or 0",
            Self::Seconds => "a whole number of seconds, 0 or more",
            Self::Number => "a whole number, 0 or more",
            Self::Shard => "a whole number from 0 to 4294967295",
            Self::State => "created, running, suspended, done or failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_strictly() {
        for (text, flag) in [
            ("true", true),
            ("YES", true),
            ("1", true),
            ("False", false),
            ("no", false),
            ("0", false),
        ] {
            assert_eq!(bool::read(text), Some(flag), "{text}");
        }
        for text in ["2", "on", "t", "", "tru", "yes "] {
            assert_eq!(bool::read(text), None, "{text}");
        }
        for text in [
            "-1",
            "+1",
            "1.5",
            "",
            " 1",
            "1 ",
            "0x1",
            "18446744073709551616",
            "١",
        ] {
            assert_eq!(u64::read(text), None, "{text}");
        }
        assert_eq!(u64::read("18446744073709551615"), Some(u64::MAX));
        assert_eq!(u32::read("4294967296"), None);
        for text in [
            "6fbf2a3c0f6c4f629a553d8b3a1c7e21",
            "{6fbf2a3c-0f6c-4f62-9a55-3d8b3a1c7e21}",
            "",
            "none",
        ] {
            assert_eq!(Uuid::read(text), None, "{text}");
        }
        assert!(Uuid::read("6FBF2A3C-0f6c-4f62-9a55-3d8b3a1c7e21").is_some());
    }
}
