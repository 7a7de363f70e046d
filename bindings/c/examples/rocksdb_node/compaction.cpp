#include "compaction.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>

#include "parts.hpp"

namespace {

using namespace std::chrono_literals;

/// Keys from the first to the last, both included; none is as far as there are keys.
struct range {
    std::optional<std::string> first, last;
    std::uint64_t bytes = 0;
};

std::uint64_t bytes_in(const store& in, const keyspace& of, const std::string& first,
                       const std::string& last) {
    const rocksdb::Range keys(first, last);
    std::uint64_t bytes = 0;
    check(in.db().GetApproximateSizes({}, of.handle, &keys, 1, &bytes),
          "cannot tell the size of a range");
    return bytes;
}

/// Splits a keyspace where files of its largest level begin. A range ends with the last key before
/// the next one at which any file begins or ends: so each file is in some range, and few in two.
std::vector<range> split(const store& in, const keyspace& of, std::size_t ranges) {
    // Rows in memtables are part of it, and have neither a size nor a place in a level.
    check(in.db().Flush({}, of.handle), "cannot flush");
    rocksdb::ColumnFamilyMetaData files;
    in.db().GetColumnFamilyMetaData(of.handle, &files);
    std::set<std::string> ends, starts;
    std::uint64_t largest = 0;
    for (const rocksdb::LevelMetaData& level : files.levels) {
        // Files in L0 overlap, and are no place to split at.
        const bool splits = level.level > 0 && level.size > largest;
        if (splits) {
            largest = level.size;
            starts.clear();
        }
        for (const rocksdb::SstFileMetaData& file : level.files) {
            ends.insert({file.smallestkey, file.largestkey});
            if (splits) {
                starts.insert(file.smallestkey);
            }
        }
    }
    const std::vector<std::string> cuts(starts.begin(), starts.end());
    std::vector<range> all(std::min(ranges, std::max<std::size_t>(cuts.size(), 1)));
    for (std::size_t at = 1; at < all.size(); ++at) {
        all[at].first = cuts[at * cuts.size() / all.size()];
        all[at - 1].last = *std::prev(ends.lower_bound(*all[at].first));
    }
    for (std::size_t at = 0; at < all.size() && !ends.empty(); ++at) {
        const bool last = at + 1 == all.size();
        all[at].bytes = bytes_in(in, of, all[at].first.value_or(*ends.begin()),
                                 last ? *ends.rbegin() : *all[at + 1].first);
    }
    return all;
}

/// A key as a name may have it.
std::string shown(const std::optional<std::string>& key) {
    if (!key) {
        return "";
    }
    const bool plain =
        std::all_of(key->begin(), key->end(), [](char c) { return c > 31 && c < 127; });
    return (plain ? *key : rocksdb::Slice(*key).ToString(true)).substr(0, 40);
}

/// Waits for the keyspace as long as the task is not told to abort.
std::unique_lock<std::timed_mutex> claim(const taskmgr::task& task, keyspace& of) {
    std::unique_lock lock(of.compacting, std::defer_lock);
    do {
        task.check_abort();
    } while (!lock.try_lock_for(20ms));
    return lock;
}

void compact_range(taskmgr::task& task, const store& in, jobs& seen, const keyspace& of,
                   const range& keys) {
    std::atomic<bool> canceled = false;
    // Goes before the flag that it sets, and waits for an abort that is just setting it.
    const auto guard = task.on_abort([&] { canceled = true; });
    const auto adoption = seen.adopt(of.name, task);
    rocksdb::CompactRangeOptions options;
    options.canceled = &canceled;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    const rocksdb::Slice first = keys.first ? *keys.first : rocksdb::Slice();
    const rocksdb::Slice last = keys.last ? *keys.last : rocksdb::Slice();
    const rocksdb::Status status = in.db().CompactRange(
        options, of.handle, keys.first ? &first : nullptr, keys.last ? &last : nullptr);
    if (!status.ok()) {
        throw std::runtime_error(status.ToString());
    }
    task.set_completed(keys.bytes);
}

/// The ranges of a keyspace, each with a task that waits to be started.
std::vector<part> plan(const taskmgr::task& whole, const store& in, jobs& seen, keyspace& of,
                       std::size_t ranges) {
    std::vector<part> parts;
    for (range& keys : split(in, of, ranges)) {
        auto task = whole.child("major compaction").scope("range").keyspace(of.name);
        task.entity("[" + shown(keys.first) + "…" + shown(keys.last) + "]");
        task.total(keys.bytes, "bytes");
        parts.push_back({task.create(), [&in, &seen, &of, keys](taskmgr::task& own) {
                             compact_range(own, in, seen, of, keys);
                         }});
    }
    return parts;
}

}  // namespace

void compact(const taskmgr::task& whole, const store& in, jobs& seen,
             const std::vector<keyspace*>& keyspaces, std::size_t ranges) {
    std::vector<part> parts;
    for (keyspace* of : keyspaces) {
        auto spec = whole.child("major compaction").scope("keyspace").keyspace(of->name);
        auto task = spec.units("bytes").create();
        auto planned = std::make_shared<std::vector<part>>(plan(task, in, seen, *of, ranges));
        parts.push_back({std::move(task), [of, planned](taskmgr::task& own) {
                             const auto alone = claim(own, *of);
                             run_in_turn(own, "ranges", std::move(*planned));
                         }});
    }
    run_together(whole, "keyspaces", std::move(parts));
}
