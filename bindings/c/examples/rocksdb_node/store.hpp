/// The database: RocksDB, with a column family for each keyspace.

#ifndef ROCKSDB_NODE_STORE_HPP
#define ROCKSDB_NODE_STORE_HPP

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Throws what RocksDB says, unless all is well.
void check(const rocksdb::Status& status, std::string_view what);

/// One column family.
struct keyspace {
    std::string name;
    rocksdb::ColumnFamilyHandle* handle;
    /// Held by a major compaction: two in one keyspace would rewrite the same files.
    std::timed_mutex compacting;
};

/// Owns the database. Any thread may use it, but for `close`.
class store {
public:
    /// Opens the database in `directory`, and makes it and the sample's keyspaces if missing.
    store(const std::filesystem::path& directory,
          std::shared_ptr<rocksdb::EventListener> listener);
    store(const store&) = delete;
    store& operator=(const store&) = delete;
    ~store();

    /// Stops RocksDB's background jobs and closes the database, which nobody uses any more.
    void close();

    rocksdb::DB& db() const { return *db_; }
    /// All keyspaces, or the one of this name if it is not empty. Throws for an unknown one.
    std::vector<keyspace*> select(std::string_view name) const;

private:
    std::unique_ptr<rocksdb::DB> db_;
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    std::vector<std::unique_ptr<keyspace>> keyspaces_;
};

/// How many rows each keyspace of the database in `directory` has; only reads.
std::vector<std::pair<std::string, std::uint64_t>> count_rows(
    const std::filesystem::path& directory);

#endif
