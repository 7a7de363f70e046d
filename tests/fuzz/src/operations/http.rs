//! The REST API through C: requests, routes of the host, parked waits, servers.

use std::ffi::c_void;

use taskmgr_c::callback::taskmgr_callback;
use taskmgr_c::code::{TASKMGR_INVALID_ARGUMENT, TASKMGR_OK};
use taskmgr_c::http::api::*;
use taskmgr_c::http::request::*;
use taskmgr_c::http::response::*;
use taskmgr_c::http::routes::taskmgr_http_routes;
use taskmgr_c::http::server::*;
use taskmgr_c::http::waiting::*;
use taskmgr_c::id::{TASKMGR_ID_TEXT, taskmgr_id_format};

use super::callbacks::{gone, work};
use super::given::{Sized, Text, raw_str, tail};
use super::pool::{Free, Out, Value};
use super::run::Run;
use super::shared::{Shared, data};
use crate::bytes::Bytes;

extern "C" fn routes(
    user_data: *mut c_void,
    request: Option<&taskmgr_http_request>,
    reply: Option<&mut taskmgr_http_reply>,
) -> i32 {
    let Some(data) = data(user_data) else {
        gone(user_data);
        return 1;
    };
    let shared = &data.shared;
    shared.text("method", taskmgr_http_request_method(request));
    shared.text("path", taskmgr_http_request_path(request));
    shared.text("host", taskmgr_http_request_host(request));
    let script = data.script(12);
    let bytes = &mut Bytes::new(&script);
    let name = Text::new(bytes);
    let mut value = Value::new(bytes, raw_str(std::ptr::null(), 7));
    let code = taskmgr_http_request_query(request, name.str(), value.place());
    shared.code("request_query", code);
    if let Some(value) = value.get() {
        shared.text("a parameter", value);
    }
    let body = Text::new(bytes);
    let status = bytes.number() as u16;
    let known = bytes.byte() & 3;
    let code = match bytes.below(4) {
        0 => TASKMGR_OK,
        1 => taskmgr_http_reply_error(reply, status, body.str()),
        2 => taskmgr_http_reply_json(None, status, body.str()),
        _ => taskmgr_http_reply_json(reply, status, body.str()),
    };
    shared.code("reply", code);
    i32::from(known)
}

/// What may go out.
fn look_at_response(shared: &Shared, response: &taskmgr_http_response, of_host: bool) {
    let it = Some(response);
    let status = taskmgr_http_response_status(it);
    let kind = shared.text("content type", taskmgr_http_response_content_type(it));
    let allow = shared.text("allow", taskmgr_http_response_allow(it));
    let body = shared.text("body", taskmgr_http_response_body(it));
    shared.demand((200..=599).contains(&status) && !kind.is_empty(), || {
        format!("a response is {status} {kind:?}")
    });
    shared.demand(allow.is_empty() != (status == 405) || of_host, || {
        format!("a response {status} allows {allow:?}")
    });
    if !of_host && !body.is_empty() && kind.contains("json") {
        let json = serde_json::from_str::<serde_json::Value>(&body);
        shared.demand(json.is_ok(), || format!("{status}, and no JSON: {body:?}"));
    }
}

const PATHS: [&str; 12] = [
    "/task_manager/list_modules",
    "/task_manager/list_module_tasks/repair",
    "/task_manager/task_status/",
    "/task_manager/abort_task/",
    "/task_manager/wait_task/",
    "/task_manager/task_status_recursive/",
    "/task_manager/ttl?ttl=",
    "/task_manager/drain/repair",
    "/api/v1/task_status_recursive/",
    "/task_manager_test/test_module",
    "/task_manager_test/test_task?task_id=",
    "/host/route?a=",
];

impl Run<'_> {
    fn target(&mut self) -> Text {
        let at = self.bytes.below(PATHS.len() + 1);
        let Some(path) = PATHS.get(at) else {
            return Text::new(&mut self.bytes);
        };
        match path.as_bytes().last() {
            Some(b'/' | b'=') => {
                let id = self.id();
                let mut text = [0; TASKMGR_ID_TEXT];
                // SAFETY: it has the room.
                let written = unsafe { taskmgr_id_format(id, text.as_mut_ptr()) };
                let id = self
                    .shared
                    .text("an id", raw_str(written, TASKMGR_ID_TEXT - 1));
                Text::of(&format!("{path}{id}"))
            }
            _ => Text::of(path),
        }
    }

    fn routes(&mut self) -> taskmgr_http_routes {
        match self.bytes.flag() {
            true => Some(routes),
            false => None,
        }
    }

    fn create_api(&mut self) {
        let manager = self.managers.pick(&mut self.bytes);
        let (user_data, destroy) = self.user_data();
        let routes = self.routes();
        let bytes = &mut self.bytes;
        let config = taskmgr_http_api_config {
            size: 0,
            routes,
            user_data,
            destroy,
            test_endpoints: bytes.byte() & 1,
            reserved: tail(bytes),
        };
        let config = Sized::new(bytes, config, |config| &mut config.size);
        let mut out = Out::new(bytes);
        // SAFETY: the config is as large as it says, or says what is refused unread.
        let code = unsafe { taskmgr_http_api_create(manager, config.as_ptr(), out.place()) };
        if !config.as_ptr().is_null() {
            self.refused_if_unreadable("http_api_create", &config, code);
        }
        if !config.readable {
            self.shared.take_back((user_data, destroy));
        }
        if let Some(api) = out.needed(&self.shared, "http_api_create", code) {
            self.apis.add(api);
        }
    }

    fn handle(&mut self) {
        const METHODS: [&str; 5] = ["GET", "POST", "DELETE", "HEAD", "get"];
        let method = match self.bytes.one_in(8) {
            true => Text::new(&mut self.bytes),
            false => Text::of(self.bytes.pick(&METHODS).unwrap_or("GET")),
        };
        let target = self.target();
        let host = Text::new(&mut self.bytes);
        let blocking = self.bytes.flag();
        Self::doomed(
            |run| &mut run.apis,
            |held| &mut held.api,
            self,
            |run, api| {
                let api = Some(api);
                let weight = taskmgr_http_api_weight(api, method.str(), target.str());
                run.shared.demand((0..=3).contains(&weight), || {
                    format!("a request weighs {weight}")
                });
                taskmgr_http_api_pending_waits(api);
                let (mut response, mut waiting) =
                    (Out::new(&mut run.bytes), Out::new(&mut run.bytes));
                let ask = match blocking {
                    true => taskmgr_http_api_handle,
                    false => taskmgr_http_api_try_handle,
                };
                let code = ask(
                    api,
                    method.str(),
                    target.str(),
                    host.str(),
                    response.place(),
                    waiting.place(),
                );
                run.answered(code, response, waiting);
            },
        );
    }

    fn answered(
        &mut self,
        code: i32,
        response: Out<taskmgr_http_response>,
        waiting: Out<taskmgr_http_waiting>,
    ) {
        self.shared.code("http_api_handle", code);
        let (response, waiting) = (
            response.either(&self.shared, "response"),
            waiting.either(&self.shared, "waiting"),
        );
        let given = usize::from(response.is_some()) + usize::from(waiting.is_some());
        self.shared
            .demand(given == usize::from(code == TASKMGR_OK), || {
                format!("a request returned {code} and {given} results")
            });
        if let Some(response) = response {
            look_at_response(&self.shared, response.get(), true);
            taskmgr_http_response::free(response);
        }
        if let Some(waiting) = waiting {
            self.waitings.add(waiting);
        }
    }

    fn call_waiting(&mut self) {
        let waiting = self.waitings.pick(&mut self.bytes);
        taskmgr_http_waiting_time_left(waiting);
        taskmgr_http_waiting_is_ready(waiting);
        match self.bytes.flag() {
            false => {
                let (data, destroy) = self.user_data();
                let callback: taskmgr_callback = match self.bytes.one_in(16) {
                    true => None,
                    false => Some(work),
                };
                let code = taskmgr_http_waiting_on_ready(waiting, callback, data, destroy);
                self.shared.code("waiting_on_ready", code);
            }
            true => {
                let mut out = Out::new(&mut self.bytes);
                let code = taskmgr_http_waiting_respond(waiting, out.place());
                if let Some(response) = out.needed(&self.shared, "waiting_respond", code) {
                    look_at_response(&self.shared, response.get(), false);
                    taskmgr_http_response::free(response);
                }
            }
        }
        self.shared.no_panic("a wait");
    }

    /// On a free port of loopback, or nowhere. Threads are dear, so there are few.
    fn serve(&mut self) {
        const ADDRESSES: [&str; 6] = [
            "127.0.0.1:0",
            "127.0.0.1",
            "nowhere",
            "[::1",
            ":",
            "1.1:65536",
        ];
        if self.servers_made >= 2 {
            return self.call_server();
        }
        self.servers_made += 1;
        let address = Text::of(self.bytes.pick(&ADDRESSES).unwrap_or("127.0.0.1:0"));
        let host = Text::new(&mut self.bytes);
        let hosts = [host.str()];
        let manager = self.managers.pick(&mut self.bytes);
        let (user_data, destroy) = self.user_data();
        let routes = self.routes();
        let bytes = &mut self.bytes;
        let (allowed_hosts, allowed_hosts_len) = match bytes.below(4) {
            0 => (hosts.as_ptr(), 1),
            1 => (std::ptr::null(), bytes.number() as usize),
            _ => (std::ptr::null(), 0),
        };
        let config = taskmgr_http_config {
            size: 0,
            address: address.str(),
            allowed_hosts,
            allowed_hosts_len,
            max_connections: bytes.number() as usize,
            header_timeout_ms: bytes.number(),
            routes,
            user_data,
            destroy,
            test_endpoints: bytes.byte() & 1,
            reserved: tail(bytes),
        };
        let config = Sized::new(bytes, config, |config| &mut config.size);
        if config.as_ptr().is_null() {
            // The defaults have a port of their own, which may be taken.
            return self.shared.take_back((user_data, destroy));
        }
        let mut out = Out::new(bytes);
        // SAFETY: the config is as large as it says, or says what is refused unread.
        let code = unsafe { taskmgr_http_serve(manager, config.as_ptr(), out.place()) };
        self.refused_if_unreadable("http_serve", &config, code);
        if !config.readable {
            self.shared.take_back((user_data, destroy));
        }
        if let Some(server) = out.needed(&self.shared, "http_serve", code) {
            let it = Some(server.get());
            let address = self.shared.text("address", taskmgr_http_server_address(it));
            let port = taskmgr_http_server_port(it);
            self.shared
                .demand(address.ends_with(&format!(":{port}")) && port != 0, || {
                    format!("a server listens at {address} on port {port}")
                });
            self.servers.add(server);
        }
    }

    fn call_server(&mut self) {
        let server = self.servers.pick(&mut self.bytes);
        taskmgr_http_server_pending_waits(server);
        let mut cut_off = Value::new(&mut self.bytes, usize::MAX);
        let code = taskmgr_http_stop(server, self.bytes.below(2) as u64, cut_off.place());
        self.shared.code("http_stop", code);
        let cut_off = cut_off.get();
        self.shared
            .demand(cut_off.is_none_or(|count| count == 0), || {
                format!("a server without connections cut off {cut_off:?}")
            });
        self.shared
            .demand(server.is_some() || code == TASKMGR_INVALID_ARGUMENT, || {
                format!("stopping NULL returned {code}")
            });
    }

    pub(super) fn call_http(&mut self) {
        match self.bytes.below(32) {
            0..=7 => self.create_api(),
            8..=24 => self.handle(),
            25..=30 => self.call_waiting(),
            _ => self.serve(),
        }
        self.shared.no_panic("a call of the REST API");
    }
}
