// The REST API (rest_2, rest_5).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.hpp"

namespace http = taskmgr::http;

namespace {

/// Asks a server over a socket; what it answers, whole.
std::string ask(std::uint16_t port, const std::string& request) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const std::string text =
        request + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    REQUIRE(send(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    std::string answer;
    char part[4096];
    for (ssize_t n = 0; (n = recv(fd, part, sizeof part, 0)) > 0;) {
        answer.append(part, static_cast<std::size_t>(n));
    }
    close(fd);
    return answer;
}

bool has(const std::string& text, const std::string& words) {
    INFO("in: " << text);
    const bool is = text.find(words) != std::string::npos;
    CHECK(is);
    return is;
}

/// Routes of a host that can compact.
bool route(const http::request& request, http::reply& reply) {
    if (request.path() != "/node/compact") {
        return request.path() == "/node/empty";
    }
    CHECK(request.host() == "127.0.0.1");
    CHECK(OK(request.query("absent")) == "");
#if TASKMGR_EXCEPTIONS
    const std::string_view keyspace = request.query("keyspace");
#else
    const auto asked = request.query("keyspace");
    if (!asked) {
        OK(reply.error(400, asked.error().what()));
        return true;
    }
    const std::string_view keyspace = *asked;
#endif
    FAILS(errc::invalid_argument, reply.json(99, "{}"));
    FAILS(errc::invalid_argument, reply.error(600, "x"));
    if (request.method() != "POST") {
        OK(reply.error(405, "send a POST, r\xe9"));
    } else {
        OK(reply.json(202, '"' + std::string(keyspace) + '"'));
    }
    return true;
}

}  // namespace

TEST_CASE("a server answers, with routes of the host") {
    const node on;
    http::config config;
    config.address = "127.0.0.1:0";
    config.allowed_hosts = {"db-1.example.org", "db-2.example.org"};
    config.max_connections = 16;
    config.header_timeout = 1min;
    config.routes = route;
    config.test_endpoints = true;
    const http::server server = OK(http::serve(on.manager, config));
    const std::uint16_t port = server.port();
    CHECK(server.address() == "127.0.0.1:" + std::to_string(port));
    CHECK(server.pending_waits() == 0);
    CHECK(server.get() != nullptr);

    has(ask(port, "GET /task_manager/list_modules"), "[\"repair\"]");
    has(ask(port, "POST /task_manager_test/test_module"), "200 OK");
    has(ask(port, "POST /node/compact?keyspace=my%20ks"), "202 Accepted");
    has(ask(port, "POST /node/compact?keyspace=my%20ks"), "\"my ks\"");
    has(ask(port, "GET /node/compact"), "405");
    has(ask(port, "GET /node/compact?keyspace=a&keyspace=b"), "400");
    has(ask(port, "GET /node/empty"), "200 OK");
    has(ask(port, "GET /node/none"), "404");

    http::config taken;
    taken.address = server.address();
    FAILS(errc::system, http::serve(on.manager, taken));
    CHECK(OK(server.stop(a_minute)) == 0);
}

TEST_CASE("a parked wait is answered when its server stops") {
    const node on;
    const taskmgr::task job = on.start();
    http::config config;
    config.address = "127.0.0.1:0";
    http::server server = OK(http::serve(on.manager, config));
    std::thread client([&, port = server.port()] {
        has(ask(port, "GET /task_manager/wait_task/" + job.id().to_string()), "503");
    });
    while (server.pending_waits() == 0) {
        std::this_thread::yield();
    }
    CHECK(OK(server.stop(a_minute)) == 0);
    client.join();
    const http::server moved = std::move(server);
    CHECK(moved.port() != 0);
    OK(job.finish());
}

TEST_CASE("a server that cannot be is refused") {
    const node on;
    http::config config;
    config.address = "nowhere";
    says(ERROR_OF(http::serve(on.manager, config)), "nowhere");
    config.address = "127.0.0.1:0";
    config.header_timeout = -1s;
    says(ERROR_OF(http::serve(on.manager, config)), "header timeout");
}

TEST_CASE("a request becomes a response") {
    const node on;
    http::api_config config;
    config.routes = route;
    const http::api api = OK(http::api::create(on.manager, config));
    const http::api copy = api;
    CHECK(copy.get() == api.get());

    http::answer answer = OK(api.handle("GET", "/task_manager/list_modules", "127.0.0.1"));
    const http::response response = std::get<http::response>(std::move(answer));
    CHECK(response.status() == 200);
    CHECK(response.body() == "[\"repair\"]");
    CHECK(response.content_type() == "application/json");
    CHECK(response.allow() == "");
    CHECK(response.get() != nullptr);

    std::optional<http::answer> light = OK(api.try_handle("POST", "/task_manager/list_modules"));
    REQUIRE(light);
    CHECK(std::get<http::response>(*light).status() == 405);
    CHECK(std::get<http::response>(*light).allow() != "");
    FAILS(errc::invalid_argument, api.handle("GET", "/\xff"));
    FAILS(errc::invalid_argument, api.try_handle("GET", "/\xff"));
    answer = OK(api.handle("POST", "/node/compact", "127.0.0.1"));
    CHECK(std::get<http::response>(answer).status() == 202);
    CHECK(OK(api.weight("GET", "/task_manager/ttl")) == http::weight::light);
    FAILS(errc::invalid_argument, api.weight("\xff", "/"));
}

TEST_CASE("an answer that would block is left to another thread") {
    const node on;
    taskmgr::provider_functions functions;
    functions.list = [] { return std::vector<taskmgr::virtual_task>{}; };
    functions.status = [](const taskmgr::id&) { return std::optional<taskmgr::virtual_task>(); };
    using nothing = taskmgr::fallible<void>;
    functions.abort = [](const taskmgr::id&, std::string_view) { return nothing(); };
    functions.watch = [](const taskmgr::id&, taskmgr::completion) { return nothing(); };
    OK(on.repair.register_provider(std::move(functions)));
    const http::api api = OK(http::api::create(on.manager));
    const std::string target = "/task_manager/list_module_tasks/repair";
    CHECK(OK(api.weight("GET", target)) == http::weight::heavy);
    http::api_config with_tests;
    with_tests.test_endpoints = true;
    CHECK(OK(OK(http::api::create(on.manager, with_tests))
                 .weight("DELETE", "/task_manager_test/test_module")) == http::weight::blocking);
    CHECK_FALSE(OK(api.try_handle("GET", target)));
    CHECK(std::get<http::response>(OK(api.handle("GET", target))).body() == "[]");
}

TEST_CASE("a wait costs no thread, and is answered once") {
    const node on;
    const taskmgr::task job = on.start();
    const http::api api = OK(http::api::create(on.manager));
    const std::string target = "/task_manager/wait_task/" + job.id().to_string();
    http::answer answer = OK(api.handle("GET", target + "?timeout=100"));
    const http::waiting waiting = std::get<http::waiting>(std::move(answer));
    CHECK(api.pending_waits() == 1);
    CHECK(waiting.get() != nullptr);
    CHECK_FALSE(OK(waiting.is_ready()));
    const std::optional<std::chrono::milliseconds> left = OK(waiting.time_left());
    REQUIRE(left);
    CHECK(*left > 0ms);
    CHECK(*left <= 100s);
    int ready = 0;
    OK(waiting.on_ready([] { FAIL("it was replaced"); }));
    OK(waiting.on_ready([&ready, moves = std::make_unique<int>(1)] { ready += *moves; }));
    CHECK(ready == 0);
    OK(job.finish());
    CHECK(ready == 1);
    CHECK(OK(waiting.is_ready()));
    CHECK(OK(waiting.respond()).status() == 200);
    FAILS(errc::invalid_argument, waiting.respond());
    FAILS(errc::invalid_argument, waiting.is_ready());
    FAILS(errc::invalid_argument, waiting.time_left());
    FAILS(errc::invalid_argument, waiting.on_ready([] {}));

    const taskmgr::task endless = on.start();
    const http::answer parked =
        OK(api.handle("GET", "/task_manager/wait_task/" + endless.id().to_string()));
    CHECK_FALSE(OK(std::get<http::waiting>(parked).time_left()));
    CHECK(OK(std::get<http::waiting>(parked).respond()).status() == 408);
    OK(endless.finish());
}
