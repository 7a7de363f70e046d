//! Sockets: one thread, on which everything happens that takes no time.

mod client;
mod config;
mod connection;
mod dispatch;
mod lane;
mod origin;
mod shared;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use taskmgr::Manager;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::api::Api;
pub use config::ServerConfig;
use shared::Shared;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 1024;

/// How long the end of a server waits for those of the pool that are at work.
const POOL_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// One for lists, trees, aborts and the host's routes, and those of the lanes of providers. They
/// are begun as they are needed, and end when they are not.
const POOL_THREADS: usize = 1 + lane::MOST_LANES_AT_WORK;

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
