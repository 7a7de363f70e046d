// What exceptions do (life_3): only where the compiler has them, whether calls throw or not.
#include "check.hpp"

#if TASKMGR_CAN_CATCH

#include <pthread.h>
#include <unistd.h>

namespace {

struct told {
    std::string where, what;
    bool current = false;
};
told last_told;

void remember(std::string_view where, std::string_view what) {
    last_told = {std::string(where), std::string(what), std::current_exception() != nullptr};
}

/// Sets the handler for one test.
struct handler {
    taskmgr::callback_error_handler before = taskmgr::set_callback_error_handler(remember);
    handler() { last_told = {}; }
    handler(const handler&) = delete;
    handler& operator=(const handler&) = delete;
    ~handler() { taskmgr::set_callback_error_handler(before); }
};

}  // namespace

TEST_CASE("an exception that leaves run fails the task with its message, and goes on") {
    const node on;
    const taskmgr::task job = on.start();
    CHECK_THROWS_WITH_AS(static_cast<void>(job.child("part").run(
                             [] { throw std::runtime_error("disk full"); })),
                         "disk full", std::runtime_error);
    CHECK(OK(job.status()).first_error() == "disk full");
    CHECK_THROWS_AS(static_cast<void>(job.child("part").run([] { throw 7; })), int);
    const taskmgr::observer other = OK(job.observe());
    taskmgr::status_list tree = OK(other.status_tree());
    CHECK(tree[2].error() == "unknown exception");
    CHECK_THROWS_AS(static_cast<void>(job.child("part").run(
                        [] { throw std::runtime_error("r\xe9seau"); })),
                    std::runtime_error);
    CHECK(OK(other.status_tree())[3].error() == "r\xef\xbf\xbdseau");
    OK(job.finish());
}

TEST_CASE("an exception that leaves a scope fails the tasks in it") {
    const node on;
    std::optional<taskmgr::observer> outer;
    std::optional<taskmgr::observer> inner;
    try {
        const taskmgr::task job = on.start();
        outer = OK(job.observe());
        const taskmgr::task part = OK(job.child("part").start());
        inner = OK(part.observe());
        throw std::runtime_error("elsewhere");
    } catch (const std::runtime_error&) {
    }
    CHECK(OK(outer->status()).error() == "left by an exception");
    CHECK(OK(inner->status()).error() == "left by an exception");

    // One that has ended before is as it was.
    try {
        const taskmgr::task job = on.start();
        outer = OK(job.observe());
        OK(job.finish());
        throw 7;
    } catch (int) {
    }
    CHECK(OK(outer->status()).state() == taskmgr::state::done);
}

TEST_CASE("a task in a destructor that unwinding calls is not left by that exception") {
    const node on;
    std::optional<taskmgr::observer> finished;
    std::optional<taskmgr::observer> dropped;
    struct cleanup {
        const node& on;
        std::optional<taskmgr::observer>&finished, &dropped;
        ~cleanup() {
            const taskmgr::task well = on.start("cleanup");
            finished = OK(well.observe());
            OK(well.finish());
            const taskmgr::task badly = on.start("cleanup");
            dropped = OK(badly.observe());
        }
    };
    try {
        const cleanup later{on, finished, dropped};
        throw 7;
    } catch (int) {
    }
    CHECK(OK(finished->status()).state() == taskmgr::state::done);
    CHECK(OK(dropped->status()).error() == "dropped before it finished");
}

TEST_CASE("an exception passes through a tree of runs") {
    const node on;
    taskmgr::task job = on.start();
    const taskmgr::observer observer = OK(job.observe());
    CHECK_THROWS_WITH_AS(static_cast<void>(job.run([](taskmgr::task& outer) {
                             static_cast<void>(outer.child("part").run(
                                 [] { throw std::runtime_error("disk full"); }));
                         })),
                         "disk full", std::runtime_error);
    const taskmgr::status_list tree = OK(observer.status_tree());
    CHECK(tree[0].error() == "disk full");
    CHECK(tree[1].error() == "disk full");
}

TEST_CASE("an exception of a thread comes out of join, or stays as the task's error") {
    const node on;
    auto work = OK(on.repair.task("repair").spawn([] { throw std::logic_error("no replica"); }));
    CHECK_THROWS_WITH_AS(static_cast<void>(work.join()), "no replica", std::logic_error);
    std::optional unjoined = OK(on.repair.task("repair").spawn([]() -> int { throw 7; }));
    const taskmgr::observer observer = unjoined->observer();
    unjoined.reset();
    CHECK(OK(observer.status()).error() == "unknown exception");
}

TEST_CASE("what callbacks throw is caught, and told to the handler") {
    const handler set;
    const node on;
    const taskmgr::task job = on.start();
    const taskmgr::abort_guard bad =
        OK(job.on_abort([] { throw std::runtime_error("from an abort"); }));
    int runs = 0;
    const taskmgr::abort_guard good = OK(job.on_abort([&] { ++runs; }));
    OK(job.abort("now"));
    CHECK(runs == 1);
    CHECK(last_told.where == "an abort callback");
    CHECK(last_told.what == "from an abort");
    CHECK(last_told.current);

    const taskmgr::done_guard done = OK(OK(job.observe()).on_done([](const auto&) { throw 7; }));
    FAILS(errc::aborted, job.finish());
    CHECK(last_told.where == "a completion callback");
    CHECK(last_told.what == "unknown exception");
}

TEST_CASE("without a handler, what a callback throws is a line on stderr") {
    const node on;
    const taskmgr::task job = on.start();
    OK(job.on_abort([] { throw std::runtime_error("nobody has me"); })).forget();
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    const int stderr_before = dup(STDERR_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
    OK(job.abort("now"));
    std::fflush(stderr);
    dup2(stderr_before, STDERR_FILENO);
    char said[200] = {};
    REQUIRE(read(pipe_ends[0], said, sizeof said - 1) > 0);
    for (const int end : {stderr_before, pipe_ends[0], pipe_ends[1]}) {
        close(end);
    }
    CHECK(std::string(said) == "taskmgr: an abort callback threw an exception: nobody has me\n");
    FAILS(errc::aborted, job.finish());
}

#if defined(__GLIBC__)
TEST_CASE("where there is no thread to be had, the task fails and spawn tells") {
    const node on;
    const taskmgr::task job = on.start();
    pthread_attr_t before;
    pthread_attr_t huge;
    REQUIRE(pthread_getattr_default_np(&before) == 0);
    REQUIRE(pthread_attr_init(&huge) == 0);
    REQUIRE(pthread_attr_setstacksize(&huge, std::size_t(1) << 46) == 0);
    REQUIRE(pthread_setattr_default_np(&huge) == 0);
    const taskmgr::error why = ERROR_OF(job.child("part").spawn([] {}));
    CHECK(pthread_setattr_default_np(&before) == 0);
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&before);
    CHECK(why.code() == errc::exhausted);
    says(why, "no thread for the task");
    CHECK(OK(job.status()).first_error() == why.what());
    OK(job.finish());
}
#endif

TEST_CASE("what nonblocking work throws goes on") {
    CHECK_THROWS_WITH_AS(static_cast<void>(taskmgr::nonblocking(
                             [] { throw std::runtime_error("in the loop"); })),
                         "in the loop", std::runtime_error);
}

TEST_CASE("what a provider throws goes to whoever asked") {
    const node on;
    const taskmgr::id own = taskmgr::id::random();
    taskmgr::provider_functions functions;
    functions.list = [&]() -> std::vector<taskmgr::virtual_task> {
        throw std::runtime_error("the coordinator is away");
    };
    functions.contains = [own](const taskmgr::id& of) { return of == own; };
    bool knows = false;
    functions.status = [&](const taskmgr::id& of) -> std::optional<taskmgr::virtual_task> {
        if (!knows) {
            throw std::runtime_error("r\xe9seau");
        }
        taskmgr::virtual_task is(of, "rebuild");
        is.abortable = true;
        return is;
    };
    functions.abort = [](const taskmgr::id&, std::string_view) -> taskmgr::fallible<void> {
        throw 7;
    };
    functions.watch = [](const taskmgr::id&, taskmgr::completion) -> taskmgr::fallible<void> {
        throw taskmgr::error(errc::closed, "the cluster is closed");
    };
    OK(on.repair.register_provider(std::move(functions)));
    CHECK(OK(on.repair.list()).empty());
    const taskmgr::observer observer = OK(on.manager.observe(own));
    taskmgr::error why = ERROR_OF(observer.status());
    CHECK(why.code() == errc::provider);
    says(why, "r\xef\xbf\xbdseau");
    knows = true;
    why = ERROR_OF(observer.wait(a_minute));
    CHECK(why.code() == errc::closed);
    says(why, "the cluster is closed");
    why = ERROR_OF(observer.abort("enough"));
    CHECK(why.code() == errc::provider);
    says(why, "unknown exception");
}

TEST_CASE("what a route throws is an answer") {
    namespace http = taskmgr::http;
    const node on;
    http::api_config config;
    config.routes = [](const http::request& request, http::reply&) -> bool {
        if (request.path() == "/bad") {
            throw taskmgr::error(errc::invalid_argument, "no such table");
        }
        if (request.path() == "/worse") {
            throw std::runtime_error("disk full");
        }
        throw 7;
    };
    const http::api api = OK(http::api::create(on.manager, config));
    const auto ask = [&](const char* target) {
        return std::get<http::response>(OK(api.handle("GET", target)));
    };
    CHECK(ask("/bad").status() == 400);
    CHECK(ask("/bad").body().find("no such table") != std::string_view::npos);
    CHECK(ask("/worse").status() == 500);
    CHECK(ask("/worse").body().find("disk full") != std::string_view::npos);
    CHECK(ask("/worst").body().find("unknown exception") != std::string_view::npos);
}

TEST_CASE("what the callback of a parked wait throws is told") {
    namespace http = taskmgr::http;
    const handler set;
    const node on;
    const taskmgr::task job = on.start();
    const http::api api = OK(http::api::create(on.manager));
    const http::answer parked =
        OK(api.handle("GET", "/task_manager/wait_task/" + job.id().to_string()));
    OK(std::get<http::waiting>(parked).on_ready([] { throw std::runtime_error("no loop"); }));
    OK(job.finish());
    CHECK(last_told.where == "a callback of a parked wait");
    CHECK(last_told.what == "no loop");
}

#endif

#if TASKMGR_EXCEPTIONS

TEST_CASE("an abort is an exception of its own type") {
    const node on;
    const taskmgr::task job = on.start();
    bool stopped = false;
    try {
        job.child("part").run([&](taskmgr::task& part) {
            job.abort("enough");
            part.check_abort();
        });
    } catch (const taskmgr::aborted_error& why) {
        stopped = true;
        CHECK(why.what() == std::string("aborted: enough"));
    }
    CHECK(stopped);
    CHECK(job.status().first_error() == "aborted: enough");
    CHECK_THROWS_AS(job.finish(), taskmgr::aborted_error);
}

TEST_CASE("a result that is asked for what it has not throws") {
    const taskmgr::error why(errc::timeout, "late");
    CHECK_THROWS_WITH_AS(taskmgr::result<int>(why).value(), "late", taskmgr::error);
    const taskmgr::error stop(errc::aborted, "");
    CHECK_THROWS_AS(*taskmgr::result<int>(stop), taskmgr::aborted_error);
    CHECK_THROWS_AS(taskmgr::result<void>(why).value(), taskmgr::error);
    CHECK_THROWS_AS(static_cast<void>(taskmgr::result<int>(7).error()), taskmgr::error);
    CHECK_THROWS_AS(static_cast<void>(taskmgr::result<void>().error()), taskmgr::error);
}

#endif
