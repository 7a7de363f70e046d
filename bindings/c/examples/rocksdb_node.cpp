/// A C++ host that keeps its data in RocksDB: the task manager at work in it.
///
///     cmake -S bindings/c/examples -B build && cmake --build build
///     build/rocksdb_node --help
///
/// Each column family is a keyspace. Four modules work on them:
///
/// | module | what | tasks |
/// | --- | --- | --- |
/// | `load` | writes rows | node, keyspaces; in rows |
/// | `flush` | what RocksDB flushes by itself | one each; in records |
/// | `compaction` | `CompactRange` over ranges of keys | node, keyspaces, ranges; in bytes |
/// | | what RocksDB compacts, for a range or by itself | compaction, subcompactions; in records |
/// | `backup` | a checkpoint, copied | node, steps; in bytes |
///
/// Where to read on: host.cpp starts and closes all; jobs.cpp turns RocksDB's events into tasks;
/// compaction.cpp, backup.cpp and load.cpp are the operations, and parts.cpp what they share;
/// routes.cpp has the REST endpoints, print.cpp what is printed.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include "rocksdb_node/host.hpp"
#include "rocksdb_node/options.hpp"
#include "rocksdb_node/print.hpp"
#include "rocksdb_node/stop.hpp"

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// The exit status when the host could not run at all.
constexpr int unusable = 2;

/// Where the data is: in a directory of the user's, or in one that is removed at the end.
class place {
public:
    explicit place(const options& wanted) : temporary_(!wanted.data) {
        if (wanted.data) {
            fs::create_directories(*wanted.data);
            path_ = *wanted.data;
            return;
        }
        std::string pattern = fs::temp_directory_path() / "rocksdb_node-XXXXXX";
        if (mkdtemp(pattern.data()) == nullptr) {
            throw std::system_error(errno, std::generic_category(), "cannot make " + pattern);
        }
        path_ = pattern;
    }
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() {
        std::error_code failed;
        if (temporary_ && (fs::remove_all(path_, failed), failed)) {
            std::fprintf(stderr, "rocksdb_node: cannot remove %s: %s\n", path_.c_str(),
                         failed.message().c_str());
        }
    }

    const fs::path& path() const { return path_; }
    bool is_new() const { return !fs::exists(path_ / "db"); }

private:
    fs::path path_;
    bool temporary_;
};

/// Waits for an operation, or for a signal; says whether it has succeeded.
bool follow(host& of, const taskmgr::observer& operation, stop& ends) {
    auto printed = std::chrono::steady_clock::now();
    const std::chrono::seconds every = of.wanted().print_every;
    while (!operation.is_terminal() && !ends.within(20ms)) {
        if (every > 0s && std::chrono::steady_clock::now() - printed >= every) {
            of.print_running();
            printed = std::chrono::steady_clock::now();
        }
    }
    return operation.status().state() == taskmgr::state::done;
}

/// Runs until a signal comes, and prints what is started over REST meanwhile.
void serve(host& of, stop& ends) {
    const std::chrono::seconds every = of.wanted().print_every;
    while (!ends.within(every > 0s ? every : 3600s)) {
        if (every > 0s) {
            of.print_running();
        }
    }
}

int run(const options& wanted) {
    stop ends;
    const place where(wanted);
    const bool is_new = where.is_new();
    host own(where.path(), wanted);
    print("Serving on http://" + std::string(own.address()) + "\n\n");

    bool good = true;
    if (is_new) {
        good = follow(own, own.load("", wanted.sample_size), ends);
    }
    if (wanted.exit) {
        good = good && follow(own, own.compact("", wanted.ranges), ends) &&
               follow(own, own.back_up(), ends);
    } else {
        serve(own, ends);
    }
    own.close();
    print(ends.requested() ? "Ended by a signal.\n" : "Ended.\n");
    return wanted.exit && !good ? EXIT_FAILURE : EXIT_SUCCESS;
}

int verify(const fs::path& directory) {
    for (const auto& [keyspace, rows] : count_rows(directory)) {
        print(keyspace + ": " + std::to_string(rows) + " rows\n");
    }
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const options wanted = parse(argc, argv);
        if (wanted.help) {
            print(std::string(usage()));
            return EXIT_SUCCESS;
        }
        return wanted.verify ? verify(*wanted.verify) : run(wanted);
    } catch (const usage_error& wrong) {
        std::fprintf(stderr, "rocksdb_node: %s; see --help\n", wrong.what());
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "rocksdb_node: %s\n", failed.what());
    }
    return unusable;
}
