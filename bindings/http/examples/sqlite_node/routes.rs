//! The host's own endpoint beside those of the task manager.
//!
//! `POST /node/{operation}?keyspace=&table=` starts an operation in the background, on everything or
//! on what the parameters name, and answers the id of its task as a JSON string.

use std::io;

use taskmgr_http::{Request, Response, Server, ServerConfig, serve};

use crate::host::Host;
use crate::operation::Operation;
use crate::options::Options;

/// Serves the task manager of `host`, and the host itself.
pub fn start(host: &Host, options: &Options) -> io::Result<Server> {
    let config = ServerConfig::new()
        .address(options.listen)
        .test_endpoints(options.test_endpoints);
    let answering = host.clone();
    let config = config.fallback(move |request| answer(&answering, request).unwrap_or_else(Some));
    serve(host.manager.clone(), config)
}

/// The answer to a request, unless it is about something else.
fn answer(host: &Host, request: &Request) -> Result<Option<Response>, Response> {
    let segments = request.segments()?;
    let name = match &segments[..] {
        [node, name] if node == "node" => name,
        _ => return Ok(None),
    };
    let Some(operation) = Operation::named(name) else {
        let known = Operation::ALL.map(Operation::module).join(", ");
        let message = format!("unknown operation \"{name}\"; there are {known}");
        return Err(Response::error(404, message));
    };
    match request.method() {
        "POST" => start_operation(host, operation, request).map(Some),
        _ => Err(Response::not_allowed("POST")),
    }
}

fn start_operation(
    host: &Host,
    operation: Operation,
    request: &Request,
) -> Result<Response, Response> {
    let (keyspace, table) = (request.query("keyspace")?, request.query("table")?);
    if operation == Operation::Backup && table.is_some() {
        return Err(refusal(
            "a backup copies whole keyspaces: leave out the table",
        ));
    }
    let selection = host.select(keyspace, table).map_err(refusal)?;
    match host.start(operation, selection, true) {
        Ok(task) => Ok(Response::json(&task.id().to_string())),
        Err(error) => Err(Response::from_error(&error)),
    }
}

fn refusal(message: impl Into<String>) -> Response {
    Response::error(400, message)
}
