//! What the routes do.

pub(crate) mod extended;
pub(crate) mod task_manager;

use crate::response::{Failure, Response};
use crate::routes::Reply;

/// A value as the answer.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<Reply, Failure> {
    Ok(Reply::Ready(Response::json(value)))
}

/// Done, and nothing to say.
pub(crate) fn empty() -> Result<Reply, Failure> {
    Ok(Reply::Ready(Response::empty()))
}
