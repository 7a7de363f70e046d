/// Owners and reporters of tasks. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_TASK_HPP
#define TASKMGR_TASK_HPP

#include "builder.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

/// One more handle of a task, for one further worker: it counts in a cell of its own, by a
/// load and a store, and the task's `completed` is the sum over all. It can make children and
/// look for an abort, but not end the task. It moves; `clone` makes one more. Threads: one at
/// a time counts with it; the `const` functions may be called on several at once. One that was
/// moved from counts nothing, and each call on it that can fail does, with
/// `errc::invalid_argument`.
class reporter {
public:
    /// Takes a reporter of the C interface.
    explicit reporter(taskmgr_reporter* from) noexcept : it_(from) {}

    /// A child of the reporter's task.
    task_builder child(std::string_view type) const {
        task_builder builder(type);
        builder.reporter_ = get();
        return builder;
    }

    /// Counts `n` further units as done: a load and a store. Amounts are capped at 2^53.
    void advance(std::uint64_t n) noexcept { taskmgr_reporter_advance(get(), n); }
    /// The same, which refuses what cannot be. Errors: invalid_argument above 2^53.
    fallible<void> try_advance(std::uint64_t n) {
        return detail::check(taskmgr_reporter_try_advance(get(), n));
    }
    /// Sets what this reporter has counted; never lowers it.
    void set_completed(std::uint64_t n) noexcept { taskmgr_reporter_set_completed(get(), n); }
    /// Tells how many units the task has, for all its handles.
    void set_total(std::uint64_t total) const noexcept { taskmgr_reporter_set_total(get(), total); }
    /// Names the units that the task counts: as `task::set_units`.
    fallible<void> set_units(std::string_view units) const {
        return detail::check(taskmgr_reporter_set_units(get(), detail::text(units)));
    }

    /// Whether the task was told to abort: a few loads, made for the inner loop.
    bool abort_requested() const noexcept { return taskmgr_reporter_abort_requested(get()); }
    /// The same as an error to pass on. Errors: aborted, with the reason.
    fallible<void> check_abort() const {
        return detail::check(taskmgr_reporter_check_abort(get()));
    }
    /// Tells the task and all below it to abort, as its owner may.
    fallible<void> abort(std::string_view reason) const {
        return detail::check(taskmgr_reporter_abort(get(), detail::text(reason)));
    }
    /// Calls `callback` when the task is told to abort: as `task::on_abort`.
    template <class F>
    fallible<abort_guard> on_abort(F&& callback) const {
        using box = detail::boxed<std::decay_t<F>>;
        auto* const data = new std::decay_t<F>(std::forward<F>(callback));
        taskmgr_abort_guard* guard = nullptr;
        return detail::give<abort_guard>(
            taskmgr_reporter_on_abort(get(), &box::run, data, &box::destroy, &guard), guard);
    }

    /// The task's id.
    taskmgr::id id() const noexcept { return taskmgr_reporter_id(get()); }
    /// How the task is.
    fallible<taskmgr::status> status() const {
        taskmgr_status* now = nullptr;
        return detail::give<taskmgr::status>(taskmgr_reporter_status(get(), &now), now);
    }
    /// A handle that can look, wait and ask for an abort.
    fallible<observer> observe() const {
        taskmgr_observer* made = nullptr;
        return detail::give<observer>(taskmgr_reporter_observe(get(), &made), made);
    }
    /// One more reporter of the same task, which counts from 0.
    fallible<reporter> clone() const {
        taskmgr_reporter* made = nullptr;
        return detail::give<reporter>(taskmgr_reporter_clone(get(), &made), made);
    }
    /// The reporter as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_reporter* get() const noexcept { return it_.get(); }

private:
    detail::owned<taskmgr_reporter, taskmgr_reporter_free> it_;
};

/// The owner of a task: runs it and ends it. Its end without `finish` or `fail` fails the
/// task: "left by an exception" if one passes through its scope, "dropped before it finished"
/// otherwise. It moves; `clone` makes one more owner of the same task. Threads: any, several
/// at once, for all functions but `spawn` and those that move or end the handle; what they
/// count is added atomically. One that was moved from counts nothing, and each call on it that
/// can fail does, with `errc::invalid_argument`.
class [[nodiscard]] task {
public:
    /// Takes an owner of the C interface.
    explicit task(taskmgr_task* from) noexcept : it_(from) {}

    task(task&& other) noexcept : it_(std::move(other.it_)), created_(other.created_) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            leave();
            it_ = std::move(other.it_);
            created_ = other.created_;
        }
        return *this;
    }
    ~task() { leave(); }

    /// A child of this task.
    task_builder child(std::string_view type) const {
        task_builder builder(type);
        builder.task_ = get();
        return builder;
    }

    /// Starts a task that was made by `create`. Errors: already_started; already_finished;
    /// aborted if an abort came first: the task has failed then, and its work must not be done.
    fallible<void> start() const { return detail::check(taskmgr_task_start_created(get())); }
    /// Ends the task as done. Errors: aborted if it was told to abort, and not_started if it
    /// was not started: it has ended as failed; already_finished.
    fallible<void> finish() const { return detail::check(taskmgr_task_finish(get())); }
    /// Ends the task as failed, with this error, in which U+FFFD stands for what is not UTF-8.
    /// One that was told to abort keeps both reasons. Errors: already_finished.
    fallible<void> fail(std::string_view error) const { return detail::check(fail_by(error)); }

    /// Does the work on this thread and ends the task with it; starts it if that was not done.
    /// `work` takes a `task&` or nothing, and may return anything; `run` returns that by value.
    /// An exception fails the task with its message, and goes on; a `result` that it returns
    /// and that is an error does so too. The work must not end the task itself. Errors: what
    /// the work returned; those of `start` and `finish`, so aborted if it was told to abort.
    template <class F>
    fallible<detail::work_value<F>> run(F&& work);

    /// Does the work on a thread of its own and ends the task with it, as `run` does. The
    /// handle is moved to that thread. Errors: exhausted if there is no thread to be had, upon
    /// which the task has failed (without exceptions the process ends then, as a
    /// `std::thread` cannot tell).
    template <class F>
    fallible<spawned<detail::work_value<std::decay_t<F>>>> spawn(F&& work) &&;

    /// Counts `n` further units as done: one atomic addition. Amounts are capped at 2^53.
    void advance(std::uint64_t n) const noexcept { taskmgr_task_advance(get(), n); }
    /// The same, which refuses what cannot be. Errors: invalid_argument above 2^53.
    fallible<void> try_advance(std::uint64_t n) const {
        return detail::check(taskmgr_task_try_advance(get(), n));
    }
    /// Sets what this owner has counted; never lowers it.
    void set_completed(std::uint64_t n) const noexcept { taskmgr_task_set_completed(get(), n); }
    /// Tells how many units there are. One below what was counted follows it when shown.
    void set_total(std::uint64_t total) const noexcept { taskmgr_task_set_total(get(), total); }
    /// Names the units that the task counts, where that was not known when it was made; once it
    /// has ended this does nothing. Errors: invalid_argument, exhausted.
    fallible<void> set_units(std::string_view units) const {
        return detail::check(taskmgr_task_set_units(get(), detail::text(units)));
    }

    /// Whether the task was told to abort: a few loads, made for the inner loop.
    bool abort_requested() const noexcept { return taskmgr_task_abort_requested(get()); }
    /// The same as an error to pass on. Errors: aborted, with the reason.
    fallible<void> check_abort() const { return detail::check(taskmgr_task_check_abort(get())); }
    /// A place where the task may pause: if it was asked to suspend, this sleeps until it is
    /// resumed or aborted; otherwise it costs a few loads. Errors: aborted; would_deadlock if
    /// it would have to sleep in a callback; already_finished if another thread ended the task.
    fallible<void> checkpoint() const { return detail::check(taskmgr_task_checkpoint(get())); }
    /// Tells the task and all below it to abort; its owner may always do that.
    fallible<void> abort(std::string_view reason) const {
        return detail::check(taskmgr_task_abort(get(), detail::text(reason)));
    }
    /// Calls `callback` when the task is told to abort: at most once, on the thread that
    /// aborts, or now, if that came first. Any callable without arguments will do, also one
    /// that only moves; it is destroyed unrun when the guard goes or the task ends. Both wait
    /// for a callback that runs on another thread; not for their own, and not inside another.
    /// In it no call may block: that fails with `errc::would_deadlock`.
    template <class F>
    fallible<abort_guard> on_abort(F&& callback) const {
        using box = detail::boxed<std::decay_t<F>>;
        auto* const data = new std::decay_t<F>(std::forward<F>(callback));
        taskmgr_abort_guard* guard = nullptr;
        return detail::give<abort_guard>(
            taskmgr_task_on_abort(get(), &box::run, data, &box::destroy, &guard), guard);
    }

    /// The task's id.
    taskmgr::id id() const noexcept { return taskmgr_task_id(get()); }
    /// How the task is.
    fallible<taskmgr::status> status() const {
        taskmgr_status* now = nullptr;
        return detail::give<taskmgr::status>(taskmgr_task_status(get(), &now), now);
    }
    /// A handle that can look, wait and ask for an abort.
    fallible<observer> observe() const { return detail::out(observed()); }
    /// One more handle of the task for another worker; it counts in a cell of its own.
    fallible<taskmgr::reporter> reporter() const {
        taskmgr_reporter* made = nullptr;
        return detail::give<taskmgr::reporter>(taskmgr_task_reporter(get(), &made), made);
    }
    /// One more owner of the same task: left unended, the last to go fails it; one that an
    /// exception leaves fails it at once.
    fallible<task> clone() const {
        taskmgr_task* made = nullptr;
        return detail::give<task>(taskmgr_task_clone(get(), &made), made);
    }

    /// Whether it owns a task: not once it was moved from.
    explicit operator bool() const noexcept { return it_ != nullptr; }
    /// The owner as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_task* get() const noexcept { return it_.get(); }
    /// Gives the handle up, to be freed by `taskmgr_task_free`.
    taskmgr_task* release() noexcept { return it_.release(); }

private:
    friend class task_builder;

    taskmgr_code fail_by(std::string_view error) const {
        const std::string good = detail::utf8(error);
        return taskmgr_task_fail(get(), detail::text(good));
    }

    result<observer> observed() const {
        taskmgr_observer* made = nullptr;
        return detail::made<observer>(taskmgr_task_observe(get(), &made), made);
    }

    /// An owner whose scope is left by an exception cannot see which, but that it is.
    void leave() noexcept {
        if (it_ && std::uncaught_exceptions() > unwinding_) {
            // One that has ended already is not failed by that.
            taskmgr_task_fail(get(), TASKMGR_STR("left by an exception"));
        }
        it_.reset();
    }

    result<void> started() const {
        const taskmgr_code code = created_ ? taskmgr_task_start_created(get()) : TASKMGR_OK;
        return code == TASKMGR_OK || code == TASKMGR_ALREADY_STARTED
                   ? result<void>()
                   : result<void>(error::last(code));
    }

    detail::owned<taskmgr_task, taskmgr_task_free> it_;
    /// Exceptions that were on their way when this object came to be.
    int unwinding_ = std::uncaught_exceptions();
    bool created_ = false;
};

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#include "run.hpp"

#endif
