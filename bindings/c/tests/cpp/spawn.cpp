// Work on a thread of its own (life_3, wait_5).
#include <atomic>

#include "check.hpp"

TEST_CASE("spawn does the work on another thread and ends the task with it") {
    const node on;
    const taskmgr::task job = on.start();
    const auto here = std::this_thread::get_id();
    auto work = OK(job.child("part").spawn([here](taskmgr::task& part) {
        part.advance(1);
        const bool elsewhere = std::this_thread::get_id() != here;
        CHECK(elsewhere);
        return std::make_unique<int>(7);
    }));
    CHECK(*OK(work.join()) == 7);
    CHECK(OK(work.observer().status()).state() == taskmgr::state::done);
    says(ERROR_OF(work.join()), "joined");

    auto nothing = OK(job.child("part").spawn([moves = std::make_unique<int>(1)] { *moves = 2; }));
    OK(nothing.join());
    CHECK(OK(job.status()).child_counts().succeeded == 2);
    OK(job.finish());
}

TEST_CASE("what the work returns as an error comes out of join") {
    const node on;
    auto work = OK(on.repair.task("repair").spawn([]() -> taskmgr::result<int> {
        return taskmgr::error(errc::task_failed, "the replica is down");
    }));
    says(ERROR_OF(work.join()), "the replica is down");
    CHECK(OK(work.observer().status()).error() == "the replica is down");
    FAILS(errc::aborted, [&] {
        const taskmgr::task job = on.start();
        OK(job.abort("first"));
        return job.child("part").spawn([] {});
    }());
}

TEST_CASE("an aborted worker stops") {
    const node on;
    auto work = OK(on.repair.task("repair").abortable().spawn([](taskmgr::task& task) {
        while (!task.abort_requested()) {
            std::this_thread::yield();
        }
    }));
    OK(work.observer().abort("enough"));
    CHECK(ERROR_OF(work.join()).is_aborted());
}

TEST_CASE("the end of a spawned task waits for its thread, unless it was detached") {
    const node on;
    std::atomic<bool> done = false;
    {
        auto work = OK(on.repair.task("repair").spawn([&] {
            std::this_thread::yield();
            done = true;
        }));
        // Moved over an empty one, and over one at work.
        auto other = OK(on.repair.task("repair").spawn([] {}));
        other = std::move(work);
    }
    CHECK(done);

    auto ended = std::make_shared<std::atomic<bool>>(false);
    std::optional<taskmgr::observer> observer;
    {
        auto work = OK(on.repair.task("repair").spawn([ended] { *ended = true; }));
        observer = work.observer();
        work.detach();
        work.detach();
        FAILS(errc::invalid_argument, work.join());
    }
    CHECK(OK(observer->wait(a_minute)).state() == taskmgr::state::done);
    CHECK(*ended);
}

TEST_CASE("joining where nothing may wait is refused") {
    const node on;
    std::atomic<bool> go = false;
    auto work = OK(on.repair.task("repair").spawn([&] {
        while (!go) {
            std::this_thread::yield();
        }
    }));
    OK(taskmgr::nonblocking([&] { FAILS(errc::would_deadlock, work.join()); }));
    go = true;
    OK(work.join());
}

TEST_CASE("a spawned task that goes inside a callback, or on its own thread, does not wait") {
    const node on;
    auto go = std::make_shared<std::atomic<bool>>(false);
    std::optional work = OK(on.repair.task("repair").spawn([go] {
        while (!*go) {
            std::this_thread::yield();
        }
    }));
    const taskmgr::observer first = work->observer();
    OK(taskmgr::nonblocking([&] { work.reset(); }));
    CHECK_FALSE(OK(first.is_terminal()));
    *go = true;
    OK(first.wait(a_minute));

    struct holder {
        std::optional<taskmgr::spawned<void>> self;
        std::atomic<bool> ready = false;
        std::atomic<bool> refused = false;
    };
    auto box = std::make_shared<holder>();
    auto own = OK(on.repair.task("repair").spawn([box] {
        while (!box->ready) {
            std::this_thread::yield();
        }
        box->refused = ERROR_OF(box->self->join()).code() == errc::would_deadlock;
        box->self.reset();
    }));
    const taskmgr::observer second = own.observer();
    box->self = std::move(own);
    box->ready = true;
    OK(second.wait(a_minute));
    CHECK(box->refused);
}
