/// The REST API: as a server, and from request to response. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_HTTP_HPP
#define TASKMGR_HTTP_HPP

#include "manager.hpp"

#if defined(TASKMGR_HTTP)

namespace taskmgr {
inline namespace TASKMGR_MODE {
namespace http {

/// A request that a route of the host answers; borrowed for the call of the route.
class request {
public:
    /// A request of the C interface.
    explicit request(const taskmgr_http_request* from) noexcept : it_(from) {}
    request(const request&) = delete;
    request& operator=(const request&) = delete;

    /// The method, e.g. "POST".
    std::string_view method() const noexcept {
        return detail::view(taskmgr_http_request_method(it_));
    }
    /// The path as it was sent, so still percent-encoded.
    std::string_view path() const noexcept { return detail::view(taskmgr_http_request_path(it_)); }
    /// The `Host` that the client asked, or "".
    std::string_view host() const noexcept { return detail::view(taskmgr_http_request_host(it_)); }
    /// The decoded value of a query parameter; "" if it is absent or empty. Errors:
    /// invalid_argument if the query is not properly encoded, or gives the parameter twice: a
    /// 400 is the answer to that.
    fallible<std::string_view> query(std::string_view name) const {
        taskmgr_str value = TASKMGR_NO_STR;
        const taskmgr_code code = taskmgr_http_request_query(it_, detail::text(name), &value);
        return detail::value<std::string_view>(code, detail::view(value));
    }

private:
    const taskmgr_http_request* it_;
};

/// Where a route of the host puts its answer; borrowed for the call of the route, and for its
/// thread.
class reply {
public:
    /// A reply of the C interface.
    explicit reply(taskmgr_http_reply* from) noexcept : it_(from) {}
    reply(const reply&) = delete;
    reply& operator=(const reply&) = delete;

    /// Answers with a status and a body that is JSON already; an empty one is no body. Errors:
    /// invalid_argument for a status below 200 or above 599.
    fallible<void> json(std::uint16_t status, std::string_view body) {
        return detail::check(taskmgr_http_reply_json(it_, status, detail::text(body)));
    }
    /// Answers with an error, as the API does: `{"message": "…", "code": status}`. Errors: as
    /// `json`.
    fallible<void> error(std::uint16_t status, std::string_view message) {
        const std::string good = detail::utf8(message);
        return detail::check(taskmgr_http_reply_error(it_, status, detail::text(good)));
    }

private:
    taskmgr_http_reply* it_;
};

/// Routes of the host, asked for paths that the API does not know: false for a path that is
/// not one of them either, which becomes a 404. With true, `reply` has the answer; without one
/// it is an empty 200. What it throws becomes a 500 with its message, or a 400 for
/// `errc::invalid_argument`. It is called on threads of the library, one at a time by a
/// server, and by `api::handle` on the thread of its caller.
using routes = std::function<bool(const request&, reply&)>;

namespace detail_http {

struct of_host {
    static std::int32_t ask(void* data, const taskmgr_http_request* asked,
                            taskmgr_http_reply* answer) noexcept {
        const request in(asked);
        reply out(answer);
        bool known = true;
        std::uint16_t status = 0;
        std::string why;
#if TASKMGR_CAN_CATCH
        try {
#endif
            known = (*static_cast<routes*>(data))(in, out);
#if TASKMGR_CAN_CATCH
        } catch (const taskmgr::error& thrown) {
            status = thrown.code() == errc::invalid_argument ? 400 : 500;
            why = thrown.what();
        } catch (const std::exception& thrown) {
            status = 500;
            why = thrown.what();
        } catch (...) {
            status = 500;
            why = "unknown exception";
        }
#endif
        if (status != 0) {
            why = detail::utf8(why);
            taskmgr_http_reply_error(answer, status, detail::text(why));
        }
        return known ? 1 : 0;
    }

    static void destroy(void* data) noexcept { delete static_cast<routes*>(data); }

    /// Puts the routes, if there are any, into a config of the C interface, which owns them.
    template <class Config>
    static void put(const routes& from, Config& into) {
        if (from) {
            into.user_data = new routes(from);
            into.routes = &ask;
            into.destroy = &destroy;
        }
    }
};

}  // namespace detail_http

/// How a server behaves.
struct config {
    /// Where to listen, e.g. "127.0.0.1:10000" or "[::1]:0"; port 0 is any free one. The API
    /// has no authentication: on an address that is not loopback, everyone who reaches it can
    /// read and abort every task.
    std::string address = "127.0.0.1:10000";
    /// Names, without port, by which clients may reach a server on loopback, beside IP
    /// addresses and `localhost`.
    std::vector<std::string> allowed_hosts;
    /// How many connections to hold at once. A parked wait needs one.
    std::size_t max_connections = 2048;
    /// How long a client may take to send a request or be idle between two.
    duration header_timeout = std::chrono::seconds(10);
    /// Routes of the host.
    http::routes routes;
    /// `/task_manager_test` is there, where a test harness makes and ends tasks.
    bool test_endpoints = false;
};

/// How an API behaves.
struct api_config {
    /// Routes of the host.
    http::routes routes;
    /// `/task_manager_test` is there, where a test harness makes and ends tasks.
    bool test_endpoints = false;
};

/// A server of the REST API. It has threads of its own, and keeps its manager. Its end stops
/// it at once, and cuts off what is under way. It moves. Threads: any but those of the server
/// (i.e. not in `routes`) for `stop` and its end.
class server {
public:
    /// Takes a server of the C interface.
    explicit server(taskmgr_http_server* from) noexcept : it_(from) {}

    /// Where it listens, with the port that it got; borrowed from this handle.
    std::string_view address() const noexcept {
        return detail::view(taskmgr_http_server_address(get()));
    }
    /// The port on which it listens.
    std::uint16_t port() const noexcept { return taskmgr_http_server_port(get()); }
    /// How many waits are parked in it now.
    std::size_t pending_waits() const noexcept { return taskmgr_http_server_pending_waits(get()); }
    /// Accepts no more, answers parked waits with 503 at once, and lets whatever else is under
    /// way finish until the deadline; gives how many connections it then cut off.
    fallible<std::size_t> stop(duration deadline) const {
        std::size_t cut_off = 0;
        const taskmgr_code code = taskmgr_http_stop(get(), deadline.count(), &cut_off);
        return detail::value<std::size_t>(code, cut_off);
    }
    /// The server as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_http_server* get() const noexcept { return it_.get(); }

private:
    detail::owned<taskmgr_http_server, taskmgr_http_server_free> it_;
};

/// Serves the REST API of a manager; returns once the address listens. Errors:
/// invalid_argument for an address that is none, system if it is taken or no thread is to be
/// had, closed.
inline fallible<server> serve(const manager& of, const config& as = {}) {
    std::vector<taskmgr_str> hosts;
    hosts.reserve(as.allowed_hosts.size());
    for (const std::string& host : as.allowed_hosts) {
        hosts.push_back(detail::text(host));
    }
    const auto timeout = detail::milliseconds_of(as.header_timeout, "the header timeout");
    if (!timeout) {
        return detail::failed<server>(timeout.error());
    }
    taskmgr_http_config all = TASKMGR_HTTP_CONFIG;
    all.address = detail::text(as.address);
    all.allowed_hosts = hosts.empty() ? nullptr : hosts.data();
    all.allowed_hosts_len = hosts.size();
    all.max_connections = as.max_connections;
    all.header_timeout_ms = *timeout;
    all.test_endpoints = as.test_endpoints ? 1 : 0;
    detail_http::of_host::put(as.routes, all);
    taskmgr_http_server* made = nullptr;
    return detail::give<server>(taskmgr_http_serve(of.get(), &all, &made), made);
}

/// The response to a request, ready to be sent. Its texts are borrowed from it. It moves.
class response {
public:
    /// Takes a response of the C interface.
    explicit response(taskmgr_http_response* from) noexcept : it_(from) {}

    /// The HTTP status.
    std::uint16_t status() const noexcept { return taskmgr_http_response_status(get()); }
    /// The type of the body; of no meaning if that is empty.
    std::string_view content_type() const noexcept {
        return detail::view(taskmgr_http_response_content_type(get()));
    }
    /// The `Allow` header, which goes with a 405, or "".
    std::string_view allow() const noexcept {
        return detail::view(taskmgr_http_response_allow(get()));
    }
    /// The body.
    std::string_view body() const noexcept {
        return detail::view(taskmgr_http_response_body(get()));
    }
    /// The response as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_http_response* get() const noexcept { return it_.get(); }

private:
    detail::owned<taskmgr_http_response, taskmgr_http_response_free> it_;
};

/// A request that waits for a task which has not ended; it costs no thread. It may go without
/// an answer, when the client has hung up. It moves; any thread may use it.
class waiting {
public:
    /// Takes a wait of the C interface.
    explicit waiting(taskmgr_http_waiting* from) noexcept : it_(from) {}

    /// For how long the client still wants to wait; none for as long as it takes. When that
    /// has passed, call `respond`. Errors: invalid_argument once it was answered.
    fallible<std::optional<std::chrono::milliseconds>> time_left() const {
        using left = std::optional<std::chrono::milliseconds>;
        return detail::value_of([&]() -> left {
            const std::uint64_t ms = taskmgr_http_waiting_time_left(get());
            return ms == TASKMGR_FOREVER ? std::nullopt : left(detail::milliseconds(ms));
        });
    }
    /// Whether the task has ended. Errors: invalid_argument once it was answered.
    fallible<bool> is_ready() const {
        return detail::value_of([&] { return taskmgr_http_waiting_is_ready(get()); });
    }
    /// Calls `callback` once when the task has ended, on the thread that ends it, or at once
    /// if it has. It must not block, and not use this wait: it tells the host's event loop to.
    /// A second call replaces the first. Errors: invalid_argument once it was answered.
    template <class F>
    fallible<void> on_ready(F&& callback) const {
        using box = detail::boxed<std::decay_t<F>>;
        auto* const data = new std::decay_t<F>(std::forward<F>(callback));
        return detail::check(
            taskmgr_http_waiting_on_ready(get(), &box::run_ready, data, &box::destroy));
    }
    /// The response: the final status, or a 408 if the task has not ended by now. The wait is
    /// over with that. Errors: invalid_argument once it was answered.
    fallible<response> respond() const {
        taskmgr_http_response* made = nullptr;
        return detail::give<response>(taskmgr_http_waiting_respond(get(), &made), made);
    }
    /// The wait as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_http_waiting* get() const noexcept { return it_.get(); }

private:
    detail::owned<taskmgr_http_waiting, taskmgr_http_waiting_free> it_;
};

/// What the answer to a request is: a response, or a wait for one.
using answer = std::variant<response, waiting>;

/// How much work an answer takes, so that a host can choose the thread for it.
enum class weight : taskmgr_http_weight {
    light = TASKMGR_HTTP_LIGHT,        ///< Microseconds, if `try_handle` has an answer at all.
    heavy = TASKMGR_HTTP_HEAVY,        ///< As long as many tasks or code of the host take.
    blocking = TASKMGR_HTTP_BLOCKING,  ///< It may block: only `handle` has an answer.
};

/// The REST API of a manager, for any HTTP server; it keeps the manager. Copies share it; any
/// thread may use it, several at once.
class api {
public:
    /// Takes an API of the C interface.
    explicit api(taskmgr_http_api* from) : it_(from, detail::free_by<taskmgr_http_api_free>{}) {}

    /// Makes the API of a manager.
    static fallible<api> create(const manager& of, const api_config& as = {}) {
        taskmgr_http_api_config all = TASKMGR_HTTP_API_CONFIG;
        all.test_endpoints = as.test_endpoints ? 1 : 0;
        detail_http::of_host::put(as.routes, all);
        taskmgr_http_api* made = nullptr;
        return detail::give<api>(taskmgr_http_api_create(of.get(), &all, &made), made);
    }

    /// Answers a request: `method` in capitals, `target` as "/path" or "/path?query" as it was
    /// sent, so still percent-encoded, and the `Host` header, if there is one. It may block for
    /// as long as a provider of virtual tasks may take, but never for a task to end. A request
    /// that is refused has a response too.
    fallible<answer> handle(std::string_view method, std::string_view target,
                            std::string_view host = {}) const {
        taskmgr_http_response* ready = nullptr;
        taskmgr_http_waiting* parked = nullptr;
        const taskmgr_code code =
            taskmgr_http_api_handle(get(), detail::text(method), detail::text(target),
                                    detail::text(host), &ready, &parked);
        return code == TASKMGR_OK ? made(ready, parked)
                                  : detail::failed<answer>(taskmgr::error::last(code));
    }

    /// The same where that does not block; none where it would: ask `handle` on another thread.
    fallible<std::optional<answer>> try_handle(std::string_view method, std::string_view target,
                                               std::string_view host = {}) const {
        using maybe = std::optional<answer>;
        taskmgr_http_response* ready = nullptr;
        taskmgr_http_waiting* parked = nullptr;
        const taskmgr_code code =
            taskmgr_http_api_try_handle(get(), detail::text(method), detail::text(target),
                                        detail::text(host), &ready, &parked);
        switch (code) {
            case TASKMGR_OK: return maybe(made(ready, parked));
            case TASKMGR_WOULD_DEADLOCK: return maybe();
            default: return detail::failed<maybe>(taskmgr::error::last(code));
        }
    }

    /// How much work the answer to a request takes. Errors: invalid_argument for text that is
    /// not UTF-8.
    fallible<http::weight> weight(std::string_view method, std::string_view target) const {
        return detail::value_of([&] {
            return static_cast<http::weight>(
                taskmgr_http_api_weight(get(), detail::text(method), detail::text(target)));
        });
    }
    /// How many waits are parked now.
    std::size_t pending_waits() const noexcept { return taskmgr_http_api_pending_waits(get()); }
    /// The API as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_http_api* get() const noexcept { return it_.get(); }

private:
    static answer made(taskmgr_http_response* ready, taskmgr_http_waiting* parked) {
        return ready != nullptr ? answer(response(ready)) : answer(waiting(parked));
    }

    std::shared_ptr<const taskmgr_http_api> it_;
};

}  // namespace http
}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif  // TASKMGR_HTTP

#endif
