//! Routes of the host.

use std::ffi::c_void;

use taskmgr_http::Response;

use super::request::taskmgr_http_request;
use super::response::taskmgr_http_reply;
use crate::callback::UserData;

/// Routes of the host, asked for paths that the API does not know. Returns 0 for a path that is
/// not one of them either, which becomes a 404; otherwise `taskmgr_http_reply_json` or
/// `taskmgr_http_reply_error` has told the answer, and an empty 200 goes out where neither was
/// called. Both arguments are borrowed for the call.
///
/// It is called on threads of the library, one at a time by a server, and by
/// `taskmgr_http_api_handle` on the thread of its caller. It must not throw or jump out.
/// Since 0.1.0.
pub type taskmgr_http_routes = Option<
    extern "C" fn(
        user_data: *mut c_void,
        request: Option<&taskmgr_http_request>,
        reply: Option<&mut taskmgr_http_reply>,
    ) -> i32,
>;

/// The host's routes as the API asks for them.
pub(crate) fn fallback(
    routes: taskmgr_http_routes,
    user_data: UserData,
) -> Option<impl Fn(&taskmgr_http::Request) -> Option<Response> + Send + Sync + 'static> {
    let routes = routes?;
    Some(move |request: &taskmgr_http::Request| {
        let request = taskmgr_http_request::new(request);
        let mut reply = taskmgr_http_reply(Response::empty());
        let known = routes(user_data.get(), Some(&request), Some(&mut reply));
        (known != 0).then_some(reply.0)
    })
}
