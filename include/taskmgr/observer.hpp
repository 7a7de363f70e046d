/// Observers. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_OBSERVER_HPP
#define TASKMGR_OBSERVER_HPP

#include "callback.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

/// Looks at a task, waits for it and asks for its abort. Its task stays readable for as long
/// as it is held, also after it was unregistered and the manager is gone. Copies share one
/// handle; any thread may use it, several at once. Each call on one that was moved from fails
/// with `errc::invalid_argument`.
class observer {
public:
    /// Takes an observer of the C interface.
    explicit observer(taskmgr_observer* from)
        : it_(from, detail::free_by<taskmgr_observer_free>{}) {}

    /// The task's id.
    taskmgr::id id() const noexcept { return taskmgr_observer_id(get()); }

    /// How the task is. This only looks: nothing is unregistered. Errors: for a virtual task
    /// what its provider answers, and provider if it does not.
    fallible<taskmgr::status> status() const {
        taskmgr_status* now = nullptr;
        return detail::give<taskmgr::status>(taskmgr_observer_status(get(), &now), now);
    }

    /// The statuses of the task and all its descendants, breadth-first. Errors: as `status`.
    fallible<status_list> status_tree() const {
        taskmgr_status_list* tree = nullptr;
        return detail::give<status_list>(taskmgr_observer_status_tree(get(), &tree), tree);
    }

    /// Whether the task has ended: one load for a regular task. Errors: as `status`.
    fallible<bool> is_terminal() const {
        bool is = false;
        const taskmgr_code code = taskmgr_observer_is_terminal(get(), &is);
        return detail::value<bool>(code, is);
    }

    /// Sleeps until the task has ended; gives the final status. Errors: would_deadlock in a
    /// callback or a provider; closed if the manager was closed and the task did not end in
    /// time; for a virtual task what its provider answers.
    fallible<taskmgr::status> wait() const { return wait_ms(TASKMGR_FOREVER); }

    /// The same for no longer than this: 0, or less, asks without blocking. Errors: timeout
    /// too.
    fallible<taskmgr::status> wait(duration timeout) const { return wait_ms(timeout.count()); }

    /// Tells the task and all below it to abort; its owner ends it when it notices. The first
    /// reason is kept; aborting twice, or what has ended, is no error. Errors: not_abortable
    /// for a task that is not marked so; for a virtual task what its provider answers.
    fallible<void> abort(std::string_view reason) const {
        return detail::check(taskmgr_observer_abort(get(), detail::text(reason)));
    }

    /// Asks the owner to sleep at its next checkpoint; its children go on. Errors:
    /// not_supported for a virtual task.
    fallible<void> suspend() const { return detail::check(taskmgr_observer_suspend(get())); }

    /// Takes `suspend` back, and wakes the owner. Errors: as `suspend`.
    fallible<void> resume() const { return detail::check(taskmgr_observer_resume(get())); }

    /// Calls `callback` once with a `result<status>` when the task has ended, on the thread
    /// that ends it, or now, if it has. Any callable will do, also one that only moves; it is
    /// destroyed when it has run, or unrun when the guard goes first. It gets `errc::closed`
    /// if the manager is closed and the task does not end in time. In it no call may block:
    /// that fails with `errc::would_deadlock`. Errors: for a virtual task what its provider
    /// answers.
    template <class F>
    fallible<done_guard> on_done(F&& callback) const {
        using box = detail::boxed<std::decay_t<F>>;
        auto* const data = new std::decay_t<F>(std::forward<F>(callback));
        taskmgr_done_guard* guard = nullptr;
        return detail::give<done_guard>(
            taskmgr_observer_on_done(get(), &box::run_done, data, &box::destroy, &guard), guard);
    }

    /// The observer as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_observer* get() const noexcept { return it_.get(); }

private:
    fallible<taskmgr::status> wait_ms(std::uint64_t timeout) const {
        taskmgr_status* ended = nullptr;
        return detail::give<taskmgr::status>(taskmgr_observer_wait(get(), timeout, &ended), ended);
    }

    std::shared_ptr<const taskmgr_observer> it_;
};

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
