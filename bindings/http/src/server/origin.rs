//! Defence against web pages: whom a request was sent to, and on whose behalf.

use std::net::IpAddr;

use hyper::Version;
use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use hyper::http::uri::{Authority, Uri};

use crate::response::Response;

/// Which hosts a server answers for.
#[derive(Debug)]
pub(super) struct Policy {
    /// Whether a name has to be known. A page can make its own name resolve to loopback, and
    /// then reads answers as its own (DNS rebinding).
    known_hosts_only: bool,
    allowed: Vec<String>,
}

impl Policy {
    pub(super) fn new(loopback: bool, allowed: &[String]) -> Self {
        Self {
            known_hosts_only: loopback || !allowed.is_empty(),
            allowed: allowed.to_vec(),
        }
    }

    /// Refuses a request to an unknown host, or from a page of another origin. Gives the host
    /// that was asked.
    pub(super) fn check(&self, parts: &Parts) -> Result<Option<Authority>, Response> {
        let header = single(&parts.headers, HOST)?;
        // A target with a host stands above the header.
        let host = match (parts.uri.authority(), header) {
            (Some(authority), _) => Some(authority.clone()),
            (None, Some(header)) => Some(authority(header)?),
            (None, None) if parts.version < Version::HTTP_11 => None,
            (None, None) => {
                return Err(Response::error(
                    400,
                    "header Host is missing; HTTP/1.1 needs one",
                ));
            }
        };
        if let Some(host) = &host {
            self.check_host(host)?;
        }
        if let Some(origin) = single(&parts.headers, ORIGIN)? {
            self.check_origin(origin, host.as_ref())?;
        }
        Ok(host)
    }

    fn check_host(&self, host: &Authority) -> Result<(), Response> {
        let name = host.host();
        let is_local = is_ip(name) || name.eq_ignore_ascii_case("localhost");
        if !self.known_hosts_only || is_local || self.is_allowed(name) {
            return Ok(());
        }
        Err(Response::error(
            403,
            format!(
                "host {name:?} is not known here; ask by an IP address or localhost, \
                 or have the name added to the allowed hosts"
            ),
        ))
    }

    /// A page may ask where it came from itself. No other page ever needs to: reading a
    /// status unregisters its task, so this holds for a GET too.
    fn check_origin(&self, origin: &str, host: Option<&Authority>) -> Result<(), Response> {
        let uri = origin.parse::<Uri>().ok();
        let from = uri.as_ref().and_then(Uri::authority);
        let same = from.is_some_and(|from| {
            host.is_some_and(|host| from.as_str().eq_ignore_ascii_case(host.as_str()))
                || self.is_allowed(from.host())
        });
        if same {
            return Ok(());
        }
        Err(Response::error(
            403,
            format!(
                "requests from pages of origin {origin:?} are refused; only the API's own are not"
            ),
        ))
    }

    fn is_allowed(&self, name: &str) -> bool {
        self.allowed
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(name))
    }
}

fn is_ip(name: &str) -> bool {
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    bare.parse::<IpAddr>().is_ok()
}

fn authority(text: &str) -> Result<Authority, Response> {
    text.parse::<Authority>()
        .ok()
        .filter(|authority| !authority.as_str().contains('@'))
        .ok_or_else(|| {
            Response::error(
                400,
                format!("header Host is {text:?}; it should be a host and a port"),
            )
        })
}

fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Response> {
    let mut values = headers.get_all(&name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Response::error(
            400,
            format!("header {name} is given twice; give it once"),
        ));
    }
    first
        .map(|value| value.to_str())
        .transpose()
        .map_err(|_| Response::error(400, format!("header {name} is no printable ASCII")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &Policy, headers: &[(&str, &str)]) -> u16 {
        let mut request = hyper::Request::builder().uri("/task_manager/ttl");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        policy
            .check(&parts)
            .map_or_else(|refused| refused.status, |_| 200)
    }

    #[test]
    fn hosts_on_loopback_are_known_ones() {
        let policy = Policy::new(true, &["db-1.example.org".to_owned()]);
        for host in [
            "127.0.0.1:10000",
            "[::1]:10000",
            "localhost",
            "LOCALHOST:1",
            "DB-1.example.org",
        ] {
            assert_eq!(check(&policy, &[("host", host)]), 200, "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
        ] {
            assert_eq!(check(&policy, &[("host", host)]), 403, "{host}");
        }
        for host in ["", "a b", "me@127.0.0.1", "http://localhost"] {
            assert_eq!(check(&policy, &[("host", host)]), 400, "{host}");
        }
        assert_eq!(check(&policy, &[]), 400);
        assert_eq!(
            check(&policy, &[("host", "localhost"), ("host", "localhost")]),
            400
        );
    }

    #[test]
    fn other_addresses_take_any_host_until_some_are_given() {
        assert_eq!(
            check(&Policy::new(false, &[]), &[("host", "db.example.org")]),
            200
        );
        let policy = Policy::new(false, &["db.example.org".to_owned()]);
        assert_eq!(check(&policy, &[("host", "db.example.org:1")]), 200);
        assert_eq!(check(&policy, &[("host", "evil.example")]), 403);
    }

    #[test]
    fn pages_of_another_origin_are_refused() {
        let policy = Policy::new(true, &["ui.example.org".to_owned()]);
        let from = |origin| check(&policy, &[("host", "127.0.0.1:10000"), ("origin", origin)]);
        assert_eq!(from("http://127.0.0.1:10000"), 200);
        assert_eq!(from("https://ui.example.org"), 200);
        for origin in [
            "http://evil.example",
            "http://127.0.0.1:3000",
            "null",
            "",
            "file://",
        ] {
            assert_eq!(from(origin), 403, "{origin}");
        }
    }
}
