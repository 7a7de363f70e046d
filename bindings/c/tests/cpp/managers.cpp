// Managers, modules, retention, closing (mod_1, list_1, ttl_2, ttl_4, ttl_7, ttl_9).
#include "check.hpp"

TEST_CASE("a manager is what its builder says") {
    const taskmgr::manager manager = OK(taskmgr::manager::builder()
                                            .node("10.0.0.1")
                                            .task_ttl(90s)
                                            .user_task_ttl(2h)
                                            .provider_deadline(3s)
                                            .max_kept_children(2)
                                            .max_kept_per_root(100)
                                            .tombstones(10)
                                            .reaper(false)
                                            .keep_on_read()
                                            .build());
    CHECK(manager.node() == "10.0.0.1");
    CHECK(manager.task_ttl() == 90s);
    CHECK(manager.user_task_ttl() == 2h);
    CHECK(manager.keep_on_read());
    CHECK(OK(manager.set_task_ttl(10s)) == 90s);
    CHECK(OK(manager.set_user_task_ttl(20s)) == 2h);
    CHECK(manager.task_ttl() == 10s);
    CHECK(manager.user_task_ttl() == 20s);
    FAILS(errc::invalid_argument, manager.set_task_ttl(24h * 365 * 200));
    says(ERROR_OF(manager.set_task_ttl(-1s)), "negative");
    says(ERROR_OF(manager.set_user_task_ttl(-1s)), "negative");
    CHECK(manager.task_ttl() == 10s);

    const taskmgr::module repair = OK(manager.register_module("repair"));
    const taskmgr::task job = OK(repair.task("repair").start());
    for (int i = 0; i < 5; ++i) {
        OK(job.child("part").run([] {}));
    }
    CHECK(OK(job.status()).children().size() == 2);
    CHECK(OK(job.status()).child_counts().not_kept == 3);
    OK(job.finish());
}

TEST_CASE("a manager that cannot be is refused, and told why") {
    using taskmgr::manager;
    says(ERROR_OF(manager::builder().task_ttl(-1s).user_task_ttl(-2s).build()), "the task TTL");
    says(ERROR_OF(manager::builder().provider_deadline(-1s).build()), "deadline of providers");
    FAILS(errc::invalid_argument, manager::builder().task_ttl(std::chrono::hours::max()).build());
    FAILS(errc::invalid_argument, manager::builder().node("a\nb").build());
    const taskmgr::manager plain = OK(manager::builder().build());
    CHECK(plain.task_ttl() == 0s);
    CHECK(plain.user_task_ttl() == 1h);
    CHECK_FALSE(plain.keep_on_read());
    CHECK(plain.node() == "");
}

TEST_CASE("modules are registered, found and listed") {
    const node on;
    CHECK(on.repair.name() == "repair");
    FAILS(errc::module_exists, on.manager.register_module("repair"));
    FAILS(errc::invalid_argument, on.manager.register_module(""));
    CHECK(OK(on.manager.module("repair")).name() == "repair");
    says(ERROR_OF(on.manager.module("backup")), "backup");
    FAILS(errc::unknown_module, on.manager.module("backup"));
    const taskmgr::module other = OK(on.manager.register_module("backup"));
    CHECK(OK(on.manager.modules()) == std::vector<std::string>{"repair", "backup"});
    const taskmgr::module copy = other;
    CHECK(copy.get() == other.get());
}

TEST_CASE("tasks are listed through a filter") {
    const node on;
    const taskmgr::task one =
        OK(on.repair.task("repair").keyspace("ks").table("a").scope("table").start());
    const taskmgr::task two = OK(on.repair.task("rebuild").keyspace("ks").table("b").shard(2)
                                     .entity("dc1").start());
    const taskmgr::task part = OK(one.child("part").start());
    using taskmgr::filter;
    const auto ids = [&](const filter& which) {
        std::vector<taskmgr::id> all;
        for (const taskmgr::stats& each : OK(on.repair.list(which))) {
            all.push_back(each.id());
        }
        return all;
    };
    using list = std::vector<taskmgr::id>;
    CHECK(ids({}) == list{one.id(), two.id()});
    CHECK(ids(filter().internal()) == list{one.id(), two.id(), part.id()});
    CHECK(ids(filter().keyspace("ks").table("b")) == list{two.id()});
    CHECK(ids(filter().type("repair")) == list{one.id()});
    CHECK(ids(filter().scope("table")) == list{one.id()});
    CHECK(ids(filter().limit(1)) == list{one.id()});
    CHECK(ids(filter().state(taskmgr::state::done)).empty());
    CHECK(ids(filter().state(taskmgr::state::running).internal(false)).size() == 2);
    FAILS(errc::invalid_argument, on.repair.list(filter().state(static_cast<taskmgr::state>(9))));
    FAILS(errc::unknown_module, on.manager.list("backup"));

    const taskmgr::stats_list all = OK(on.manager.list("repair", filter().table("b")));
    REQUIRE(all.size() == 1);
    const taskmgr::stats is = all[0];
    CHECK(is.id() == two.id());
    CHECK(is.type() == "rebuild");
    CHECK(is.kind() == taskmgr::kind::node);
    CHECK(is.scope() == "");
    CHECK(is.state() == taskmgr::state::running);
    CHECK(is.sequence_number() == 1);
    CHECK(is.keyspace() == "ks");
    CHECK(is.table() == "b");
    CHECK(is.entity() == "dc1");
    CHECK(is.shard() == 2);
    CHECK(*is.start_time() >= is.created_at());
    CHECK_FALSE(is.end_time());
    CHECK_FALSE(is.is_internal());
    FAILS(errc::invalid_argument, all.at(1));
    OK(part.finish());
    OK(one.finish());
    OK(two.finish());
}

TEST_CASE("a task is found, read, taken and told by its id") {
    const node on;
    const taskmgr::task job = on.start();
    const taskmgr::id id = job.id();
    CHECK(OK(on.manager.observe(id)).id() == id);
    CHECK(OK(on.manager.status(id)).id() == id);
    CHECK(OK(on.manager.status_tree(id)).size() == 1);
    CHECK(OK(on.manager.read_status(id)).state() == taskmgr::state::running);
    CHECK(OK(on.manager.read_status_tree(id)).size() == 1);
    FAILS(errc::not_settled, on.manager.take_status(id));
    FAILS(errc::not_settled, on.manager.take_status_tree(id));
    CHECK(ERROR_OF(on.manager.wait(id, 0s)).is_timeout());
    OK(on.manager.suspend(id));
    OK(on.manager.resume(id));
    OK(on.manager.abort(id, "over REST"));
    FAILS(errc::aborted, job.finish());
    CHECK(OK(on.manager.wait(id)).error() == "aborted: over REST");
    CHECK(OK(on.manager.wait(id, a_minute)).id() == id);

    CHECK(OK(on.manager.take_status(id)).state() == taskmgr::state::failed);
    const taskmgr::error gone = ERROR_OF(on.manager.status(id));
    CHECK(gone.is_gone());
    CHECK(gone.id() == id);
    CHECK(gone.gone_reason() == taskmgr::gone_reason::read);
    CHECK(gone.final_state() == taskmgr::state::failed);

    const taskmgr::task other = on.start();
    OK(other.finish());
    CHECK(OK(on.manager.take_status_tree(other.id())).size() == 1);
    const taskmgr::task third = on.start();
    OK(third.finish());
    CHECK(OK(on.manager.read_status(third.id())).is_settled());
    CHECK(ERROR_OF(on.manager.read_status_tree(third.id())).is_gone());

    const taskmgr::id none = taskmgr::id::random();
    CHECK(ERROR_OF(on.manager.observe(none)).is_not_found());
    CHECK(ERROR_OF(on.manager.abort(none, "x")).is_not_found());
    CHECK(ERROR_OF(on.manager.suspend(none)).is_not_found());
    CHECK(ERROR_OF(on.manager.resume(none)).is_not_found());
    CHECK(ERROR_OF(on.manager.wait(none)).id() == none);
}

TEST_CASE("finished tasks stay for their time, by a clock that is told to move") {
    const taskmgr::manual_clock clock = OK(taskmgr::manual_clock::create());
    const taskmgr::manager manager =
        OK(taskmgr::manager::builder().task_ttl(10s).user_task_ttl(20s).clock(clock).build());
    const taskmgr::module repair = OK(manager.register_module("repair"));
    const taskmgr::task job = OK(repair.task("repair").start());
    const taskmgr::task users = OK(repair.task("repair").user_task().start());
    const taskmgr::time_point start = *OK(job.status()).start_time();
    CHECK(start == std::chrono::system_clock::from_time_t(1577836800));
    OK(clock.advance(5s));
    OK(job.finish());
    OK(users.finish());
    CHECK(*OK(job.status()).end_time() == start + 5s);
    OK(clock.advance(10s));
    CHECK(manager.tick() == 1);
    CHECK(ERROR_OF(manager.status(job.id())).gone_reason() == taskmgr::gone_reason::expired);
    CHECK(OK(manager.status(users.id())).is_user_task());
    OK(clock.advance(10s));
    CHECK(manager.tick() == 1);

    OK(clock.set_wall(start + 24h));
    const taskmgr::task later = OK(repair.task("repair").start());
    CHECK(*OK(later.status()).start_time() == start + 24h);
    OK(later.finish());
    FAILS(errc::invalid_argument, clock.set_wall(taskmgr::time_point() - 1h));
    FAILS(errc::invalid_argument, clock.advance(-1s));
    CHECK(clock.get() != nullptr);
}

TEST_CASE("with no room for what has finished nothing is kept") {
    const taskmgr::manager manager =
        OK(taskmgr::manager::builder().task_ttl(60s).max_finished_bytes(0).build());
    const taskmgr::module repair = OK(manager.register_module("repair"));
    const taskmgr::task job = OK(repair.task("repair").start());
    OK(job.finish());
    CHECK(ERROR_OF(manager.status(job.id())).gone_reason() == taskmgr::gone_reason::evicted);
    CHECK(manager.evicted() == 1);
    CHECK(manager.finished_bytes() == 0);
}

TEST_CASE("no more modules than the bound") {
    const taskmgr::manager manager = OK(taskmgr::manager::builder().max_modules(1).build());
    OK(manager.register_module("first"));
    CHECK(ERROR_OF(manager.register_module("second")).code() == taskmgr::errc::exhausted);
}

TEST_CASE("no more live tasks than the bound") {
    const taskmgr::manager manager = OK(taskmgr::manager::builder().max_live_tasks(1).build());
    const taskmgr::module repair = OK(manager.register_module("repair"));
    const taskmgr::task first = OK(repair.task("repair").start());
    CHECK(ERROR_OF(repair.task("repair").start()).code() == taskmgr::errc::exhausted);
    OK(first.finish());
    OK(OK(repair.task("repair").start()).finish());
}

TEST_CASE("a module is drained and closed") {
    const node on;
    for (int i = 0; i < 3; ++i) {
        OK(on.start().finish());
    }
    CHECK(OK(on.repair.drain()) == 3);
    OK(on.start().finish());
    CHECK(OK(on.manager.drain("repair")) == 1);
    FAILS(errc::unknown_module, on.manager.drain("backup"));

    const taskmgr::task job = on.start();
    const taskmgr::close_report report = OK(on.repair.close(0s));
    CHECK_FALSE(report.is_complete());
    CHECK(report.get() != nullptr);
    const taskmgr::stats_list running = report.still_running();
    REQUIRE(running.size() == 1);
    CHECK(running[0].id() == job.id());
    CHECK(job.abort_requested());
    FAILS(errc::closed, on.repair.task("repair").start());
    FAILS(errc::module_exists, on.manager.register_module("repair"));
    FAILS(errc::aborted, job.finish());
    const taskmgr::module again = OK(on.manager.register_module("repair"));
    CHECK(OK(on.repair.close(a_minute)).is_complete());
    FAILS(errc::closed, on.repair.drain());
    CHECK(OK(again.drain()) == 0);
    CHECK(OK(on.manager.close_module("repair", a_minute)).is_complete());
    FAILS(errc::unknown_module, on.manager.close_module("repair", 0s));
    FAILS(errc::closed, again.drain());
}

TEST_CASE("a closed manager refuses, and its handles go on") {
    const node on;
    const taskmgr::manager copy = on.manager;
    CHECK(copy.get() == on.manager.get());
    const taskmgr::observer observer = OK(on.start().observe());
    CHECK(OK(on.manager.close(a_minute)).is_complete());
    for (const taskmgr::error& why :
         {ERROR_OF(copy.register_module("x")), ERROR_OF(copy.modules()),
          ERROR_OF(copy.status(observer.id())), ERROR_OF(copy.set_task_ttl(1s))}) {
        CHECK(why.is_closed());
    }
    CHECK(OK(copy.close(0s)).is_complete());
    CHECK(OK(observer.status()).state() == taskmgr::state::failed);

    taskmgr::manager gone = copy;
    const taskmgr::manager moved = std::move(gone);
    // NOLINTBEGIN(bugprone-use-after-move): that is what is tested.
    FAILS(errc::invalid_argument, gone.modules());
    CHECK(gone.node() == "");
    CHECK(gone.tick() == 0);
    // NOLINTEND(bugprone-use-after-move)
}
