//! What most handlers answer with.

use crate::response::{Failure, Response};
use crate::route::Reply;

/// A value as the answer.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<Reply, Failure> {
    Ok(Reply::Ready(Response::json(value)))
}

/// Done, and nothing to say.
pub(crate) fn empty() -> Result<Reply, Failure> {
    Ok(Reply::Ready(Response::empty()))
}
