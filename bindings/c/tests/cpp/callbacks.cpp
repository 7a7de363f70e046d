// Callbacks and their guards (abort_4, wait_3, wait_5).
#include <atomic>

#include "check.hpp"

namespace {

/// Counts how often it was destroyed, wherever it was moved to.
struct counted {
    explicit counted(int& of) : destroyed(&of) {}
    counted(counted&& other) noexcept : destroyed(std::exchange(other.destroyed, nullptr)) {}
    ~counted() {
        if (destroyed != nullptr) {
            ++*destroyed;
        }
    }
    int* destroyed;
};

}  // namespace

TEST_CASE("an abort callback runs once, on the thread that aborts") {
    const node on;
    const taskmgr::task job = on.start();
    int runs = 0;
    int destroyed = 0;
    taskmgr::abort_guard guard = OK(job.on_abort(
        [&runs, here = std::this_thread::get_id(), data = counted(destroyed)] {
            ++runs;
            CHECK(std::this_thread::get_id() == here);
        }));
    CHECK(guard);
    CHECK(destroyed == 0);
    OK(job.abort("now"));
    OK(job.abort("again"));
    CHECK(runs == 1);
    guard.reset();
    CHECK_FALSE(guard);
    CHECK(destroyed == 1);

    // The abort came first.
    const taskmgr::abort_guard late = OK(job.on_abort([&] { ++runs; }));
    CHECK(runs == 2);
    const taskmgr::reporter worker = OK(job.reporter());
    const taskmgr::abort_guard theirs = OK(worker.on_abort([&] { ++runs; }));
    CHECK(runs == 3);
    FAILS(errc::aborted, job.finish());
}

TEST_CASE("an abort callback is destroyed unrun with its guard or its task") {
    const node on;
    const taskmgr::task job = on.start();
    int destroyed = 0;
    const auto never = [&] { return [data = counted(destroyed)] { FAIL("it has run"); }; };
    { const taskmgr::abort_guard guard = OK(job.on_abort(never())); }
    CHECK(destroyed == 1);
    taskmgr::abort_guard one = OK(job.on_abort(never()));
    taskmgr::abort_guard other = std::move(one);
    other = OK(job.on_abort(never()));
    CHECK(destroyed == 2);
    OK(job.on_abort(never())).forget();
    other.forget();
    CHECK_FALSE(other);
    CHECK(destroyed == 2);
    OK(job.finish());
    CHECK(destroyed == 4);
    // A call that fails destroys it too.
    taskmgr::task gone = on.start();
    const taskmgr::task moved = std::move(gone);
    // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tested.
    FAILS(errc::invalid_argument, gone.on_abort(never()));
    CHECK(destroyed == 5);
    OK(moved.finish());
}

TEST_CASE("a completion callback gets the final status once") {
    const node on;
    const taskmgr::task job = on.start();
    int runs = 0;
    int destroyed = 0;
    std::optional<taskmgr::status> kept;
    const auto note = [&](const taskmgr::result<taskmgr::status>& ended) {
        ++runs;
        kept = *ended;
    };
    const taskmgr::done_guard guard =
        OK(OK(job.observe()).on_done([note, data = counted(destroyed)](const auto& ended) {
            note(ended);
        }));
    OK(on.manager.on_done(job.id(), note)).forget();
    { const taskmgr::done_guard unrun = OK(on.manager.on_done(job.id(), note)); }
    CHECK(runs == 0);
    OK(job.finish());
    CHECK(runs == 2);
    CHECK(destroyed == 1);
    CHECK(kept->state() == taskmgr::state::done);
    CHECK(kept->id() == job.id());

    const taskmgr::done_guard late = OK(OK(job.observe()).on_done(note));
    CHECK(runs == 3);
    FAILS(errc::not_found, on.manager.on_done(taskmgr::id::random(), note));
}

TEST_CASE("a completion callback is told of a manager that was closed") {
    const node on;
    const taskmgr::task job = on.start();
    errc code = errc::ok;
    const taskmgr::done_guard guard =
        OK(OK(job.observe()).on_done([&](const taskmgr::result<taskmgr::status>& ended) {
            code = ended.code();
            CHECK_FALSE(ended);
        }));
    CHECK_FALSE(OK(on.manager.close(0s)).is_complete());
    CHECK(code == errc::closed);
    FAILS(errc::aborted, job.finish());
}

TEST_CASE("the end of a guard waits for a callback that runs on another thread") {
    const node on;
    const taskmgr::task job = on.start();
    std::atomic<bool> begun = false;
    std::atomic<bool> over = false;
    taskmgr::abort_guard guard = OK(job.on_abort([&] {
        begun = true;
        for (int i = 0; i < 1000; ++i) {
            std::this_thread::yield();
        }
        over = true;
    }));
    std::thread aborter([&] { OK(job.abort("now")); });
    while (!begun) {
        std::this_thread::yield();
    }
    guard.reset();
    CHECK(over);
    aborter.join();
    FAILS(errc::aborted, job.finish());
}

TEST_CASE("in a callback no call blocks") {
    const node on;
    const taskmgr::task job = on.start();
    const taskmgr::observer other = OK(OK(job.child("part").start()).observe());
    const taskmgr::task running = on.start();
    const taskmgr::observer runs = OK(running.observe());
    errc code = errc::ok;
    const taskmgr::abort_guard guard =
        OK(job.on_abort([&] { code = ERROR_OF(runs.wait()).code(); }));
    OK(job.abort("now"));
    CHECK(code == errc::would_deadlock);
    OK(taskmgr::nonblocking([&] {
        FAILS(errc::would_deadlock, runs.wait(a_minute));
        CHECK(OK(runs.status()).state() == taskmgr::state::running);
        return 7;
    }));
    CHECK(ERROR_OF(runs.wait(0s)).is_timeout());
    OK(running.finish());
    FAILS(errc::aborted, job.finish());
}

TEST_CASE("the handler of callbacks that throw can be set, and set back") {
    const auto mine = [](std::string_view, std::string_view) {};
    const taskmgr::callback_error_handler before = taskmgr::set_callback_error_handler(mine);
    const bool has_default = before != nullptr;
    CHECK(has_default);
    const bool was_mine = taskmgr::set_callback_error_handler(nullptr) == mine;
    CHECK(was_mine);
    const bool is_default = taskmgr::set_callback_error_handler(before) == before;
    CHECK(is_default);
}
