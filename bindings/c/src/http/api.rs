//! From a request to a response, for hosts with an HTTP server of their own.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use taskmgr::{Error, ErrorCode};
use taskmgr_http::{Api, ApiConfig, Outcome, Request, Weight};

use super::process::Process;
use super::response::taskmgr_http_response;
use super::routes::{fallback, taskmgr_http_routes};
use super::waiting::taskmgr_http_waiting;
use crate::callback::{UserData, taskmgr_destroy};
use crate::code::taskmgr_code;
use crate::failure::Failure;
use crate::guard;
use crate::handle::{Kept, Place, get};
use crate::manager::{check_fork, node_manager, taskmgr_manager};
use crate::text::taskmgr_str;
use crate::versioned::{Given, Versioned, read};

/// How an API behaves. `TASKMGR_HTTP_API_CONFIG` initializes it with the defaults.
/// Since 0.1.0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taskmgr_http_api_config {
    /// `sizeof(taskmgr_http_api_config)`.
    pub size: usize,
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

// SAFETY: integers and pointers of C without padding: 4 * 8 + 8 bytes.
unsafe impl Versioned for taskmgr_http_api_config {
    const NAME: &'static str = "taskmgr_http_api_config";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
    const RESERVED: usize = 7;

    fn defaults() -> Self {
        Self {
            size: size_of::<Self>(),
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

impl taskmgr_http_api_config {
    fn api_config(&self) -> ApiConfig {
        let user_data = UserData::new(self.user_data, self.destroy);
        let config = ApiConfig::new().test_endpoints(self.test_endpoints != 0);
        match fallback(self.routes, user_data) {
            Some(routes) => config.fallback(routes),
            None => config,
        }
    }
}

/// The REST API of a manager, for any HTTP server; it keeps the manager. Since 0.1.0.
pub struct taskmgr_http_api(Kept<Served>);

#[derive(Clone)]
struct Served {
    api: Api,
    made_by: Process,
}

/// A copy, as a route of the host, or a callback of a task that is aborted, may free the handle.
fn kept(api: Option<&taskmgr_http_api>) -> Result<Api, Failure> {
    let served = get(api, "api")?.0.keep();
    served.made_by.check()?;
    Ok(served.api)
}

/// How much work an answer takes, so that a host can choose the thread for it; 0 is none.
/// Since 0.1.0.
pub type taskmgr_http_weight = i32;

/// Microseconds, if `taskmgr_http_api_try_handle` has an answer at all.
pub const TASKMGR_HTTP_LIGHT: taskmgr_http_weight = 1;
/// As long as many tasks, a callback of the host or one of its routes take.
pub const TASKMGR_HTTP_HEAVY: taskmgr_http_weight = 2;
/// It may block, so that only `taskmgr_http_api_handle` has an answer.
pub const TASKMGR_HTTP_BLOCKING: taskmgr_http_weight = 3;

/// Makes the REST API of a manager. A null `config` is one with the defaults.
///
/// `*api` is the caller's, to be freed with `taskmgr_http_api_free`; NULL after an error.
/// Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn taskmgr_http_api_create(
    manager: Option<&taskmgr_manager>,
    config: *const taskmgr_http_api_config,
    api: Option<&mut MaybeUninit<*mut taskmgr_http_api>>,
) -> taskmgr_code {
    guard::code(|| {
        // Null there from the start; the user data is taken before anything can fail.
        let place = Place::new(api, "api");
        let config = match config.is_null() {
            true => Given::Other(taskmgr_http_api_config::defaults()),
            // SAFETY: the C program promises that the config is as large as it says.
            false => unsafe { read(config, "config") }?,
        };
        let config = config.api_config();
        let place = place?;
        let manager = node_manager(manager)?;
        check_fork(manager)?;
        place.give(taskmgr_http_api(Kept::new(Served {
            api: Api::new(manager.clone(), config),
            made_by: Process::this(),
        })));
        Ok(())
    })
}

/// A request as C gives it.
fn request<'a>(
    method: taskmgr_str<'a>,
    target: taskmgr_str<'a>,
    host: taskmgr_str<'a>,
) -> Result<Request, Failure> {
    let request = Request::new(method.get("the method")?, target.get("the target")?);
    Ok(match host.get("the host")? {
        "" => request,
        host => request.with_host(host),
    })
}

/// Answers a request: `method` in capitals, `target` as "/path" or "/path?query" as it was sent,
/// so still percent-encoded, and the `Host` header or absent text. It may block for as long as
/// a provider of virtual tasks may take, but never for a task to end: exactly one of the two
/// results is given, and the other is NULL. A request that is refused has a response too.
///
/// `*response` is the caller's, to be freed with `taskmgr_http_response_free`; `*waiting`, a
/// wait for a task that has not ended, to be freed with `taskmgr_http_waiting_free`; both are
/// NULL after an error. Threads: any. Errors: none of its own. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_api_handle(
    api: Option<&taskmgr_http_api>,
    method: taskmgr_str<'_>,
    target: taskmgr_str<'_>,
    host: taskmgr_str<'_>,
    response: Option<&mut MaybeUninit<*mut taskmgr_http_response>>,
    waiting: Option<&mut MaybeUninit<*mut taskmgr_http_waiting>>,
) -> taskmgr_code {
    guard::code(|| {
        let ready = Place::new(response, "response");
        let parked = Place::new(waiting, "waiting")?;
        let ready = ready?;
        let api = kept(api)?;
        give(api.handle(&request(method, target, host)?), ready, parked);
        Ok(())
    })
}

/// Answers a request, as `taskmgr_http_api_handle` does, where that does not block.
///
/// `*response` is the caller's, to be freed with `taskmgr_http_response_free`; `*waiting`, a
/// wait for a task that has not ended, to be freed with `taskmgr_http_waiting_free`; both are
/// NULL after an error. Threads: any. Errors: WOULD_DEADLOCK where it would have to block: ask
/// `taskmgr_http_api_handle` on another thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_api_try_handle(
    api: Option<&taskmgr_http_api>,
    method: taskmgr_str<'_>,
    target: taskmgr_str<'_>,
    host: taskmgr_str<'_>,
    response: Option<&mut MaybeUninit<*mut taskmgr_http_response>>,
    waiting: Option<&mut MaybeUninit<*mut taskmgr_http_waiting>>,
) -> taskmgr_code {
    guard::code(|| {
        let ready = Place::new(response, "response");
        let parked = Place::new(waiting, "waiting")?;
        let ready = ready?;
        let api = kept(api)?;
        let outcome = api.try_handle(&request(method, target, host)?);
        let outcome = outcome.ok_or_else(|| {
            Error::new(
                ErrorCode::WouldDeadlock,
                "the answer to this request would block; \
                 ask taskmgr_http_api_handle on a thread that may",
            )
        })?;
        give(outcome, ready, parked);
        Ok(())
    })
}

fn give(
    outcome: Outcome,
    ready: Place<'_, taskmgr_http_response>,
    parked: Place<'_, taskmgr_http_waiting>,
) {
    match outcome {
        Outcome::Ready(response) => ready.give(taskmgr_http_response::new(&response)),
        Outcome::Waiting(waiting) => parked.give(taskmgr_http_waiting::new(waiting)),
    }
}

/// How much work the answer to a request takes.
///
/// Threads: any. Errors: 0, and the last error set, for NULL or text that is not UTF-8.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_api_weight(
    api: Option<&taskmgr_http_api>,
    method: taskmgr_str<'_>,
    target: taskmgr_str<'_>,
) -> taskmgr_http_weight {
    guard::value(0, || {
        let request = request(method, target, taskmgr_str::EMPTY)?;
        Ok(match get(api, "api")?.0.api.weight(&request) {
            Weight::Light => TASKMGR_HTTP_LIGHT,
            Weight::Heavy => TASKMGR_HTTP_HEAVY,
            Weight::Blocking => TASKMGR_HTTP_BLOCKING,
        })
    })
}

/// How many waits of an API are parked now.
///
/// Threads: any. Errors: 0 for NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_api_pending_waits(api: Option<&taskmgr_http_api>) -> usize {
    guard::value(0, || Ok(get(api, "api")?.0.api.pending_waits()))
}

/// Frees an API; waits that are parked go on.
///
/// Takes `api`; NULL is nothing. Threads: any, once no other call uses this handle; a callback
/// that such a call runs may. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_http_api_free(api: Option<Box<taskmgr_http_api>>) {
    guard::value((), || {
        drop(api);
        Ok(())
    });
}
