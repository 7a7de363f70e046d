//! How a server behaves.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::config::ApiConfig;
use crate::request::Request;
use crate::response::Response;

/// The port of ScyllaDB's REST API.
const DEFAULT_PORT: u16 = 10000;

/// Longer ones would not fit into what the kernel, and the end of time, have room for.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How a [`Server`](crate::Server) behaves.
///
/// ```
/// use std::time::Duration;
/// use taskmgr_http::ServerConfig;
///
/// let config = ServerConfig::new()
///     .address("127.0.0.1:10000".parse()?)
///     .allowed_hosts(["db-1.example.org"])
///     .max_connections(512)
///     .header_timeout(Duration::from_secs(5));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone)]
pub struct ServerConfig {
    pub(super) address: SocketAddr,
    pub(super) api: ApiConfig,
    pub(super) allowed_hosts: Vec<String>,
    pub(super) max_connections: usize,
    pub(super) header_timeout: Duration,
}

impl ServerConfig {
    /// On `127.0.0.1:10000`, without test endpoints.
    ///
    /// ```
    /// let config = taskmgr_http::ServerConfig::new();
    /// ```
    pub fn new() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            api: ApiConfig::new(),
            allowed_hosts: Vec::new(),
            max_connections: 2048,
            header_timeout: Duration::from_secs(10),
        }
    }

    /// Where to listen; port 0 is any free one.
    ///
    /// The API has no authentication. On an address that is not loopback, everyone who
    /// reaches it can read and abort every task.
    ///
    /// ```
    /// # use taskmgr_http::ServerConfig;
    /// let config = ServerConfig::new().address("[::1]:0".parse()?);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Whether `/task_manager_test` is there, where a test harness makes and ends tasks.
    ///
    /// ```
    /// let config = taskmgr_http::ServerConfig::new().test_endpoints(true);
    /// ```
    pub fn test_endpoints(mut self, on: bool) -> Self {
        self.api = self.api.test_endpoints(on);
        self
    }

    /// Names, without port, by which clients may reach a server on loopback, beside IP
    /// addresses and `localhost`; pages of these hosts may send requests. On an address that
    /// is not loopback every name will do until some are given here.
    ///
    /// ```
    /// let config = taskmgr_http::ServerConfig::new().allowed_hosts(["db-1.example.org"]);
    /// ```
    pub fn allowed_hosts<I>(mut self, hosts: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.allowed_hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// How many connections to hold at once (default 2,048, at least 1); further ones wait
    /// in the kernel until one of these is over. A parked wait needs one.
    ///
    /// ```
    /// let config = taskmgr_http::ServerConfig::new().max_connections(64);
    /// ```
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections.max(1);
        self
    }

    /// How long a client may take to send a request, be idle between two, and (on Linux) take
    /// nothing in of an answer (default 10 s, at most a day).
    ///
    /// ```
    /// # use std::time::Duration;
    /// let config = taskmgr_http::ServerConfig::new().header_timeout(Duration::from_secs(2));
    /// ```
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.header_timeout = timeout.min(A_DAY);
        self
    }

    /// Routes of the host, asked for paths that the API does not know; `None` becomes a 404.
    ///
    /// They run one at a time on a thread that lists and trees use too: start long work
    /// elsewhere, and answer with the id of its task.
    ///
    /// ```
    /// use taskmgr_http::{Response, ServerConfig};
    /// let config = ServerConfig::new().fallback(|request| match request.path() {
    ///     "/node/version" if request.method() == "GET" => Some(Response::json(&"1.0")),
    ///     "/node/version" => Some(Response::not_allowed("GET")),
    ///     _ => None,
    /// });
    /// ```
    pub fn fallback(
        mut self,
        routes: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        self.api = self.api.fallback(routes);
        self
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("address", &self.address)
            .field("api", &self.api)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("max_connections", &self.max_connections)
            .field("header_timeout", &self.header_timeout)
            .finish()
    }
}
