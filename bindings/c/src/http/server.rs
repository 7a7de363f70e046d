//! The REST API over sockets, with one call.

use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use taskmgr::ErrorCode;
use taskmgr_http::{Server, ServerConfig};

use super::process::Process;
use super::routes::{fallback, taskmgr_http_routes};
use crate::callback::{UserData, taskmgr_destroy};
use crate::code::{TASKMGR_SYSTEM, taskmgr_code};
use crate::failure::{Failure, invalid};
use crate::guard;
use crate::handle::{Place, ValuePlace, get, slice};
use crate::manager::{node_manager, taskmgr_manager};
use crate::text::taskmgr_str;
use crate::texts::{Span, Texts};
use crate::time::duration;
use crate::versioned::{Given, Versioned, read};

/// How a server behaves. `TASKMGR_HTTP_CONFIG` initializes it with the defaults. Texts are
/// borrowed for the call. Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taskmgr_http_config<'a> {
    /// `sizeof(taskmgr_http_config)`.
    pub size: usize,
    /// Where to listen, e.g. "127.0.0.1:10000", which is the default, or `[::1]:0`; port 0 is
    /// any free one. The API has no authentication: on an address that is not loopback,
    /// everyone who reaches it can read and abort every task.
    pub address: taskmgr_str<'a>,
    /// `allowed_hosts_len` names, without port, by which clients may reach a server on
    /// loopback, beside IP addresses and `localhost`; or NULL.
    pub allowed_hosts: *const taskmgr_str<'a>,
    /// How many names there are.
    pub allowed_hosts_len: usize,
    /// How many connections to hold at once; 2,048 by default. A parked wait needs one.
    pub max_connections: usize,
    /// How long a client may take to send a request or be idle between two; 10 s by default, at
    /// most a day.
    pub header_timeout_ms: u64,
    /// Routes of the host, or NULL.
    pub routes: taskmgr_http_routes,
    /// Given to `routes`; the library's from the call on, also after an error, but for a config
    /// whose size is none.
    pub user_data: *mut c_void,
    /// Destroys the user data, once, when `routes` will not be called any more. May be NULL.
    pub destroy: taskmgr_destroy,
    /// Not 0: `/task_manager_test` is there, where a test harness makes and ends tasks.
    pub test_endpoints: u8,
    /// 0.
    pub reserved: [u8; 7],
}

// SAFETY: integers, text and pointers of C without padding: 8 + 16 + 7 * 8 + 8 bytes.
unsafe impl Versioned for taskmgr_http_config<'_> {
    const NAME: &'static str = "taskmgr_http_config";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
    const RESERVED: usize = 7;

    fn defaults() -> Self {
        Self {
            size: size_of::<Self>(),
            address: taskmgr_str::EMPTY,
            allowed_hosts: std::ptr::null(),
            allowed_hosts_len: 0,
            max_connections: 2_048,
            header_timeout_ms: 10_000,
            routes: None,
            user_data: std::ptr::null_mut(),
            destroy: None,
            test_endpoints: 0,
            reserved: [0; 7],
        }
    }

    fn refused(&self) {
        drop(UserData::new(self.user_data, self.destroy));
    }
}

impl taskmgr_http_config<'_> {
    /// # Safety
    ///
    /// `allowed_hosts` is null or points to as many texts as it says.
    unsafe fn server_config(&self) -> Result<ServerConfig, Failure> {
        // Taken before anything can fail, so that it is destroyed on every path.
        let user_data = UserData::new(self.user_data, self.destroy);
        let mut config = ServerConfig::new()
            .test_endpoints(self.test_endpoints != 0)
            .max_connections(self.max_connections)
            .header_timeout(duration(self.header_timeout_ms));
        let address = self.address.get("the address")?;
        if !address.is_empty() {
            config = config.address(parse_address(address)?);
        }
        // SAFETY: promised by the caller.
        let hosts = unsafe { slice(self.allowed_hosts, self.allowed_hosts_len) };
        let hosts = hosts.ok_or_else(|| {
            let len = self.allowed_hosts_len;
            invalid(format!(
                "allowed_hosts is a null pointer of length {len}; without any it is 0"
            ))
        })?;
        let hosts = hosts.iter().map(|host| host.get("an allowed host"));
        let hosts = hosts.collect::<Result<Vec<&str>, Failure>>()?;
        config = config.allowed_hosts(hosts);
        Ok(match fallback(self.routes, user_data) {
            Some(routes) => config.fallback(routes),
            None => config,
        })
    }
}

fn parse_address(text: &str) -> Result<SocketAddr, Failure> {
    text.parse().map_err(|_| {
        invalid(format!(
            "{text:?} is no address; it should be an IP address and a port, \
             e.g. 127.0.0.1:10000 or [::1]:0"
        ))
    })
}

/// A server of the REST API. It has threads of its own, and keeps its manager. Since 0.1.0.
pub struct taskmgr_http_server {
    server: Mutex<Option<Server>>,
    made_by: Process,
    port: u16,
    address: (Texts, Span),
}

impl taskmgr_http_server {
    fn new(server: Server) -> Self {
        let address = server.local_addr();
        Self {
            server: Mutex::new(Some(server)),
            made_by: Process::this(),
            port: address.port(),
            address: Texts::one(&address.to_string()),
        }
    }
}

/// Serves the REST API of a manager; returns once the address listens. A null `config` is one
/// with the defaults.
///
/// `*server` is the caller's, to be freed with `taskmgr_http_server_free`; NULL after an error.
/// Threads: any. Errors: INVALID_ARGUMENT for an address that is none, SYSTEM if it is taken or
/// no thread is to be had, CLOSED. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_http_serve(
    manager: Option<&taskmgr_manager>,
    config: *const taskmgr_http_config<'_>,
    server: Option<&mut MaybeUninit<*mut taskmgr_http_server>>,
) -> taskmgr_code {
    guard::code(|| {
        // Null there from the start; the user data is taken before anything can fail.
        let place = Place::new(server, "server");
        let config = match config.is_null() {
            true => Given::Other(taskmgr_http_config::defaults()),
            // SAFETY: the C program promises that the config is as large as it says.
            false => unsafe { read(config, "config") }?,
        };
        // SAFETY: the C program promises that what the config points to is as it says.
        let config = unsafe { config.server_config() };
        let place = place?;
        let manager = node_manager(manager)?;
        // In a forked child, and once it is closed, there is nothing to serve.
        manager.modules()?;
        let server = taskmgr_http::serve(manager.clone(), config?).map_err(system)?;
        place.give(taskmgr_http_server::new(server));
        Ok(())
    })
}

fn system(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::InvalidInput => Failure::Core(taskmgr::Error::new(
            ErrorCode::InvalidArgument,
            error.to_string(),
        )),
        _ => Failure::OfC(TASKMGR_SYSTEM, error.to_string()),
    }
}

/// Where a server listens, with the port that it got, e.g. "127.0.0.1:10000".
///
/// The text is borrowed from `server`. Threads: any. Errors: empty text for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_server_address(
    server: Option<&taskmgr_http_server>,
) -> taskmgr_str<'_> {
    guard::value(taskmgr_str::EMPTY, || {
        let (texts, span) = &get(server, "server")?.address;
        Ok(texts.get(*span))
    })
}

/// The port on which a server listens.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_server_port(server: Option<&taskmgr_http_server>) -> u16 {
    guard::value(0, || Ok(get(server, "server")?.port))
}

/// How many waits are parked in a server now.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_server_pending_waits(server: Option<&taskmgr_http_server>) -> usize {
    guard::value(0, || {
        let server = get(server, "server")?.server.lock();
        let server = server.unwrap_or_else(PoisonError::into_inner);
        Ok(server.as_ref().map_or(0, Server::pending_waits))
    })
}

/// Stops a server: it accepts no more, answers parked waits with 503 at once, and lets whatever
/// else is under way finish until the deadline; stopped before, it does nothing. `*cut_off` is
/// how many connections it then cut off, and `cut_off` may be NULL.
///
/// The handle stays, to be freed. Threads: any but those of the server, i.e. not in `routes`.
/// Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_stop(
    server: Option<&taskmgr_http_server>,
    deadline_ms: u64,
    cut_off: Option<&mut MaybeUninit<usize>>,
) -> taskmgr_code {
    guard::code(|| {
        let place = ValuePlace::optional(cut_off, 0);
        let handle = get(server, "server")?;
        handle.made_by.check()?;
        let running = handle.server.lock();
        let running = running.unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(running), place) = (running, place) {
            let count = running.stop(duration(deadline_ms));
            if let Some(place) = place {
                place.give(count);
            }
        }
        Ok(())
    })
}

/// Frees a server; one that runs is stopped at once, and cuts off what is under way.
///
/// Takes `server`; NULL is nothing. Threads: any but those of the server, once no other call
/// uses this handle. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_server_free(server: Option<Box<taskmgr_http_server>>) {
    guard::value((), || {
        drop(server);
        Ok(())
    });
}
