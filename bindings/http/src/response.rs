//! A response, and the status that each error of the library gets.

use serde::Serialize;
use taskmgr::{Error, ErrorCode};
use taskmgr_wire::ErrorBody;

pub(crate) const JSON: &str = "application/json";

/// A response, ready to be sent.
///
/// ```
/// use taskmgr_http::Response;
/// let response = Response::json(&["repair", "compaction"]);
/// assert_eq!(response.status, 200);
/// assert_eq!(response.body, br#"["repair","compaction"]"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body; of no meaning if that is empty.
    pub content_type: &'static str,
    /// The `Allow` header, which goes with a 405.
    pub allow: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// 200 with a value as JSON; 500 if the value cannot be written as JSON.
    ///
    /// ```
    /// assert_eq!(taskmgr_http::Response::json(&3600).body, b"3600");
    /// ```
    pub fn json(value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self {
                status: 200,
                content_type: JSON,
                allow: None,
                body,
            },
            Err(error) => Self::error(500, format!("the answer is no JSON: {error}")),
        }
    }

    /// 200 without a body.
    ///
    /// ```
    /// assert!(taskmgr_http::Response::empty().body.is_empty());
    /// ```
    pub fn empty() -> Self {
        Self {
            status: 200,
            content_type: JSON,
            allow: None,
            body: Vec::new(),
        }
    }

    /// An error, as `{"message": "...", "code": status}`.
    ///
    /// ```
    /// let refused = taskmgr_http::Response::error(400, "parameter keyspace is missing");
    /// assert_eq!(refused.body, br#"{"message":"parameter keyspace is missing","code":400}"#);
    /// ```
    pub fn error(status: u16, message: impl Into<String>) -> Self {
        let body = ErrorBody {
            message: message.into(),
            code: status,
        };
        Self {
            status,
            ..Self::json(&body)
        }
    }

    /// 405 with the methods that a path knows.
    ///
    /// ```
    /// let refused = taskmgr_http::Response::not_allowed("GET, POST");
    /// assert_eq!((refused.status, refused.allow.as_deref()), (405, Some("GET, POST")));
    /// ```
    pub fn not_allowed(allow: &str) -> Self {
        let message = format!("this path has no such method; it has {allow}");
        Self {
            allow: Some(allow.to_owned()),
            ..Self::error(405, message)
        }
    }

    /// The answer that the API gives for an error of the library.
    ///
    /// ```
    /// use taskmgr::{Error, ErrorCode};
    /// let late = Error::new(ErrorCode::Timeout, "the task had not ended");
    /// assert_eq!(taskmgr_http::Response::from_error(&late).status, 408);
    /// ```
    pub fn from_error(error: &Error) -> Self {
        Self::error(status_of(error.code()), error.to_string())
    }
}

/// Why a handler has no answer of its own.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(Response),
    /// It was asked not to block, and would have to.
    WouldBlock(Error),
}

impl From<Response> for Failure {
    fn from(response: Response) -> Self {
        Self::Refused(response)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.code() {
            ErrorCode::WouldDeadlock => Self::WouldBlock(error),
            _ => Self::Refused(Response::from_error(&error)),
        }
    }
}

/// Whatever the request got wrong is a 400, as in ScyllaDB.
fn status_of(code: ErrorCode) -> u16 {
    match code {
        ErrorCode::NotAbortable => 403,
        ErrorCode::Timeout => 408,
        ErrorCode::Provider => 502,
        ErrorCode::Closed | ErrorCode::Exhausted => 503,
        ErrorCode::Forked | ErrorCode::WouldDeadlock | ErrorCode::TaskFailed => 500,
        _ => 400,
    }
}
