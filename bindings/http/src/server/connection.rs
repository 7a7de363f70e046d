//! Connections: accepting them, bounding them, and answering what comes in over them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::client::Client;
use super::dispatch::dispatch;
use super::shared::Shared;
use crate::api::Outcome;
use crate::request::Request;
use crate::response::Response;
use crate::wait::Waiting;

/// Longest request target in bytes.
const MAX_TARGET: usize = 8 << 10;

/// Most bytes that the headers of a request may have.
const MAX_HEADERS: usize = 16 << 10;

/// Most bytes of a request's head that are read at all: what is too long by less gets an
/// answer that says so.
const MAX_HEAD: usize = 128 << 10;

/// Most bytes of a body that nobody needs, and that some clients send all the same.
const MAX_BODY: usize = 16 << 10;

/// How long to leave accepting alone when it fails, most likely for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

type Answer = hyper::Response<Full<Bytes>>;

/// Serves until the server is told to stop; returns how many connections were cut off.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) -> usize {
    let mut connections = JoinSet::new();
    let stopped = shared.stopped();
    tokio::pin!(stopped);
    let left = loop {
        tokio::select! {
            left = &mut stopped => break left,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < shared.max_connections => {
                match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(serve(stream, Arc::clone(&shared)));
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            }
        }
    };
    drop(listener);
    let over = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(left, over).await;
    let cut_off = connections.len();
    connections.shutdown().await;
    cut_off
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    tune(&stream, shared.header_timeout);
    let client = Client::new(stream);
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        let client = client.clone();
        async move {
            let answer = answer(&shared, &client, request)
                .await
                .unwrap_or_else(|refused| refused);
            Ok::<_, Infallible>(into_http(answer))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.header_timeout)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(client.clone()), service);
    tokio::pin!(connection);
    // A client that breaks off is no error of ours.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = shared.stopped() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// How long a connection may say nothing before the peer is asked whether it still lives.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// An option that cannot be set costs speed, or frees a lost connection later.
fn tune(stream: &TcpStream, patience: Duration) {
    let socket = SockRef::from(stream);
    // Answers are single writes.
    let _ = socket.set_tcp_nodelay(true);
    // A client that vanished without a word hangs up nothing.
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
    // One that does not take its answer in must not hold it for ever.
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(patience));
    #[cfg(not(target_os = "linux"))]
    let _ = patience;
}

/// `Err` is an answer too: that of a request which never gets to the API.
async fn answer(
    shared: &Shared,
    client: &Client,
    request: hyper::Request<Incoming>,
) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    if target.len() > MAX_TARGET {
        let message = format!(
            "the URL has {} bytes; it may have {MAX_TARGET}",
            target.len()
        );
        return Err(Response::error(414, message));
    }
    let headers: usize = parts
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if headers > MAX_HEADERS {
        let message = format!("the headers have {headers} bytes; they may have {MAX_HEADERS}");
        return Err(Response::error(431, message));
    }
    let host = shared.policy.check(&parts)?;
    discard(body, shared.header_timeout).await?;
    let mut request = Request::new(parts.method.as_str(), target);
    if let Some(host) = host {
        request = request.with_host(host.as_str());
    }
    match dispatch(shared, request).await? {
        Outcome::Ready(response) => Ok(response),
        Outcome::Waiting(waiting) => park(shared, client, waiting).await,
    }
}

/// Reads a small body to its end, so that the connection can go on.
async fn discard(body: Incoming, limit: Duration) -> Result<(), Response> {
    let too_large = || {
        Response::error(
            413,
            format!("the body has more than {MAX_BODY} bytes; no request needs one"),
        )
    };
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(too_large());
    }
    match timeout(limit, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Response::error(400, format!("the body is broken: {error}"))),
        Err(_) => Err(Response::error(
            408,
            "the body did not come in time; no request needs one",
        )),
    }
}

/// A client that hangs up frees the wait. Mostly that drops this future; but not while a
/// further request has come in, as then nobody reads from the connection.
async fn park(shared: &Shared, client: &Client, waiting: Waiting) -> Result<Response, Response> {
    let (sender, ready) = oneshot::channel();
    waiting.on_ready(move || {
        let _ = sender.send(());
    });
    let deadline = waiting.deadline().map(Instant::from_std);
    let late = async {
        match deadline {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        _ = ready => {}
        _ = late => {}
        _ = client.hung_up() => {
            return Err(Response::error(400, "the client hung up"));
        }
        _ = shared.stopped() => {
            return Err(Response::error(503, "the server stops; ask again, or ask another"));
        }
    }
    Ok(waiting.into_response())
}

fn into_http(response: Response) -> Answer {
    let has_body = !response.body.is_empty();
    let mut answer = hyper::Response::new(Full::new(Bytes::from(response.body)));
    // A status that a route of the host made up is an error of the server.
    *answer.status_mut() = hyper::StatusCode::from_u16(response.status)
        .unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    if has_body {
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(response.content_type),
        );
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(allow) = response
        .allow
        .and_then(|allow| HeaderValue::try_from(allow).ok())
    {
        headers.insert(ALLOW, allow);
    }
    answer
}
