#include "host.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "backup.hpp"
#include "compaction.hpp"
#include "load.hpp"
#include "print.hpp"
#include "routes.hpp"

namespace {

using namespace std::chrono_literals;

taskmgr::manager make_manager(const options& wanted) {
    return taskmgr::manager::builder()
        .node(wanted.listen.substr(0, wanted.listen.rfind(':')))
        .task_ttl(wanted.task_ttl)
        .user_task_ttl(wanted.user_task_ttl)
        .keep_on_read(wanted.keep_on_read)
        .build();
}

/// How an operation of a user begins: on one keyspace, or on all of them.
taskmgr::task_builder operation(const taskmgr::module& in, std::string_view type,
                                std::string_view keyspace) {
    auto task = in.task(type);
    task.scope(keyspace.empty() ? "node" : "keyspace").keyspace(keyspace);
    return task.user_task().abortable();
}

}  // namespace

host::host(const std::filesystem::path& directory, const options& wanted)
    : wanted_(wanted),
      backups_(directory / "backup"),
      manager_(make_manager(wanted)),
      load_(manager_.register_module("load")),
      flush_(manager_.register_module("flush")),
      compaction_(manager_.register_module("compaction")),
      backup_(manager_.register_module("backup")),
      jobs_(std::make_shared<jobs>(flush_, compaction_)),
      store_(directory / "db", jobs_) {
    taskmgr::http::config config;
    config.address = wanted.listen;
    config.routes = routes_of(*this);
    server_.emplace(taskmgr::http::serve(manager_, config));
}

host::~host() {
    try {
        close();
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "rocksdb_node: %s\n", failed.what());
    }
}

taskmgr::observer host::start(const taskmgr::task_builder& operation, work what) {
    const std::lock_guard lock(mutex_);
    if (closing_) {
        throw taskmgr::error(taskmgr::errc::closed, "the host is closing");
    }
    // What has ended is joined, which does not take long.
    running_.erase(std::remove_if(running_.begin(), running_.end(),
                                  [](const auto& one) { return one.observer().is_terminal(); }),
                   running_.end());
    auto task = operation.start();
    auto observer = task.observe();
    observer
        .on_done([observer](const taskmgr::result<taskmgr::status>&) {
            print(std::string(observer.status_tree().drawn()) + "\n");
        })
        .forget();
    running_.push_back(std::move(task).spawn(std::move(what)));
    return observer;
}

taskmgr::observer host::load(std::string_view keyspace, std::uint64_t megabytes) {
    return start(operation(load_, "load", keyspace),
                 [this, megabytes, of = store_.select(keyspace)](taskmgr::task& task) {
                     ::load(task, store_, of, megabytes);
                 });
}

taskmgr::observer host::compact(std::string_view keyspace, std::uint64_t ranges) {
    return start(operation(compaction_, "major compaction", keyspace),
                 [this, ranges, of = store_.select(keyspace)](taskmgr::task& task) {
                     ::compact(task, store_, *jobs_, of, ranges);
                 });
}

taskmgr::observer host::back_up() {
    const auto target = next_backup();
    auto task = operation(backup_, "backup", "");
    return start(task.entity(target.filename().string()),
                 [this, target](taskmgr::task& own) { ::back_up(own, store_, target); });
}

/// Backups have numbers, which go on where a host before left off.
std::filesystem::path host::next_backup() {
    const std::lock_guard lock(mutex_);
    std::filesystem::path next;
    do {
        next = backups_ / std::to_string(++backups_begun_);
    } while (std::filesystem::exists(next));
    return next;
}

void host::print_running() {
    const std::lock_guard lock(mutex_);
    for (const auto& one : running_) {
        if (!one.observer().is_terminal()) {
            print(std::string(one.observer().status_tree().drawn()) + "\n");
        }
    }
}

void host::close() {
    std::unique_lock lock(mutex_);
    if (std::exchange(closing_, true)) {
        return;
    }
    auto running = std::exchange(running_, {});
    lock.unlock();
    for (const auto& one : running) {
        one.observer().abort("the host is closing");
    }
    // This waits for their threads.
    running.clear();
    store_.close();
    jobs_->fail_the_rest("the database was closed");
    const auto report = manager_.close(10s);
    // Whoever waited for a task gets the answer.
    server_->stop(2s);
    if (!report.is_complete()) {
        throw std::runtime_error(std::to_string(report.still_running().size()) +
                                 " tasks have not ended");
    }
}
