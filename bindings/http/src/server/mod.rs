//! Sockets: one thread, on which everything happens that takes no time.

mod ask;
mod client;
mod connection;
mod lane;
mod origin;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;
use std::time::Duration;

use taskmgr::Manager;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::api::{Api, ApiConfig};
use crate::request::Request;
use crate::response::Response;
use connection::Shared;

/// The port of ScyllaDB's REST API.
const DEFAULT_PORT: u16 = 10000;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 1024;

/// Longer ones would not fit into what the kernel, and the end of time, have room for.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the end of a server waits for those of the pool that are at work.
const POOL_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// One for lists, trees, aborts and the host's routes, and those of the lanes of providers. They
/// are begun as they are needed, and end when they are not.
const POOL_THREADS: usize = 1 + lane::MOST_LANES_AT_WORK;

/// How a [`Server`] behaves.
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
    address: SocketAddr,
    api: ApiConfig,
    allowed_hosts: Vec<String>,
    max_connections: usize,
    header_timeout: Duration,
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

/// Serves the REST API of `manager`; returns once the address listens.
///
/// # Errors
///
/// As from binding the address, which the message names, and from starting a thread.
///
/// ```
/// use taskmgr_http::{ServerConfig, serve};
/// let manager = taskmgr::Manager::builder().build()?;
/// let server = serve(manager, ServerConfig::new().address("127.0.0.1:0".parse()?))?;
/// assert_ne!(server.local_addr().port(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn serve(manager: Manager, config: ServerConfig) -> io::Result<Server> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name("taskmgr-http-pool")
        .max_blocking_threads(POOL_THREADS)
        .build()?;
    let listener = listen(&runtime, config.address).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot listen on {}: {error}", config.address),
        )
    })?;
    let address = listener.local_addr()?;
    let api = Api::new(manager, config.api.clone());
    let (stop, stopped) = watch::channel(None);
    let shared = Shared::new(api.clone(), &config, address, stopped);
    let thread = std::thread::Builder::new()
        .name("taskmgr-http".into())
        .spawn(move || {
            let cut_off = runtime.block_on(connection::accept(listener, shared));
            // Threads that have nothing to do end at once, and the library may be unloaded then. A
            // provider or a route of the host that is under way is not waited for any longer.
            runtime.shutdown_timeout(POOL_ENDS_WITHIN);
            cut_off
        })?;
    Ok(Server {
        address,
        api,
        stop,
        thread: Some(thread),
        process: std::process::id(),
    })
}

fn listen(runtime: &Runtime, address: SocketAddr) -> io::Result<TcpListener> {
    let _inside = runtime.enter();
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // So that a restarted host finds its port free.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A server that runs; dropping it stops it at once.
///
/// ```
/// # use taskmgr_http::{ServerConfig, serve};
/// # let manager = taskmgr::Manager::builder().build()?;
/// let server = serve(manager, ServerConfig::new().address("127.0.0.1:0".parse()?))?;
/// assert_eq!(server.pending_waits(), 0);
/// assert_eq!(server.stop(std::time::Duration::from_secs(1)), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    address: SocketAddr,
    api: Api,
    stop: watch::Sender<Option<Duration>>,
    thread: Option<JoinHandle<usize>>,
    process: u32,
}

impl Server {
    /// Where it listens, with the port that it got.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let config = taskmgr_http::ServerConfig::new().address("127.0.0.1:0".parse()?);
    /// # let server = taskmgr_http::serve(manager, config)?;
    /// println!("http://{}/task_manager/list_modules", server.local_addr());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// How many waits are parked now.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let config = taskmgr_http::ServerConfig::new().address("127.0.0.1:0".parse()?);
    /// # let server = taskmgr_http::serve(manager, config)?;
    /// assert_eq!(server.pending_waits(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pending_waits(&self) -> usize {
        self.api.pending_waits()
    }

    /// Stops: accepts no more, answers parked waits with 503 at once, and lets whatever else
    /// is under way finish until the deadline. Returns how many connections it then cut off.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let config = taskmgr_http::ServerConfig::new().address("127.0.0.1:0".parse()?);
    /// # let server = taskmgr_http::serve(manager, config)?;
    /// if server.stop(std::time::Duration::from_secs(5)) > 0 {
    ///     eprintln!("some requests got no answer");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop(mut self, deadline: Duration) -> usize {
        self.end(deadline)
    }

    fn end(&mut self, deadline: Duration) -> usize {
        let Some(thread) = self.thread.take() else {
            return 0;
        };
        if self.process != std::process::id() {
            // In a forked child there is no such thread to wait for.
            return 0;
        }
        self.stop.send_replace(Some(deadline));
        // A server that panicked has cut off everyone already.
        thread.join().unwrap_or(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("pending_waits", &self.pending_waits())
            .finish()
    }
}
