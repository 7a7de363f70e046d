//! What a parameter of a route is, and how its text is read.

use std::str::FromStr;

use taskmgr::{State, Uuid};

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
