/// What tasks and their builders do that needs both. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_RUN_HPP
#define TASKMGR_RUN_HPP

#include "task.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

template <class F>
fallible<detail::work_value<F>> task::run(F&& work) {
    using value = detail::work_value<F>;
    if (const result<void> begun = started(); !begun) {
        return detail::failed<value>(begun.error());
    }
    result<value> worked = detail::telling(
        [&] { return detail::result_of_work(std::forward<F>(work), *this); },
        // Whoever catches the exception is told; that the task had ended is no news.
        [&](std::string_view what) { static_cast<void>(fail_by(what)); });
    if (!worked) {
        static_cast<void>(fail_by(worked.error().what()));
        return detail::failed<value>(worked.error());
    }
    if (const taskmgr_code code = taskmgr_task_finish(get()); code != TASKMGR_OK) {
        return detail::failed<value>(error::last(code));
    }
    return detail::out(std::move(worked));
}

namespace detail {

/// What runs on the thread: ends the task, and leaves what the work returned or threw.
template <class T, class F>
void work_on_thread(task& of, F&& work, left_by_thread<T>& left) {
    containing(
        [&] {
#if TASKMGR_EXCEPTIONS
            if constexpr (std::is_void_v<T>) {
                of.run(std::forward<F>(work));
                left.ended.emplace();
                return;
            } else {
                left.ended.emplace(of.run(std::forward<F>(work)));
            }
#else
            left.ended.emplace(of.run(std::forward<F>(work)));
#endif
        },
        [&](std::string_view) { left.thrown = std::current_exception(); });
}

}  // namespace detail

template <class F>
fallible<spawned<detail::work_value<std::decay_t<F>>>> task::spawn(F&& work) && {
    using value = detail::work_value<std::decay_t<F>>;
    using answer = spawned<value>;
    result<observer> of = observed();
    if (!of) {
        return detail::failed<answer>(of.error());
    }
    auto left = std::make_shared<detail::left_by_thread<value>>();
    // Shared, so that it is still here to be failed if there is no thread for it.
    auto mine = std::make_shared<task>(std::move(*this));
    std::thread thread;
#if TASKMGR_CAN_CATCH
    try {
#endif
        thread = std::thread([mine, left, work = std::decay_t<F>(std::forward<F>(work))]() mutable {
            detail::work_on_thread<value>(*mine, std::move(work), *left);
        });
#if TASKMGR_CAN_CATCH
    } catch (const std::system_error& none) {
        const std::string why = std::string("no thread for the task: ") + none.what();
        static_cast<void>(mine->fail_by(why));
        return detail::failed<answer>(error(errc::exhausted, why));
    }
#endif
    return answer(std::move(thread), std::move(left), std::move(*of));
}

inline result<task> task_builder::made(bool started) const {
    const taskmgr_task_spec spec = get();
    taskmgr_task* it = nullptr;
    taskmgr_code code;
    if (task_ != nullptr) {
        code = (started ? taskmgr_task_child_start : taskmgr_task_child_create)(task_, &spec, &it);
    } else if (reporter_ != nullptr) {
        code = (started ? taskmgr_reporter_child_start
                        : taskmgr_reporter_child_create)(reporter_, &spec, &it);
    } else {
        code = (started ? taskmgr_task_start : taskmgr_task_create)(module_.get(), &spec, &it);
    }
    result<task> got = detail::made<task>(code, it);
    if (got) {
        got->created_ = !started;
    }
    return got;
}

inline fallible<task> task_builder::start() const { return detail::out(made(true)); }

inline fallible<task> task_builder::create() const { return detail::out(made(false)); }

template <class F>
fallible<detail::work_value<F>> task_builder::run(F&& work) const {
    result<task> begun = made(true);
    if (!begun) {
        return detail::failed<detail::work_value<F>>(begun.error());
    }
    return begun->run(std::forward<F>(work));
}

template <class F>
fallible<spawned<detail::work_value<std::decay_t<F>>>> task_builder::spawn(F&& work) const {
    result<task> begun = made(true);
    if (!begun) {
        return detail::failed<spawned<detail::work_value<std::decay_t<F>>>>(begun.error());
    }
    return std::move(*begun).spawn(std::forward<F>(work));
}

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
