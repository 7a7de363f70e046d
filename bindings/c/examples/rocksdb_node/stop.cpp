#include "stop.hpp"

#include <cerrno>
#include <system_error>

stop::stop() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    if (const int failed = pthread_sigmask(SIG_BLOCK, &signals_, nullptr); failed != 0) {
        throw std::system_error(failed, std::generic_category(), "cannot block signals");
    }
}

bool stop::within(std::chrono::nanoseconds time) {
    if (requested_) {
        return true;
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    timespec timeout{};
    timeout.tv_sec = seconds.count();
    timeout.tv_nsec = (time - seconds).count();
    if (sigtimedwait(&signals_, nullptr, &timeout) >= 0) {
        requested_ = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        throw std::system_error(errno, std::generic_category(), "cannot wait for signals");
    }
    return requested_;
}
