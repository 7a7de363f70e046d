/// Load: fills keyspaces with rows.

#ifndef ROCKSDB_NODE_LOAD_HPP
#define ROCKSDB_NODE_LOAD_HPP

#include <cstdint>
#include <taskmgr.hpp>
#include <vector>

#include "store.hpp"

/// Writes about `megabytes` of rows, spread over the keyspaces, all at once; progress in rows.
/// The keys of a second load are those of the first, so it updates rows.
void load(const taskmgr::task& whole, const store& in, const std::vector<keyspace*>& keyspaces,
          std::uint64_t megabytes);

#endif
