//! Responses: those of the API, and those of the host's routes.

use taskmgr_http::Response;

use crate::code::taskmgr_code;
use crate::failure::{Failure, invalid};
use crate::guard;
use crate::handle::{get, get_mut};
use crate::text::taskmgr_str;
use crate::texts::{Span, Texts};

/// The response to a request, ready to be sent. Since 0.1.0.
pub struct taskmgr_http_response {
    status: u16,
    content_type: Span,
    allow: Span,
    body: Span,
    texts: Texts,
}

impl taskmgr_http_response {
    pub(crate) fn new(response: &Response) -> Self {
        let mut texts = Texts::default();
        Self {
            status: response.status,
            content_type: texts.add(response.content_type),
            allow: texts.add(response.allow.as_deref().unwrap_or_default()),
            body: texts.add_bytes(&response.body),
            texts,
        }
    }
}

/// The HTTP status.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_response_status(response: Option<&taskmgr_http_response>) -> u16 {
    guard::value(0, || Ok(get(response, "response")?.status))
}

/// The type of the body; of no meaning if that is empty.
///
/// The text is borrowed from the response. Threads: any. Errors: empty text for NULL.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_response_content_type(
    response: Option<&taskmgr_http_response>,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let response = get(response, "response")?;
        Ok(response.texts.get(response.content_type))
    })
}

/// The `Allow` header, which goes with a 405, or "".
///
/// The text is borrowed from the response. Threads: any. Errors: empty text for NULL.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_response_allow(
    response: Option<&taskmgr_http_response>,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let response = get(response, "response")?;
        Ok(response.texts.get(response.allow))
    })
}

/// The body.
///
/// The text is borrowed from the response. Threads: any. Errors: empty text for NULL.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_response_body(
    response: Option<&taskmgr_http_response>,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let response = get(response, "response")?;
        Ok(response.texts.get(response.body))
    })
}

/// Frees a response, and the texts with it.
///
/// Takes `response`; NULL is nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_response_free(response: Option<Box<taskmgr_http_response>>) {
    guard::value((), || {
        drop(response);
        Ok(())
    });
}

/// Where a route of the host puts its answer. Since 0.1.0.
pub struct taskmgr_http_reply(pub(crate) Response);

/// Answers with a status and a body that is JSON already; an empty one is no body.
///
/// `reply` is borrowed from the library for the call of the route; the text is copied.
/// Threads: the one that called the route. Errors: INVALID_ARGUMENT for a status below 200 or
/// above 599. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_reply_json(
    reply: Option<&mut taskmgr_http_reply>,
    status: u16,
    body: taskmgr_str<'_>,
) -> taskmgr_code {
    guard::code(|| {
        let reply = get_mut(reply, "reply")?;
        reply.0 = Response::empty();
        reply.0.status = final_status(status)?;
        reply.0.body = body.get("the body")?.as_bytes().to_vec();
        Ok(())
    })
}

/// Answers with an error, as the API does: `{"message": "…", "code": status}`.
///
/// `reply` is borrowed from the library for the call of the route; the text is copied.
/// Threads: the one that called the route. Errors: INVALID_ARGUMENT for a status below 200 or
/// above 599. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_reply_error(
    reply: Option<&mut taskmgr_http_reply>,
    status: u16,
    message: taskmgr_str<'_>,
) -> taskmgr_code {
    guard::code(|| {
        let reply = get_mut(reply, "reply")?;
        reply.0 = Response::error(final_status(status)?, message.get("the message")?);
        Ok(())
    })
}

fn final_status(status: u16) -> Result<u16, Failure> {
    match status {
        200..=599 => Ok(status),
        _ => Err(invalid(format!(
            "{status} is no status of an answer; those are 200 to 599"
        ))),
    }
}
