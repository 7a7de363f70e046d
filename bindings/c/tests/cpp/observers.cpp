// Observers, and what they see (wait_1, life_7, life_9, abort_1, fold_5).
#include <sstream>

#include "check.hpp"

TEST_CASE("an observer looks at a task and waits for it") {
    const node on;
    const taskmgr::task job = on.start();
    const taskmgr::observer observer = OK(job.observe());
    CHECK(observer.id() == job.id());
    CHECK_FALSE(OK(observer.is_terminal()));
    CHECK(OK(observer.status()).state() == taskmgr::state::running);
    CHECK_FALSE(OK(observer.status()).is_terminal());
    const taskmgr::error why = ERROR_OF(observer.wait(0s));
    CHECK(why.is_timeout());
    CHECK(why.id() == job.id());
    CHECK(ERROR_OF(observer.wait(-1s)).is_timeout());
    CHECK(ERROR_OF(observer.wait(1us)).is_timeout());

    std::thread waiter([&] { CHECK(OK(observer.wait()).state() == taskmgr::state::done); });
    OK(job.finish());
    waiter.join();
    CHECK(OK(observer.wait(a_minute)).state() == taskmgr::state::done);
    CHECK(OK(observer.is_terminal()));
}

TEST_CASE("copies of an observer share one handle, and outlive the manager") {
    std::optional<taskmgr::observer> observer;
    {
        const node on;
        observer = OK(on.start("short").observe());
    }
    taskmgr::observer copy = *observer;
    CHECK(copy.get() == observer->get());
    observer.reset();
    CHECK(OK(copy.status()).type() == "short");
    const taskmgr::observer moved = std::move(copy);
    CHECK(OK(moved.status()).state() == taskmgr::state::failed);
    // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tested.
    FAILS(errc::invalid_argument, copy.status());
}

TEST_CASE("only what is abortable is aborted by an observer") {
    const node on;
    const taskmgr::task job = OK(on.repair.task("repair").start());
    const taskmgr::error why = ERROR_OF(OK(job.observe()).abort("now"));
    CHECK(why.is_not_abortable());
    CHECK(why.id() == job.id());
    CHECK_FALSE(job.abort_requested());
    CHECK_FALSE(OK(job.status()).abort());
    FAILS(errc::invalid_argument, OK(on.start().observe()).abort("\xff"));
    OK(job.finish());
}

TEST_CASE("a suspended task sleeps in its checkpoint until it is resumed") {
    const node on;
    const taskmgr::task job = on.start();
    const taskmgr::observer observer = OK(job.observe());
    OK(observer.suspend());
    CHECK(OK(observer.status()).suspend_requested());
    OK(taskmgr::nonblocking([&] { FAILS(errc::would_deadlock, job.checkpoint()); }));
    std::thread owner([&] { OK(job.checkpoint()); });
    while (OK(observer.status()).state() != taskmgr::state::suspended) {
        std::this_thread::yield();
    }
    OK(observer.resume());
    owner.join();
    CHECK_FALSE(OK(observer.status()).suspend_requested());
    OK(job.finish());
}

TEST_CASE("a tree is a range, breadth-first, and its views outlive it") {
    const node on;
    const taskmgr::task job = on.start("root");
    const taskmgr::task one = OK(job.child("one").start());
    const taskmgr::task two = OK(job.child("two").start());
    const taskmgr::task leaf = OK(one.child("leaf").start());
    const taskmgr::observer observer = OK(job.observe());

    std::string seen;
    std::vector<taskmgr::status> kept;
    for (const taskmgr::status& each : OK(observer.status_tree())) {
        seen += std::string(each.type()) + ' ';
        kept.push_back(each);
    }
    CHECK(seen == "root one two leaf ");
    CHECK(kept.at(3).parent_id() == one.id());

    const taskmgr::status_list tree = OK(observer.status_tree());
    CHECK(tree.size() == 4);
    CHECK_FALSE(tree.empty());
    CHECK(tree[2].id() == two.id());
    CHECK(OK(tree.at(3)).id() == leaf.id());
    FAILS(errc::invalid_argument, tree.at(4));
    CHECK(tree[4].get() == nullptr);
    CHECK(tree[4].type() == "");
    CHECK(tree.begin()->type() == "root");
    auto at = tree.begin();
    CHECK((*at++).type() == "root");
    CHECK((*at).type() == "one");
    CHECK(at != tree.end());
    CHECK(std::vector<taskmgr::status>(tree.begin(), tree.end()).size() == 4);
    CHECK(tree.get() != nullptr);
    CHECK(tree.drawn() ==
          "root        running  0 %  0 of 2\n"
          "├─ one      running\n"
          "│  └─ leaf  running\n"
          "└─ two      running\n");
    std::ostringstream printed;
    printed << tree;
    CHECK(printed.str() == tree.drawn());
    for (const taskmgr::task* each : {&leaf, &one, &two, &job}) {
        OK(each->finish());
    }
}

TEST_CASE("a status has times, counts and a copy that shares") {
    const node on;
    const auto before = std::chrono::system_clock::now() - 2s;
    const taskmgr::task job = on.start();
    const taskmgr::status runs = OK(job.status());
    CHECK(runs.created_at() > before);
    CHECK(*runs.start_time() >= runs.created_at());
    CHECK_FALSE(runs.end_time());
    CHECK(runs.kind() == taskmgr::kind::node);
    CHECK(runs.module() == "repair");
    CHECK(runs.sequence_number() == 1);
    CHECK(runs.error() == "");
    CHECK(runs.first_error() == "");
    CHECK(runs.children().empty());
    CHECK_FALSE(runs.is_settled());
    CHECK_FALSE(runs.is_internal());
    CHECK_FALSE(runs.is_user_task());
    CHECK_FALSE(runs.suspend_requested());
    CHECK(runs.progress().completed == 0);
    CHECK(runs.progress().total == 1);
    CHECK(runs.progress().total_known);
    {
        const taskmgr::task part = OK(job.child("part").start());
        CHECK(OK(job.status()).child_counts().live == 1);
        CHECK(OK(job.status()).child_counts().not_kept == 0);
        OK(part.fail("lost"));
    }
    OK(job.finish());
    const taskmgr::status ended = OK(job.status());
    CHECK(*ended.end_time() >= *ended.start_time());
    CHECK(ended.is_settled());
    CHECK(ended.is_terminal());
    CHECK(ended.first_error() == "lost");
    const taskmgr::status copy = ended;
    CHECK(copy.get() == ended.get());
    CHECK(taskmgr::progress{}.fraction() == 0);
}
