/// The parts of an operation, and what becomes of it when some of them fail.

#ifndef ROCKSDB_NODE_PARTS_HPP
#define ROCKSDB_NODE_PARTS_HPP

#include <functional>
#include <string_view>
#include <taskmgr.hpp>
#include <vector>

using work = std::function<void(taskmgr::task&)>;

/// A task that was created with its total, so that the progress of the whole never goes back,
/// and what is to be done in it.
struct part {
    taskmgr::task task;
    ::work work;
};

/// Does all parts at once, each on a thread of its own. All have ended when this returns. One
/// that fails does not stop the others; then this throws, and says how many of the `what` failed.
void run_together(const taskmgr::task& whole, std::string_view what, std::vector<part> parts);

/// The same, one part after the other on this thread.
void run_in_turn(const taskmgr::task& whole, std::string_view what, std::vector<part> parts);

#endif
