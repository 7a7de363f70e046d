/// The host's own endpoints, beside those of the task manager.
///
/// `POST /node/load?keyspace=&megabytes=`, `/node/compaction?keyspace=&ranges=` and `/node/backup`
/// start an operation, on everything or on what the parameters name, and answer the id of its task
/// as a JSON string.

#ifndef ROCKSDB_NODE_ROUTES_HPP
#define ROCKSDB_NODE_ROUTES_HPP

#include <taskmgr.hpp>

class host;

/// The endpoints of a host, which lives as long as they may be called.
taskmgr::http::routes routes_of(host& of);

#endif
