#include "store.hpp"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <taskmgr.hpp>

namespace {

/// Those that a new database gets.
constexpr const char* sample_keyspaces[] = {"library", "metrics", "shop"};

/// Small memtables and files, so that even a small sample keeps RocksDB busy.
constexpr std::size_t memtable_bytes = 2 << 20;

rocksdb::Options database_options(std::shared_ptr<rocksdb::EventListener> listener) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.max_background_jobs = 4;
    // RocksDB 7.8 splits nothing with 2.
    options.max_subcompactions = 3;
    options.listeners.push_back(std::move(listener));
    return options;
}

rocksdb::ColumnFamilyOptions keyspace_options() {
    rocksdb::ColumnFamilyOptions options;
    options.write_buffer_size = memtable_bytes;
    options.target_file_size_base = memtable_bytes;
    options.max_bytes_for_level_base = 4 * memtable_bytes;
    return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(const std::vector<std::string>& names) {
    std::vector<rocksdb::ColumnFamilyDescriptor> all;
    for (const std::string& name : names) {
        all.emplace_back(name, keyspace_options());
    }
    return all;
}

}  // namespace

void check(const rocksdb::Status& status, std::string_view what) {
    if (!status.ok()) {
        throw std::runtime_error(std::string(what) + ": " + status.ToString());
    }
}

store::store(const std::filesystem::path& directory,
             std::shared_ptr<rocksdb::EventListener> listener) {
    const rocksdb::Options options = database_options(std::move(listener));
    std::vector<std::string> names;
    if (std::filesystem::exists(directory / "CURRENT")) {
        check(rocksdb::DB::ListColumnFamilies(options, directory, &names),
              "cannot read " + directory.string());
    } else {
        names = {rocksdb::kDefaultColumnFamilyName};
    }
    for (const char* name : sample_keyspaces) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            names.emplace_back(name);
        }
    }
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(options, directory, families(names), &handles_, &db),
          "cannot open " + directory.string());
    db_.reset(db);
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
        // RocksDB always has this one, and the host keeps nothing in it.
        if (handle->GetName() != rocksdb::kDefaultColumnFamilyName) {
            auto& made = keyspaces_.emplace_back(std::make_unique<keyspace>());
            made->name = handle->GetName();
            made->handle = handle;
        }
    }
}

store::~store() {
    try {
        close();
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "rocksdb_node: %s\n", failed.what());
    }
}

void store::close() {
    if (!db_) {
        return;
    }
    rocksdb::CancelAllBackgroundWork(db_.get(), true);
    rocksdb::Status first;
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
        const rocksdb::Status gone = db_->DestroyColumnFamilyHandle(handle);
        first = first.ok() ? gone : first;
    }
    handles_.clear();
    const rocksdb::Status closed = db_->Close();
    db_.reset();
    check(first.ok() ? closed : first, "cannot close the database");
}

std::vector<keyspace*> store::select(std::string_view name) const {
    std::vector<keyspace*> found;
    std::string known;
    for (const auto& each : keyspaces_) {
        known += (known.empty() ? "" : ", ") + each->name;
        if (name.empty() || each->name == name) {
            found.push_back(each.get());
        }
    }
    if (found.empty()) {
        throw taskmgr::error(taskmgr::errc::invalid_argument,
                             "unknown keyspace \"" + std::string(name) + "\"; there are " + known);
    }
    return found;
}

std::vector<std::pair<std::string, std::uint64_t>> count_rows(
    const std::filesystem::path& directory) {
    const rocksdb::DBOptions options;
    std::vector<std::string> names;
    check(rocksdb::DB::ListColumnFamilies(options, directory, &names),
          "cannot read " + directory.string());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    check(rocksdb::DB::OpenForReadOnly(options, directory, families(names), &handles, &opened),
          "cannot open " + directory.string());
    const std::unique_ptr<rocksdb::DB> db(opened);
    std::vector<std::pair<std::string, std::uint64_t>> counts;
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
        const std::unique_ptr<rocksdb::ColumnFamilyHandle> owned(handle);
        const std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator({}, handle));
        std::uint64_t count = 0;
        for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
            ++count;
        }
        check(rows->status(), "cannot read keyspace " + handle->GetName());
        if (handle->GetName() != rocksdb::kDefaultColumnFamilyName) {
            counts.emplace_back(handle->GetName(), count);
        }
    }
    return counts;
}
