//! The API's descriptions of itself, made from its table of routes and its wire types.

mod openapi;
mod swagger;

use crate::call::Call;
use crate::response::Response;
use crate::route::Document;

/// The document that a request asks for.
pub(crate) fn document(which: Document, call: &Call<'_>) -> Response {
    match which {
        Document::OpenApi => {
            let test_endpoints = call.context.config.has_test_endpoints();
            Response::json(&openapi::document(test_endpoints))
        }
        Document::Swagger => {
            let host = call.request().host().unwrap_or("localhost:10000");
            Response::json(&swagger::document(host))
        }
    }
}
