/// Callbacks of the host, and the guards that keep them. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_CALLBACK_HPP
#define TASKMGR_CALLBACK_HPP

#include <atomic>
#include <exception>

#include "view.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

/// Told of an exception that a callback threw, which has no caller that could have it: `where`
/// says which callback, `what` what it said. It is called where the exception was caught, so
/// `std::current_exception()` is that one. It must not throw: that ends the process.
using callback_error_handler = void (*)(std::string_view where, std::string_view what);

namespace detail {

inline void print_callback_error(std::string_view where, std::string_view what) {
    std::fprintf(stderr, "taskmgr: %.*s threw an exception: %.*s\n",
                 static_cast<int>(where.size()), where.data(), static_cast<int>(what.size()),
                 what.data());
}

inline std::atomic<callback_error_handler> on_callback_error{&print_callback_error};

/// Runs `work`; what it throws is told as text by `told`, in the exception's handler, and goes
/// on from there.
template <class Work, class Told>
decltype(auto) telling(Work&& work, [[maybe_unused]] Told&& told) {
#if TASKMGR_CAN_CATCH
    try {
        return work();
    } catch (const std::exception& thrown) {
        told(std::string_view(thrown.what()));
        throw;
    } catch (...) {
        told(std::string_view("unknown exception"));
        throw;
    }
#else
    return work();
#endif
}

/// Runs `work`; what it throws is told by `told`, and ends there.
template <class Work, class Told>
void containing(Work&& work, [[maybe_unused]] Told&& told) {
#if TASKMGR_CAN_CATCH
    try {
        work();
    } catch (const std::exception& thrown) {
        told(std::string_view(thrown.what()));
    } catch (...) {
        told(std::string_view("unknown exception"));
    }
#else
    work();
#endif
}

/// Runs a callback which nobody waits for.
template <class Work>
void contained(std::string_view where, Work&& work) {
    containing(work, [&](std::string_view what) { on_callback_error.load()(where, what); });
}

/// The functions that C is given for a callable on the heap.
template <class F>
struct boxed {
    static void run(void* data) noexcept {
        contained("an abort callback", [&] { std::move(*static_cast<F*>(data))(); });
    }

    static void run_ready(void* data) noexcept {
        contained("a callback of a parked wait", [&] { std::move(*static_cast<F*>(data))(); });
    }

    static void run_done(void* data, taskmgr_code code, const taskmgr_status* ended) noexcept {
        contained("a completion callback", [&] {
            taskmgr_status* copy = nullptr;
            if (code == TASKMGR_OK) {
                code = taskmgr_status_clone(ended, &copy);
            }
            std::move(*static_cast<F*>(data))(made<status>(code, copy));
        });
    }

    static void destroy(void* data) noexcept { delete static_cast<F*>(data); }
};

}  // namespace detail

/// Sets who is told of exceptions that callbacks throw; null for the default, a line on
/// stderr. Returns who it was. Threads: any. The setting is the program's (a shared library
/// with hidden visibility has one of its own).
inline callback_error_handler set_callback_error_handler(callback_error_handler handler) noexcept {
    return detail::on_callback_error.exchange(handler != nullptr ? handler
                                                                 : &detail::print_callback_error);
}

namespace detail {

/// Owns a guard of the C interface.
template <class T, auto Free, auto Forget>
class guard {
public:
    /// Takes a guard of the C interface.
    explicit guard(T* from) noexcept : it_(from) {}

    /// Unregisters the callback now. It waits for one that is running on another thread; not
    /// for its own, and not inside another callback.
    void reset() noexcept { it_.reset(); }
    /// Leaves the callback registered for as long as it can be.
    void forget() noexcept { Forget(it_.release()); }
    /// Whether it guards a callback: not once reset, forgotten or moved from.
    explicit operator bool() const noexcept { return it_ != nullptr; }

private:
    owned<T, Free> it_;
};

}  // namespace detail

/// Keeps an abort callback registered. Its end unregisters the callback, as `reset` does.
class [[nodiscard]] abort_guard
    : public detail::guard<taskmgr_abort_guard, taskmgr_abort_guard_free,
                           taskmgr_abort_guard_forget> {
    using guard::guard;
};

/// Keeps a completion callback registered. Its end unregisters the callback, as `reset` does.
class [[nodiscard]] done_guard
    : public detail::guard<taskmgr_done_guard, taskmgr_done_guard_free,
                           taskmgr_done_guard_forget> {
    using guard::guard;
};

/// Runs `work` at once on this thread as if inside a callback: calls that would block fail
/// with `errc::would_deadlock` in it. For threads that serve many, such as an event loop.
/// What `work` throws goes on; what it returns is dropped.
template <class F>
fallible<void> nonblocking(F&& work) {
    struct call {
        std::remove_reference_t<F>& work;
        std::exception_ptr thrown;

        static void run(void* data) noexcept {
            call& self = *static_cast<call*>(data);
            detail::containing([&] { static_cast<void>(self.work()); },
                               [&](std::string_view) { self.thrown = std::current_exception(); });
        }
    } it{work, nullptr};
    const taskmgr_code code = taskmgr_nonblocking(&call::run, &it);
    if (it.thrown) {
        std::rethrow_exception(it.thrown);
    }
    return detail::check(code);
}

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
