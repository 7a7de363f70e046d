/// SIGINT and SIGTERM.

#ifndef ROCKSDB_NODE_STOP_HPP
#define ROCKSDB_NODE_STOP_HPP

#include <csignal>

#include <chrono>

/// Catches the signals that end the host. Made before any thread, which all inherit that they are
/// blocked; used by the thread that made it.
class stop {
public:
    stop();

    /// Sleeps for so long, or until a signal comes; says whether one has come yet.
    bool within(std::chrono::nanoseconds time);
    bool requested() const { return requested_; }

private:
    sigset_t signals_;
    bool requested_ = false;
};

#endif
