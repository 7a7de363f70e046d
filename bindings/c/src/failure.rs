//! Why a call has failed, before anybody is told.

use taskmgr::{Error, ErrorCode};

use crate::code::taskmgr_code;

/// Why a call has failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Core(Error),
    /// With a code that the core does not have.
    OfC(taskmgr_code, String),
}

impl Failure {
    pub(crate) fn code(&self) -> taskmgr_code {
        match self {
            Self::Core(error) => error.code() as taskmgr_code,
            Self::OfC(code, _) => *code,
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::Core(error) => error.to_string(),
            Self::OfC(_, message) => message.clone(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

#[cold]
pub(crate) fn invalid(message: impl Into<String>) -> Failure {
    Failure::Core(Error::new(ErrorCode::InvalidArgument, message))
}

/// Out of the way of calls that have but a few instructions to do.
#[cold]
#[inline(never)]
pub(crate) fn null(what: &str) -> Failure {
    invalid(format!("{what} is a null pointer; it must not be"))
}
