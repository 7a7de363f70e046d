//! The REST API.

pub mod routes;

pub mod api;

pub mod request;

pub mod response;

pub mod server;

pub mod waiting;

mod process;
