// Owners and reporters: their life, progress, children (life_2, life_3, life_4, prog_1, abort_2, tree_1).
#include "check.hpp"

TEST_CASE("a task is what its builder says") {
    const node on;
    const taskmgr::id own = taskmgr::id::random();
    const taskmgr::task job = OK(on.repair.task("tablet repair")
                                     .scope("table")
                                     .keyspace("ks")
                                     .table("events")
                                     .entity("range 1")
                                     .total(8, "ranges")
                                     .shard(3)
                                     .abortable()
                                     .internal()
                                     .user_task()
                                     .id(own)
                                     .start());
    CHECK(job.id() == own);
    const taskmgr::status is = OK(job.status());
    CHECK(is.id() == own);
    CHECK(is.type() == "tablet repair");
    CHECK(is.scope() == "table");
    CHECK(is.keyspace() == "ks");
    CHECK(is.table() == "events");
    CHECK(is.entity() == "range 1");
    CHECK(is.progress().units == "ranges");
    CHECK(is.progress().total == 8);
    CHECK(is.progress().total_known);
    CHECK(is.shard() == 3);
    CHECK(is.is_abortable());
    CHECK(is.is_internal());
    CHECK(is.is_user_task());
    CHECK(is.state() == taskmgr::state::running);
    FAILS(errc::id_in_use, on.repair.task("repair").id(own).start());
    OK(job.finish());
}

TEST_CASE("a builder keeps its texts and makes any number of tasks") {
    const node on;
    taskmgr::task_builder builder = on.repair.task(std::string(200, 'r'));
    builder.keyspace(std::string(100, 'k')).units("ranges").abortable(false);
    for (const char* table : {"events", "users"}) {
        const taskmgr::task job = OK(builder.table(table).start());
        CHECK(OK(job.status()).table() == table);
        CHECK(OK(job.status()).keyspace() == std::string(100, 'k'));
        CHECK(OK(job.status()).type() == std::string(200, 'r'));
        CHECK(OK(job.status()).progress().units == "ranges");
        CHECK_FALSE(OK(job.status()).progress().total_known);
        OK(job.finish());
    }
    FAILS(errc::invalid_argument, on.repair.task("").start());
    FAILS(errc::invalid_argument, on.repair.task("a\nb").start());
    FAILS(errc::invalid_argument, on.repair.task("\xff").start());
    FAILS(errc::invalid_argument, on.repair.task("repair").shard(TASKMGR_SHARD_OF_PARENT)
                                      .table(std::string(256, 't')).start());
}

TEST_CASE("a task ends once") {
    const node on;
    const taskmgr::task job = on.start();
    FAILS(errc::already_started, job.start());
    OK(job.finish());
    FAILS(errc::already_finished, job.finish());
    FAILS(errc::already_finished, job.fail("too late"));
    CHECK(OK(job.status()).state() == taskmgr::state::done);
    CHECK(OK(job.status()).error() == "");
    FAILS(errc::parent_terminal, job.child("part").start());

    const taskmgr::task bad = on.start();
    OK(bad.fail("r\xe9seau"));
    CHECK(OK(bad.status()).state() == taskmgr::state::failed);
    CHECK(OK(bad.status()).error() == "r\xef\xbf\xbdseau");
}

TEST_CASE("a task may be made first and started later") {
    const node on;
    const taskmgr::task job = OK(on.repair.task("repair").create());
    CHECK(OK(job.status()).state() == taskmgr::state::created);
    CHECK_FALSE(OK(job.status()).start_time());
    OK(job.start());
    CHECK(OK(job.status()).start_time());
    OK(job.finish());

    const taskmgr::task unstarted = OK(on.repair.task("repair").create());
    FAILS(errc::not_started, unstarted.finish());
    CHECK(OK(unstarted.status()).state() == taskmgr::state::failed);

    const taskmgr::task aborted = OK(on.repair.task("repair").create());
    OK(aborted.abort("shutdown"));
    FAILS(errc::aborted, aborted.start());
    CHECK(OK(aborted.status()).state() == taskmgr::state::failed);

    const taskmgr::task parent = on.start();
    taskmgr::task runs = OK(parent.child("part").create());
    CHECK(OK(runs.run([&] { return runs.id(); })) == runs.id());
    taskmgr::task begun = OK(parent.child("part").create());
    OK(begun.start());
    OK(begun.run([] {}));
    taskmgr::task stopped = OK(parent.child("part").create());
    OK(stopped.abort("shutdown"));
    FAILS(errc::aborted, stopped.run([] { FAIL("its work was done"); }));
    CHECK(OK(parent.status()).child_counts().succeeded == 2);
    OK(parent.finish());
}

TEST_CASE("owners and reporters count, each by itself") {
    const node on;
    const taskmgr::task job = OK(on.repair.task("repair").units("ranges").start());
    job.advance(2);
    OK(job.try_advance(1));
    FAILS(errc::invalid_argument, job.try_advance((std::uint64_t(1) << 53) + 1));
    job.set_completed(5);
    job.set_completed(4);
    job.set_total(20);
    CHECK(OK(job.status()).progress().completed == 5);
    CHECK(OK(job.status()).progress().total == 20);
    CHECK(OK(job.status()).progress().fraction() == doctest::Approx(0.25));

    taskmgr::reporter worker = OK(job.reporter());
    CHECK(worker.id() == job.id());
    worker.advance(1);
    OK(worker.try_advance(1));
    FAILS(errc::invalid_argument, worker.try_advance((std::uint64_t(1) << 53) + 1));
    taskmgr::reporter other = OK(worker.clone());
    other.set_completed(3);
    other.set_total(30);
    OK(other.set_units("tokens"));
    CHECK(OK(job.status()).progress().units == "tokens");
    OK(job.set_units("ranges"));
    FAILS(errc::invalid_argument, job.set_units("a\nb"));
    CHECK(OK(worker.status()).progress().completed == 10);
    CHECK(OK(worker.status()).progress().total == 30);

    const taskmgr::task part = OK(worker.child("part").start());
    CHECK(OK(part.status()).parent_id() == job.id());
    OK(part.finish());
    const taskmgr::task made = OK(worker.child("part").create());
    OK(made.fail("never started"));
    CHECK(OK(OK(worker.observe()).status()).child_counts().failed == 1);
    OK(job.finish());
}

TEST_CASE("children of children") {
    const node on;
    const taskmgr::module other = OK(on.manager.register_module("streaming"));
    const taskmgr::task job = on.start("major compaction");
    const taskmgr::task table = OK(job.child("table").table("events").start());
    {
        const taskmgr::task file = OK(table.child("file").module(other).total(1, "files").start());
        file.advance(1);
        CHECK(OK(file.status()).module() == "streaming");
        CHECK(OK(file.status()).parent_id() == table.id());
        CHECK(OK(file.status()).sequence_number() == OK(job.status()).sequence_number());
        OK(file.finish());
    }
    CHECK(OK(table.status()).children().size() == 1);
    OK(table.finish());
    const taskmgr::status is = OK(job.status());
    CHECK(is.progress().completed == 1);
    CHECK(is.progress().units == "files");
    CHECK(is.children().at(0).id == table.id());
    CHECK(is.children().at(0).node == "10.0.0.1");
    CHECK(is.child_counts().succeeded == 1);
    OK(job.finish());
}

TEST_CASE("a parent is given by handle or by id, and once") {
    const node on;
    const taskmgr::task job = on.start();
    const taskmgr::task one = OK(on.repair.task("part").parent(OK(job.observe())).start());
    const taskmgr::task two = OK(on.repair.task("part").parent_id(job.id()).create());
    CHECK(OK(one.status()).parent_id() == job.id());
    CHECK(OK(two.status()).parent_id() == job.id());
    CHECK_FALSE(OK(job.status()).parent_id());
    says(ERROR_OF(job.child("part").parent_id(job.id()).start()), "parent");
    FAILS(errc::not_found, on.repair.task("part").parent_id(taskmgr::id::random()).start());
    OK(one.finish());
    OK(two.fail("not needed"));
    OK(job.finish());
}

TEST_CASE("run ends the task with its work") {
    const node on;
    taskmgr::task job = on.start();
    CHECK(OK(job.child("part").run([](taskmgr::task& part) {
        part.advance(3);
        return std::string("repaired");
    })) == "repaired");
    OK(job.child("part").run([] {}));
    const auto seven = OK(job.child("part").run([] { return std::make_unique<int>(7); }));
    CHECK(*seven == 7);
    OK(job.run([&] { CHECK(OK(job.status()).child_counts().succeeded == 3); }));
    CHECK(OK(job.status()).state() == taskmgr::state::done);
    FAILS(errc::already_finished, job.run([] {}));
    FAILS(errc::closed, [&] {
        const node shut;
        OK(shut.repair.close(0s));
        return shut.repair.task("repair").run([] {});
    }());
}

TEST_CASE("work that returns an error fails its task, and the error goes on") {
    const node on;
    const taskmgr::task job = on.start();
    const auto work = [](bool well) -> taskmgr::result<int> {
        return well ? taskmgr::result<int>(7)
                    : taskmgr::error(errc::task_failed, "the replica is down");
    };
    CHECK(OK(job.child("part").run([&] { return work(true); })) == 7);
    says(ERROR_OF(job.child("part").run([&] { return work(false); })), "the replica is down");
    CHECK(OK(job.status()).first_error() == "the replica is down");
    OK(job.finish());
}

TEST_CASE("work that was told to abort fails, whatever it returns") {
    const node on;
    const taskmgr::task job = on.start();
    const taskmgr::error why = ERROR_OF(job.child("part").run([](taskmgr::task& part) {
        OK(part.abort("enough"));
        return 7;
    }));
    CHECK(why.is_aborted());
    says(why, "enough");
    CHECK(OK(job.status()).first_error() == "aborted: enough");
    OK(job.finish());
}

TEST_CASE("an abort is seen by all below it") {
    const node on;
    const taskmgr::task job = on.start();
    const taskmgr::task part = OK(job.child("part").start());
    const taskmgr::reporter worker = OK(part.reporter());
    CHECK_FALSE(part.abort_requested());
    CHECK_FALSE(worker.abort_requested());
    OK(part.check_abort());
    OK(part.checkpoint());
    OK(worker.check_abort());
    OK(OK(job.observe()).abort("shutdown"));
    CHECK(part.abort_requested());
    CHECK(worker.abort_requested());
    for (const taskmgr::error& why : {ERROR_OF(part.check_abort()), ERROR_OF(part.checkpoint()),
                                      ERROR_OF(worker.check_abort())}) {
        CHECK(why.is_aborted());
        says(why, "aborted: shutdown");
    }
    FAILS(errc::aborted, part.child("late").start());
    FAILS(errc::aborted, part.finish());
    FAILS(errc::aborted, job.finish());
    const std::optional<taskmgr::abort_info> abort = OK(job.status()).abort();
    REQUIRE(abort);
    CHECK(abort->reason == "shutdown");
    CHECK(abort->requested_at);

    const taskmgr::task again = on.start();
    OK(OK(again.reporter()).abort("by a worker"));
    FAILS(errc::aborted, again.checkpoint());
    CHECK(OK(again.status()).abort()->polls == 1);
    CHECK(OK(again.status()).abort()->last_poll);
    OK(again.fail("stopped"));
    CHECK(OK(again.status()).error() == "aborted: by a worker: stopped");
}

TEST_CASE("an owner that goes without an end fails its task") {
    const node on;
    const taskmgr::id id = [&] { return on.start().id(); }();
    CHECK(OK(on.manager.status(id)).error() == "dropped before it finished");

    taskmgr::task job = on.start();
    const taskmgr::observer first = OK(job.observe());
    job = on.start();
    CHECK(OK(first.status()).error() == "dropped before it finished");
    OK(job.finish());

    std::optional<taskmgr::task> owner = on.start();
    const taskmgr::task other = OK(owner->clone());
    owner.reset();
    CHECK(OK(other.status()).state() == taskmgr::state::running);
    OK(other.finish());
}

TEST_CASE("what was moved from is empty") {
    const node on;
    taskmgr::task job = on.start();
    const taskmgr::task moved = std::move(job);
    CHECK(moved);
    // NOLINTBEGIN(bugprone-use-after-move): that is what is tested.
    CHECK_FALSE(job);
    CHECK(job.get() == nullptr);
    CHECK(job.id().is_nil());
    job.advance(1);
    job.set_completed(1);
    job.set_total(1);
    CHECK_FALSE(job.abort_requested());
    FAILS(errc::invalid_argument, job.finish());
    FAILS(errc::invalid_argument, job.child("part").start());
    FAILS(errc::invalid_argument, job.status());
    FAILS(errc::invalid_argument, job.on_abort([] {}));
    FAILS(errc::invalid_argument, std::move(job).spawn([] {}));

    taskmgr::reporter worker = OK(moved.reporter());
    taskmgr::reporter taken = std::move(worker);
    worker.advance(1);
    FAILS(errc::invalid_argument, worker.check_abort());
    // NOLINTEND(bugprone-use-after-move)
    taken.advance(1);
    CHECK(OK(moved.status()).progress().completed == 1);
    OK(moved.finish());
}

TEST_CASE("a handle goes to C and back") {
    const node on;
    taskmgr::task job = on.start();
    taskmgr_task* raw = job.release();
    taskmgr_task_advance(raw, 4);
    const taskmgr::task back(raw);
    CHECK(OK(back.status()).progress().completed == 4);
    CHECK(taskmgr::id(taskmgr_task_id(back.get())) == back.id());
    OK(back.finish());
}
