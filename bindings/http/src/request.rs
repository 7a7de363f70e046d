//! A request: its method, its path and its query; nobody needs a body.

use percent_encoding::percent_decode_str;

use crate::response::Response;

/// A request without body.
///
/// ```
/// use taskmgr_http::Request;
/// let request = Request::new("POST", "/node/repair?keyspace=my%20ks");
/// assert_eq!((request.method(), request.path()), ("POST", "/node/repair"));
/// assert_eq!(request.query("keyspace").unwrap().as_deref(), Some("my ks"));
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    query: String,
    host: Option<String>,
}

impl Request {
    /// A request for `target`, which is `/path` or `/path?query` as it was sent, so still
    /// percent-encoded.
    ///
    /// ```
    /// let request = taskmgr_http::Request::new("GET", "/task_manager/ttl");
    /// ```
    pub fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            host: None,
        }
    }

    /// The same request with its `Host`, which the API's description of itself names.
    ///
    /// ```
    /// let request = taskmgr_http::Request::new("GET", "/api-doc/task_manager")
    ///     .with_host("127.0.0.1:10000");
    /// assert_eq!(request.host(), Some("127.0.0.1:10000"));
    /// ```
    pub fn with_host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// The method, in capitals as it was sent.
    ///
    /// ```
    /// assert_eq!(taskmgr_http::Request::new("POST", "/").method(), "POST");
    /// ```
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as it was sent, so still percent-encoded.
    ///
    /// ```
    /// assert_eq!(taskmgr_http::Request::new("GET", "/a%20b?c=d").path(), "/a%20b");
    /// ```
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The `Host` that the client asked, if it named one.
    ///
    /// ```
    /// assert_eq!(taskmgr_http::Request::new("GET", "/").host(), None);
    /// ```
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The segments of the path, decoded one by one.
    ///
    /// # Errors
    ///
    /// A ready 400 if an escape is cut off, is no number, or gives no UTF-8.
    ///
    /// ```
    /// let request = taskmgr_http::Request::new("GET", "/a%2Fb/c");
    /// assert_eq!(request.segments().unwrap(), ["a/b", "c"]);
    /// assert_eq!(taskmgr_http::Request::new("GET", "/%zz").segments().unwrap_err().status, 400);
    /// ```
    pub fn segments(&self) -> Result<Vec<String>, Response> {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        path.split('/')
            .map(|segment| decode("path segment", segment))
            .collect()
    }

    /// The decoded value of a query parameter; `None` if it is absent or empty.
    ///
    /// # Errors
    ///
    /// A ready 400 if the query is not properly encoded, or gives the parameter twice.
    ///
    /// ```
    /// let request = taskmgr_http::Request::new("GET", "/?table=&shard=1&shard=2");
    /// assert_eq!(request.query("table").unwrap(), None);
    /// assert_eq!(request.query("shard").unwrap_err().status, 400);
    /// ```
    pub fn query(&self, name: &str) -> Result<Option<String>, Response> {
        Ok(Query::parse(self)?
            .given(name)?
            .filter(|value| !value.is_empty())
            .map(str::to_owned))
    }
}

/// The query of a request, decoded.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(request: &Request) -> Result<Self, Response> {
        let mut pairs = Vec::new();
        for pair in request.query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode("name of a query parameter", &name.replace('+', " "))?;
            let what = format!("value of parameter {name:?}");
            // Forms write a space as a plus.
            pairs.push((name, decode(&what, &value.replace('+', " "))?));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter, also if it is empty.
    pub(crate) fn given(&self, name: &str) -> Result<Option<&str>, Response> {
        let mut values = self
            .0
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (Some(first), Some(second)) => Err(Response::error(
                400,
                format!(
                    "parameter {name} is given twice, as {first:?} and {second:?}; give it once"
                ),
            )),
            (first, _) => Ok(first),
        }
    }
}

#[cfg(test)]
thread_local! {
    /// How many texts this thread has decoded.
    pub(crate) static DECODED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Stricter than the crate, which lets a broken escape through as it is.
fn decode(what: &str, text: &str) -> Result<String, Response> {
    #[cfg(test)]
    DECODED.set(DECODED.get() + 1);
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    if let Some((at, _)) = text
        .match_indices('%')
        .find(|(at, _)| !(hex(at + 1) && hex(at + 2)))
    {
        let escape: String = text[at..].chars().take(3).collect();
        return Err(Response::error(
            400,
            format!(
                "the {what} is {text:?}, where {escape:?} is no escape; \
                 it should be % and two hexadecimal digits, and a plain % is %25"
            ),
        ));
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(Response::error(
            400,
            format!("the {what} is {text:?}, which decodes to no UTF-8; it should be UTF-8 text"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_escapes_are_named() {
        for target in [
            "/?ks=%",
            "/?ks=%4",
            "/?ks=%zz",
            "/?ks=a%4gb",
            "/?ks=%c3%28",
            "/?ks=%ff",
        ] {
            let refused = Request::new("GET", target).query("ks").unwrap_err();
            assert_eq!(refused.status, 400, "{target}");
            let body = String::from_utf8(refused.body).unwrap();
            assert!(body.contains("ks"), "{target}: {body}");
        }
    }

    #[test]
    fn a_query_is_decoded_like_a_form() {
        let request = Request::new("GET", "/?a=1+2&&b&c=%C3%A9&%64=x=y");
        let value = |name: &str| request.query(name).unwrap();
        assert_eq!(value("a").as_deref(), Some("1 2"));
        assert_eq!(value("b"), None);
        assert_eq!(value("c").as_deref(), Some("é"));
        assert_eq!(value("d").as_deref(), Some("x=y"));
    }
}
