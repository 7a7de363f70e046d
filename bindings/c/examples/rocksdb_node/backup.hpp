/// Backup: a checkpoint of the database, copied file by file.

#ifndef ROCKSDB_NODE_BACKUP_HPP
#define ROCKSDB_NODE_BACKUP_HPP

#include <filesystem>
#include <taskmgr.hpp>

#include "store.hpp"

/// Takes a checkpoint, which shares its files with the database, and copies it to `target`, which
/// must not exist; progress in bytes. The directory gets its name when it is complete: one that
/// was aborted or failed leaves nothing behind.
void back_up(const taskmgr::task& whole, const store& from, const std::filesystem::path& target);

#endif
