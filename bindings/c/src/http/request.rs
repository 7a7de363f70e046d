//! What a route of the host was asked.

use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use taskmgr_http::Request;

use crate::code::taskmgr_code;
use crate::failure::invalid;
use crate::guard;
use crate::handle::{ValuePlace, get};
use crate::text::taskmgr_str;
use crate::texts::{Span, Texts};

/// A request that a route of the host answers. Since 0.1.0.
pub struct taskmgr_http_request {
    request: Request,
    texts: Texts,
    method: Span,
    path: Span,
    host: Span,
    /// Values of the query that were asked for; each stays where it is until the request goes.
    values: Mutex<Vec<Texts>>,
}

impl taskmgr_http_request {
    pub(crate) fn new(request: &Request) -> Self {
        let mut texts = Texts::default();
        Self {
            method: texts.add(request.method()),
            path: texts.add(request.path()),
            host: texts.add(request.host().unwrap_or_default()),
            request: request.clone(),
            texts,
            values: Mutex::default(),
        }
    }
}

/// The method, e.g. "POST".
///
/// The text is borrowed from the request. Threads: any. Errors: empty text for NULL.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_request_method(
    request: Option<&taskmgr_http_request>,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let request = get(request, "request")?;
        Ok(request.texts.get(request.method))
    })
}

/// The path as it was sent, so still percent-encoded.
///
/// The text is borrowed from the request. Threads: any. Errors: empty text for NULL.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_request_path(
    request: Option<&taskmgr_http_request>,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let request = get(request, "request")?;
        Ok(request.texts.get(request.path))
    })
}

/// The `Host` that the client asked, or "".
///
/// The text is borrowed from the request. Threads: any. Errors: empty text for NULL.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_request_host(
    request: Option<&taskmgr_http_request>,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let request = get(request, "request")?;
        Ok(request.texts.get(request.host))
    })
}

/// The decoded value of a query parameter; "" if it is absent or empty.
///
/// `*value` is borrowed from the request. Threads: any. Errors: INVALID_ARGUMENT if the query is
/// not properly encoded, or gives the parameter twice: a 400 is the answer to that.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_request_query<'a>(
    request: Option<&'a taskmgr_http_request>,
    name: taskmgr_str<'_>,
    value: Option<&mut MaybeUninit<taskmgr_str<'a>>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = ValuePlace::new(value, taskmgr_str::EMPTY, "value")?;
        let request = get(request, "request")?;
        let found = request.request.query(name.get("the name")?);
        let Some(found) = found
            .map_err(|refused| invalid(String::from_utf8_lossy(&refused.body).into_owned()))?
        else {
            return Ok(());
        };
        let (texts, span) = Texts::one(&found);
        let text = texts.get(span).lasting();
        request
            .values
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(texts);
        place.give(text);
        Ok(())
    })
}
