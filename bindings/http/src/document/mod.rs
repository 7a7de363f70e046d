//! The API's description of itself, made from its table of routes and its wire types.

mod openapi;
mod swagger;

use crate::call::Call;
use crate::handlers::json;
use crate::response::Failure;
use crate::routes::Reply;

pub(crate) fn serve_openapi(call: &Call<'_>) -> Result<Reply, Failure> {
    json(&openapi::document(call.api.config.has_test_endpoints()))
}

pub(crate) fn serve_swagger(call: &Call<'_>) -> Result<Reply, Failure> {
    json(&swagger::document(
        call.request.host().unwrap_or("localhost:10000"),
    ))
}
