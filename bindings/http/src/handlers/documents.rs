//! The API's descriptions of itself.

use crate::call::Call;
use crate::response::Failure;
use crate::route::{Document, Reply};

pub(crate) fn openapi(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Document(Document::OpenApi))
}

pub(crate) fn swagger(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::Document(Document::Swagger))
}
