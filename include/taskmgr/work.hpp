/// Work that ends its task with itself, here or on a thread. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_WORK_HPP
#define TASKMGR_WORK_HPP

#include <new>
#include <system_error>
#include <thread>

#include "observer.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

class task;

namespace detail {

template <class T>
struct value_in {
    using type = T;
    static constexpr bool is_result = false;
};
template <class T>
struct value_in<result<T>> {
    using type = T;
    static constexpr bool is_result = true;
};

/// Calls the work with its task, or without if it takes nothing.
template <class F>
decltype(auto) call_work(F&& work, task& of) {
    if constexpr (std::is_invocable_v<F, task&>) {
        return std::forward<F>(work)(of);
    } else {
        static_assert(std::is_invocable_v<F>, "the work takes a taskmgr::task&, or nothing");
        return std::forward<F>(work)();
    }
}

template <class F>
using work_returns = std::decay_t<decltype(call_work(std::declval<F>(), std::declval<task&>()))>;

/// What the work comes to: what it returns, or what is in the result that it returns.
template <class F>
using work_value = typename value_in<work_returns<F>>::type;

/// The work's answer as a result, whatever it returns; exceptions go through.
template <class F>
result<work_value<F>> result_of_work(F&& work, task& of) {
    if constexpr (std::is_void_v<work_returns<F>>) {
        call_work(std::forward<F>(work), of);
        return {};
    } else {
        return call_work(std::forward<F>(work), of);
    }
}

/// What a thread leaves for whoever joins it.
template <class T>
struct left_by_thread {
    std::optional<result<T>> ended;
    std::exception_ptr thrown;
};

}  // namespace detail

/// A task at work on a thread of its own. Its end waits for that thread, as the work may use
/// what the scope has; `detach` lets it go. What the work threw, if nobody joined it, can
/// still be read as the task's error.
template <class T>
class [[nodiscard]] spawned {
public:
    spawned(spawned&&) noexcept = default;
    spawned& operator=(spawned&& other) noexcept {
        if (this != &other) {
            leave();
            thread_ = std::move(other.thread_);
            left_ = std::move(other.left_);
            observer_ = std::move(other.observer_);
        }
        return *this;
    }
    ~spawned() { leave(); }

    /// An observer of the task.
    const taskmgr::observer& observer() const noexcept { return observer_; }

    /// Waits for the work and returns what it returned; throws what it threw. Errors: those of
    /// `task::run`; invalid_argument if it was joined or detached before; would_deadlock in a
    /// callback while the work is under way, and on the work's own thread.
    fallible<T> join() {
        if (!thread_.joinable()) {
            return detail::failed<T>(error(errc::invalid_argument,
                                           "this task's thread was joined or detached before"));
        }
        if (thread_.get_id() == std::this_thread::get_id()) {
            return detail::failed<T>(
                error(errc::would_deadlock, "a task's thread cannot join itself"));
        }
        const taskmgr_code code = taskmgr_observer_wait(observer_.get(), TASKMGR_FOREVER, nullptr);
        if (code == TASKMGR_WOULD_DEADLOCK || code == TASKMGR_FORKED) {
            return detail::failed<T>(error::last(code));
        }
        thread_.join();
        if (left_->thrown) {
            std::rethrow_exception(left_->thrown);
        }
        return detail::out(std::move(*left_->ended));
    }

    /// Lets the thread go on by itself; the observer still tells how it ends.
    void detach() noexcept {
        if (thread_.joinable()) {
            thread_.detach();
        }
    }

private:
    friend class task;

    spawned(std::thread thread, std::shared_ptr<detail::left_by_thread<T>> left,
            taskmgr::observer of) noexcept
        : thread_(std::move(thread)), left_(std::move(left)), observer_(std::move(of)) {}

    void leave() noexcept {
        if (!thread_.joinable()) {
            return;
        }
        if (thread_.get_id() == std::this_thread::get_id()) {
            thread_.detach();
            return;
        }
        switch (taskmgr_observer_wait(observer_.get(), TASKMGR_FOREVER, nullptr)) {
            case TASKMGR_FORKED:
                // The thread is not in this process: its handle can be neither joined nor let go.
                static_cast<void>(new (std::nothrow) std::thread(std::move(thread_)));
                break;
            case TASKMGR_WOULD_DEADLOCK:
                // In a callback, where nothing may wait.
                thread_.detach();
                break;
            default:
                thread_.join();
        }
    }

    std::thread thread_;
    std::shared_ptr<detail::left_by_thread<T>> left_;
    taskmgr::observer observer_;
};

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
