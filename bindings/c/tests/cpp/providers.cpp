// Virtual tasks (virt_1).
#include <condition_variable>
#include <mutex>

#include "check.hpp"

namespace {

using found = std::optional<taskmgr::virtual_task>;
using all = std::vector<taskmgr::virtual_task>;

#if TASKMGR_EXCEPTIONS
template <class T>
T fails(errc code, const char* why) {
    throw taskmgr::error(code, why);
}
#define DONE return
#else
template <class T>
taskmgr::result<T> fails(errc code, const char* why) {
    return taskmgr::error(code, why);
}
#define DONE \
    return taskmgr::result<void> {}
#endif

/// A cluster with one topology change.
struct topology : taskmgr::provider {
    taskmgr::id own = taskmgr::id::random();
    std::mutex lock;
    std::vector<taskmgr::completion> watched;
    std::string reason;
    bool away = false;

    taskmgr::virtual_task describe() {
        taskmgr::virtual_task is(own, "topology change");
        is.parent_id = taskmgr::id();
        is.scope = "cluster";
        is.keyspace = "ks";
        is.table = "t";
        is.entity = "e";
        is.progress_units = "ranges";
        is.progress_completed = 3;
        is.progress_total = 8;
        is.sequence_number = 4;
        is.created_at = taskmgr::time_point() + 1s;
        is.start_time = taskmgr::time_point() + 2s;
        is.children = {{taskmgr::id::random(), "10.0.0.2"}};
        is.shard = 2;
        is.abortable = true;
        is.user_task = true;
        return is;
    }

    taskmgr::fallible<all> list() override {
        if (away) {
            return fails<all>(errc::provider, "the coordinator is away");
        }
        return all{describe(), taskmgr::virtual_task(taskmgr::id(), "of no id")};
    }
    taskmgr::fallible<found> status(const taskmgr::id& of) override {
        if (away) {
            return fails<found>(errc::provider, "the coordinator is away");
        }
        return of == own ? found(describe()) : std::nullopt;
    }
    taskmgr::fallible<void> abort(const taskmgr::id& of, std::string_view why) override {
        CHECK(of == own);
        reason = why;
        DONE;
    }
    taskmgr::fallible<void> watch(const taskmgr::id& of, taskmgr::completion done) override {
        CHECK(of == own);
        CHECK(done);
        CHECK_FALSE(done.is_cancelled());
        const std::lock_guard<std::mutex> held(lock);
        watched.push_back(std::move(done));
        DONE;
    }

    /// The completion of who waits, once it is there.
    taskmgr::completion taken() {
        for (;;) {
            std::this_thread::yield();
            const std::lock_guard<std::mutex> held(lock);
            if (!watched.empty()) {
                taskmgr::completion one = std::move(watched.back());
                watched.pop_back();
                return one;
            }
        }
    }
};

std::string told;

}  // namespace

TEST_CASE("a provider's tasks are listed, read, aborted and waited for") {
    const node on;
    const auto cluster = std::make_shared<topology>();
    OK(on.repair.register_provider(cluster));
    told.clear();
    const auto before = taskmgr::set_callback_error_handler(
        [](std::string_view where, std::string_view what) { told.append(where).append(what); });
    const taskmgr::stats_list list = OK(on.repair.list());
    taskmgr::set_callback_error_handler(before);
    CHECK(told.find("a provider listed a task that cannot be") == 0);
    CHECK(told.find("nil id") != std::string::npos);
    REQUIRE(list.size() == 1);
    CHECK(list[0].id() == cluster->own);
    CHECK(list[0].kind() == taskmgr::kind::cluster);

    const taskmgr::observer observer = OK(on.manager.observe(cluster->own));
    const taskmgr::status is = OK(observer.status());
    CHECK(is.type() == "topology change");
    CHECK(is.scope() == "cluster");
    CHECK(is.keyspace() == "ks");
    CHECK(is.table() == "t");
    CHECK(is.entity() == "e");
    CHECK(is.progress().units == "ranges");
    CHECK(is.progress().completed == 3);
    CHECK(is.progress().total == 8);
    CHECK(is.sequence_number() == 4);
    CHECK(is.created_at() == taskmgr::time_point() + 1s);
    CHECK(is.start_time() == taskmgr::time_point() + 2s);
    CHECK_FALSE(is.end_time());
    CHECK(is.children().at(0).node == "10.0.0.2");
    CHECK(is.shard() == 2);
    CHECK(is.is_abortable());
    CHECK(is.is_user_task());
    CHECK(is.state() == taskmgr::state::running);

    OK(observer.abort("enough"));
    CHECK(cluster->reason == "enough");
    FAILS(errc::not_supported, observer.suspend());
    FAILS(errc::not_supported, on.manager.take_status(cluster->own));
    CHECK(ERROR_OF(on.manager.status(taskmgr::id::random())).is_not_found());

    const taskmgr::task local = OK(on.repair.task("local part").parent_id(cluster->own).start());
    CHECK(OK(local.status()).parent_id() == cluster->own);
    CHECK(OK(observer.status()).children().size() == 2);
    OK(local.finish());
}

TEST_CASE("who waits for a virtual task is told how it ended") {
    const node on;
    const auto cluster = std::make_shared<topology>();
    OK(on.repair.register_provider(cluster));
    const taskmgr::observer observer = OK(on.manager.observe(cluster->own));

    std::thread waiter([&] { CHECK(OK(observer.wait(a_minute)).error() == "lost a node"); });
    taskmgr::completion done = cluster->taken();
    taskmgr::virtual_task ended = cluster->describe();
    ended.state = taskmgr::state::failed;
    ended.error = "lost a node";
    ended.end_time = taskmgr::time_point() + 3s;
    OK(done.complete(ended));
    waiter.join();
    CHECK_FALSE(done);
    FAILS(errc::invalid_argument, done.complete(ended));
    FAILS(errc::invalid_argument, done.fail(errc::provider, "twice"));

    const auto wait_for_error = [&](errc code, const char* words) {
        return std::thread([&observer, code, words] {
            const taskmgr::error why = ERROR_OF(observer.wait(a_minute));
            CHECK(why.code() == code);
            says(why, words);
        });
    };
    waiter = wait_for_error(errc::closed, "the cluster \xef\xbf\xbd is gone");
    OK(cluster->taken().fail(errc::closed, "the cluster \xff is gone"));
    waiter.join();

    waiter = wait_for_error(errc::provider, "without telling");
    { const taskmgr::completion dropped = cluster->taken(); }
    waiter.join();

    waiter = wait_for_error(errc::provider, "");
    says(ERROR_OF(cluster->taken().complete(cluster->describe())), "has not ended");
    waiter.join();

    waiter = wait_for_error(errc::provider, "");
    FAILS(errc::invalid_argument, cluster->taken().fail(errc::ok, "no error"));
    waiter.join();

    taskmgr::done_guard guard = OK(observer.on_done([](const auto&) {}));
    const taskmgr::completion unwanted = cluster->taken();
    CHECK_FALSE(unwanted.is_cancelled());
    guard.reset();
    CHECK(unwanted.is_cancelled());
}

TEST_CASE("a provider that fails spoils its own answer only") {
    const node on;
    const auto cluster = std::make_shared<topology>();
    OK(on.repair.register_provider(cluster));
    const taskmgr::observer observer = OK(on.manager.observe(cluster->own));
    cluster->away = true;
    const taskmgr::task job = on.start();
    const taskmgr::stats_list listed = OK(on.repair.list());
    CHECK(listed.size() == 1);
    CHECK_FALSE(listed.is_complete());
    REQUIRE(listed.missing().size() == 1);
    CHECK(listed.missing()[0].find("the coordinator is away") != std::string::npos);
    const taskmgr::error why = ERROR_OF(observer.status());
    CHECK(why.code() == errc::provider);
    says(why, "the coordinator is away");
    FAILS(errc::provider, on.manager.status(cluster->own));
    OK(job.finish());
}

TEST_CASE("a provider of lambdas, that only knows") {
    const node on;
    const taskmgr::id own = taskmgr::id::random();
    taskmgr::provider_functions functions;
    functions.list = [own] { return all{{own, "rebuild"}}; };
    functions.status = [own](const taskmgr::id& of) {
        return of == own ? found({own, "rebuild"}) : std::nullopt;
    };
    says(ERROR_OF(on.repair.register_provider(functions)), "abort");
    functions.abort = [](const taskmgr::id&, std::string_view) -> taskmgr::fallible<void> { DONE; };
    functions.watch = [](const taskmgr::id&, taskmgr::completion) -> taskmgr::fallible<void> {
        return fails<void>(errc::version_mismatch, "not in this version");
    };
    OK(on.repair.register_provider(functions));
    const taskmgr::stats_list listed = OK(on.repair.list());
    CHECK(listed[0].type() == "rebuild");
    CHECK(listed.is_complete());
    CHECK(listed.missing().empty());
    CHECK(OK(on.manager.status(own)).kind() == taskmgr::kind::cluster);
    FAILS(errc::not_abortable, on.manager.abort(own, "x"));
    // A code of C alone is none that a provider gives.
    const taskmgr::error why = ERROR_OF(on.manager.wait(own, a_minute));
    CHECK(why.code() == errc::provider);
    says(why, "not in this version");

    const taskmgr::module other = OK(on.manager.register_module("other"));
    functions.contains = [own](const taskmgr::id& of) { return of == own; };
    OK(other.register_provider(std::move(functions)));
    CHECK(ERROR_OF(on.manager.observe(taskmgr::id::random())).is_not_found());
}

TEST_CASE("a provider is needed, and destroyed once when registering fails") {
    const node on;
    says(ERROR_OF(on.repair.register_provider(std::shared_ptr<taskmgr::provider>())), "null");
    auto cluster = std::make_shared<topology>();
    const std::weak_ptr<topology> watch = cluster;
    OK(on.repair.close(0s));
    FAILS(errc::closed, on.repair.register_provider(std::move(cluster)));
    CHECK(watch.expired());
}
