// A forked child: calls say so, and no destructor hangs (life_10).
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "check.hpp"

namespace {

/// Runs `work` in a forked child; how the child has ended.
template <class Work>
int status_of_child(Work work) {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        // A hang must not outlive the test.
        alarm(120);
        _exit(work());
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return status;
}

}  // namespace

TEST_CASE("in a forked child calls fail, and everything can go") {
    std::optional<node> on(std::in_place);
    std::optional<taskmgr::task> job = on->start();
    std::optional<taskmgr::reporter> worker = OK(job->reporter());
    std::optional<taskmgr::observer> observer = OK(job->observe());
    std::optional<taskmgr::abort_guard> guard = OK(job->on_abort([] {}));
    std::optional<taskmgr::done_guard> done = OK(observer->on_done([](const auto&) {}));
    std::atomic<bool> go = false;
    std::optional work = OK(on->repair.task("repair").spawn([&] {
        while (!go) {
            std::this_thread::yield();
        }
    }));
    const int status = status_of_child([&] {
        job->advance(1);
        worker->advance(1);
        const bool told = ERROR_OF(job->finish()).code() == errc::forked &&
                          ERROR_OF(observer->wait(0s)).code() == errc::forked &&
                          ERROR_OF(on->repair.task("repair").start()).code() == errc::forked &&
                          ERROR_OF(on->manager.modules()).code() == errc::forked &&
                          ERROR_OF(work->join()).code() == errc::forked;
        work.reset();
        guard.reset();
        done.reset();
        observer.reset();
        worker.reset();
        job.reset();
        on.reset();
        // The child may have a manager of its own.
        const node mine;
        return told && OK(mine.repair.task("repair").run([] { return 7; })) == 7 ? 42 : 1;
    });
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 42);
    go = true;
    OK(work->join());
    OK(job->finish());
}

#if !TASKMGR_EXCEPTIONS
TEST_CASE("a result that is asked for what it has not ends the process, and says why") {
    const auto ends = [](auto ask) {
        int pipe_ends[2];
        REQUIRE(pipe(pipe_ends) == 0);
        const int status = status_of_child([&] {
            std::signal(SIGABRT, SIG_DFL);
            dup2(pipe_ends[1], STDERR_FILENO);
            ask();
            return 0;
        });
        CHECK(WIFSIGNALED(status));
        CHECK(WTERMSIG(status) == SIGABRT);
        char said[200] = {};
        REQUIRE(read(pipe_ends[0], said, sizeof said - 1) > 0);
        close(pipe_ends[0]);
        close(pipe_ends[1]);
        return std::string(said);
    };
    const taskmgr::error late(errc::timeout, "too late");
    CHECK(ends([&] { static_cast<void>(taskmgr::result<int>(late).value()); }) ==
          "taskmgr: a result was used without a look at whether it failed: too late\n");
    CHECK(ends([&] { taskmgr::result<void>(late).value(); }) ==
          "taskmgr: a result was used without a look at whether it failed: too late\n");
    CHECK(ends([] { static_cast<void>(taskmgr::result<int>(7).error()); }) ==
          "taskmgr: a result was used without a look at whether it succeeded\n");
}
#endif
