/// The host: its task manager, its database, and the operations that it can start.

#ifndef ROCKSDB_NODE_HOST_HPP
#define ROCKSDB_NODE_HOST_HPP

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <taskmgr.hpp>
#include <vector>

#include "jobs.hpp"
#include "options.hpp"
#include "parts.hpp"
#include "store.hpp"

/// Operations may be started on any thread, and each is printed as a tree when it has ended;
/// `close` is for one thread.
class host {
public:
    /// Opens the database in `directory`, and serves REST.
    host(const std::filesystem::path& directory, const options& wanted);
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    ~host();

    /// Each starts an operation on a thread of its own, on all keyspaces or the one that is
    /// named, and returns who observes it. Throws `errc::closed` once the host is closing, and
    /// `errc::invalid_argument` for an unknown keyspace.
    taskmgr::observer load(std::string_view keyspace, std::uint64_t megabytes);
    taskmgr::observer compact(std::string_view keyspace, std::uint64_t ranges);
    taskmgr::observer back_up();

    /// Where the host serves REST; borrowed from it.
    std::string_view address() const { return server_->address(); }
    const options& wanted() const { return wanted_; }
    /// Prints the trees of all operations that run.
    void print_running();

    /// Tells all operations to abort, waits for them, closes the database, the task manager and
    /// the server. Throws if something did not end.
    void close();

private:
    taskmgr::observer start(const taskmgr::task_builder& operation, work what);
    std::filesystem::path next_backup();

    const options wanted_;
    const std::filesystem::path backups_;
    const taskmgr::manager manager_;
    const taskmgr::module load_, flush_, compaction_, backup_;
    const std::shared_ptr<jobs> jobs_;
    store store_;
    /// Guards what is below.
    std::mutex mutex_;
    bool closing_ = false;
    std::uint64_t backups_begun_ = 0;
    std::vector<taskmgr::spawned<void>> running_;
    /// Last, as its routes use all the rest.
    std::optional<taskmgr::http::server> server_;
};

#endif
