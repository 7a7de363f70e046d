#include "parts.hpp"

#include <stdexcept>
#include <string>

namespace {

/// Counts the parts, and keeps what the first failure said.
class outcomes {
public:
    template <class End>
    void add(End&& end) {
        ++all_;
        try {
            end();
        } catch (const std::exception& failure) {
            if (failed_++ == 0) {
                first_ = failure.what();
            }
        }
    }

    void settle(const taskmgr::task& whole, std::string_view what) const {
        // An abort explains whatever failed.
        whole.check_abort();
        if (failed_ > 0) {
            throw std::runtime_error(std::to_string(failed_) + " of " + std::to_string(all_) +
                                     " " + std::string(what) + " failed: " + first_);
        }
    }

private:
    std::size_t all_ = 0;
    std::size_t failed_ = 0;
    std::string first_;
};

}  // namespace

void run_together(const taskmgr::task& whole, std::string_view what, std::vector<part> parts) {
    std::vector<taskmgr::spawned<void>> threads;
    for (part& each : parts) {
        threads.push_back(std::move(each.task).spawn(std::move(each.work)));
    }
    outcomes ended;
    for (taskmgr::spawned<void>& each : threads) {
        ended.add([&] { each.join(); });
    }
    ended.settle(whole, what);
}

void run_in_turn(const taskmgr::task& whole, std::string_view what, std::vector<part> parts) {
    outcomes ended;
    for (part& each : parts) {
        ended.add([&] { each.task.run(each.work); });
    }
    ended.settle(whole, what);
}
