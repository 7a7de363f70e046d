/// Major compaction: rewrites all files of keyspaces, range by range.

#ifndef ROCKSDB_NODE_COMPACTION_HPP
#define ROCKSDB_NODE_COMPACTION_HPP

#include <cstddef>
#include <taskmgr.hpp>
#include <vector>

#include "jobs.hpp"
#include "store.hpp"

/// Compacts all keyspaces at once, and in each up to `ranges` ranges of keys in turn; progress in
/// bytes, by range. What RocksDB does for a range is a child of the range's task. An abort ends
/// it within RocksDB, which keeps the files of ranges that are done; that takes milliseconds, or as
/// long as an automatic compaction of the same files for which a range is waiting.
void compact(const taskmgr::task& whole, const store& in, jobs& seen,
             const std::vector<keyspace*>& keyspaces, std::size_t ranges);

#endif
