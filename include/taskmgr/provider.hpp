/// Virtual tasks. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_PROVIDER_HPP
#define TASKMGR_PROVIDER_HPP

#include "task.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

/// How a virtual task is, as a provider tells it: one that runs, unless told otherwise.
struct virtual_task {
    virtual_task() = default;
    /// A task of this id and type.
    virtual_task(const taskmgr::id& own, std::string_view is) : id(own), type(is) {}

    taskmgr::id id;                               ///< Its id.
    taskmgr::id parent_id;                        ///< Its parent, or the nil id.
    std::string type;                             ///< What operation it covers.
    std::string scope;                            ///< For which part of it it is responsible.
    std::string keyspace;                         ///< The keyspace that it works on.
    std::string table;                            ///< The table that it works on.
    std::string entity;                           ///< What else tells it from its siblings.
    std::string error;                            ///< Why it failed.
    std::string progress_units;                   ///< What its progress counts.
    std::uint64_t progress_completed = 0;         ///< How many units are done.
    std::optional<std::uint64_t> progress_total;  ///< How many there are, if that is known.
    std::uint64_t sequence_number = 0;            ///< The number of its tree, from 1; 0: none.
    std::optional<time_point> created_at;         ///< When it was made; else when it started.
    std::optional<time_point> start_time;         ///< When it started.
    std::optional<time_point> end_time;           ///< When it ended.
    std::vector<child> children;                  ///< Its children elsewhere; local ones are added.
    std::uint32_t shard = 0;                      ///< The shard that it runs on.
    taskmgr::state state = state::running;        ///< Where it is in its life.
    bool abortable = false;                       ///< Whether `provider::abort` may be called.
    bool internal = false;                        ///< Whether lists leave it out unless asked.
    bool user_task = false;                       ///< Whether a user started it.
};

namespace detail {

/// Hands a virtual task to a function of the C interface.
template <class Call>
taskmgr_code with_virtual(const virtual_task& of, Call call) {
    std::vector<taskmgr_child> children;
    children.reserve(of.children.size());
    for (const child& each : of.children) {
        children.push_back({each.id.get(), text(each.node)});
    }
    taskmgr_virtual_task all = TASKMGR_VIRTUAL_TASK(of.id.get(), "");
    all.parent_id = of.parent_id.get();
    all.type = text(of.type);
    all.scope = text(of.scope);
    all.keyspace = text(of.keyspace);
    all.table = text(of.table);
    all.entity = text(of.entity);
    all.error = text(of.error);
    all.progress_units = text(of.progress_units);
    all.progress_completed = of.progress_completed;
    all.progress_total = of.progress_total.value_or(TASKMGR_TOTAL_UNKNOWN);
    all.sequence_number = of.sequence_number;
    all.created_at = time_ns(of.created_at);
    all.start_time = time_ns(of.start_time);
    all.end_time = time_ns(of.end_time);
    all.children = children.empty() ? nullptr : children.data();
    all.children_len = children.size();
    all.shard = of.shard;
    all.state = static_cast<taskmgr_state>(of.state);
    all.abortable = of.abortable ? 1 : 0;
    all.internal = of.internal ? 1 : 0;
    all.user_task = of.user_task ? 1 : 0;
    return call(&all);
}

}  // namespace detail

/// Tells those who wait for a virtual task how it has ended. It moves; one that goes without
/// `complete` or `fail` gives them `errc::provider`. Threads: any, one at a time; what waits
/// is called on this one.
class completion {
public:
    /// Takes a completion of the C interface.
    explicit completion(taskmgr_completion* from) noexcept : it_(from) {}

    /// The task has ended, with this final status. The completion is empty with that. Errors:
    /// invalid_argument for a task that cannot be or has not ended (those who wait get
    /// `errc::provider`), and for an empty completion.
    fallible<void> complete(const virtual_task& ended) {
        return detail::check(detail::with_virtual(ended, [&](const taskmgr_virtual_task* all) {
            return taskmgr_completion_complete(it_.release(), all);
        }));
    }
    /// Nobody can say how the task has ended: all who wait get this error. The completion is
    /// empty with that. Errors: as `complete`, for a code that no provider can give.
    fallible<void> fail(errc code, std::string_view message) {
        const std::string good = detail::utf8(message);
        return detail::check(taskmgr_completion_fail(
            it_.release(), static_cast<taskmgr_code>(code), detail::text(good)));
    }
    /// Whether nobody waits any more, so that the provider may stop watching.
    bool is_cancelled() const noexcept { return taskmgr_completion_is_cancelled(it_.get()); }
    /// Whether it can still be completed.
    explicit operator bool() const noexcept { return it_ != nullptr; }

private:
    detail::owned<taskmgr_completion, taskmgr_completion_free> it_;
};

/// Answers for tasks that live elsewhere: in the whole cluster, in another process.
///
/// Every function is called on a thread of the library's own, several at once, and given up
/// after the manager's `provider_deadline`; its answer is then thrown away. What it throws
/// goes to whoever asked, with its message: a `taskmgr::error` with its code, anything else as
/// `errc::provider`. Calls that would block fail with `errc::would_deadlock` in it.
class provider {
public:
    virtual ~provider() = default;

    /// All its tasks. One that cannot be, e.g. of an empty type, is left out, and that is told
    /// to the callback error handler.
    virtual fallible<std::vector<virtual_task>> list() = 0;
    /// How one of its tasks is; none for an id that is not its own.
    virtual fallible<std::optional<virtual_task>> status(const taskmgr::id& of) = 0;
    /// Aborts one of its tasks; called only if its status says that it is abortable.
    virtual fallible<void> abort(const taskmgr::id& of, std::string_view reason) = 0;
    /// Sees to it that `done` is completed when the task has ended, at once if it has; it must
    /// not wait for that itself. It may keep `done`, and complete it on any thread.
    virtual fallible<void> watch(const taskmgr::id& of, completion done) = 0;
    /// Whether an id is its own.
    virtual fallible<bool> contains(const taskmgr::id& of) {
#if TASKMGR_EXCEPTIONS
        return status(of).has_value();
#else
        auto found = status(of);
        return found ? result<bool>(found->has_value()) : result<bool>(found.error());
#endif
    }
};

/// A provider as functions; the rules of `provider` hold. All but `contains` are needed.
struct provider_functions {
    std::function<fallible<std::vector<virtual_task>>()> list;
    std::function<fallible<std::optional<virtual_task>>(const taskmgr::id&)> status;
    std::function<fallible<void>(const taskmgr::id&, std::string_view)> abort;
    std::function<fallible<void>(const taskmgr::id&, completion)> watch;
    std::function<fallible<bool>(const taskmgr::id&)> contains;
};

namespace detail {

inline taskmgr_code provider_failed(errc code, std::string_view what) {
    const std::string good = utf8(what);
    const auto number = static_cast<taskmgr_code>(code);
    const taskmgr_code set = taskmgr_set_error(number, text(good));
    // Codes of C alone, as a provider may pass on, are none of its own.
    return set == number ? set : taskmgr_set_error(TASKMGR_PROVIDER, text(good));
}

/// Calls a function of a provider and hands what it gives to `take`.
template <class Ask, class Take>
taskmgr_code answer(Ask&& ask, [[maybe_unused]] Take&& take) noexcept {
    using asked = decltype(ask());
#if TASKMGR_CAN_CATCH
    try {
#endif
#if TASKMGR_EXCEPTIONS
        if constexpr (std::is_void_v<asked>) {
            ask();
            return TASKMGR_OK;
        } else {
            return take(ask());
        }
#else
        auto got = ask();
        if (!got) {
            return provider_failed(got.code(), got.error().what());
        }
        if constexpr (std::is_same_v<asked, result<void>>) {
            return TASKMGR_OK;
        } else {
            return take(*std::move(got));
        }
#endif
#if TASKMGR_CAN_CATCH
    } catch (const error& thrown) {
        return provider_failed(thrown.code(), thrown.what());
    } catch (const std::exception& thrown) {
        return provider_failed(errc::provider, thrown.what());
    } catch (...) {
        return provider_failed(errc::provider, "unknown exception");
    }
#endif
}

/// The functions that C is given for a provider; `P` is a provider, or functions.
template <class P>
struct asked_by_c {
    static P& of(void* data) noexcept { return **static_cast<std::shared_ptr<P>*>(data); }

    static taskmgr_code list(void* data, taskmgr_list_sink* sink) noexcept {
        return answer([&] { return of(data).list(); },
                      [&](const std::vector<virtual_task>& all) {
                          for (const virtual_task& each : all) {
                              add(sink, each);
                          }
                          return TASKMGR_OK;
                      });
    }

    static void add(taskmgr_list_sink* sink, const virtual_task& each) {
        const taskmgr_code code = with_virtual(each, [&](const taskmgr_virtual_task* task) {
            return taskmgr_list_sink_add(sink, task);
        });
        if (code != TASKMGR_OK) {
            on_callback_error.load()("a provider listed a task that cannot be, which",
                                     error::last(code).what());
        }
    }

    static taskmgr_code status(void* data, taskmgr_id id, taskmgr_status_sink* sink) noexcept {
        return answer([&] { return of(data).status(id); },
                      [&](const std::optional<virtual_task>& found) {
                          return !found ? TASKMGR_OK
                                        : with_virtual(*found, [&](const taskmgr_virtual_task* is) {
                                              return taskmgr_status_sink_set(sink, is);
                                          });
                      });
    }

    static taskmgr_code abort(void* data, taskmgr_id id, taskmgr_str reason) noexcept {
        return answer([&] { return of(data).abort(id, view(reason)); }, nothing);
    }

    static taskmgr_code watch(void* data, taskmgr_id id, taskmgr_completion* done) noexcept {
        completion taken(done);
        return answer([&] { return of(data).watch(id, std::move(taken)); }, nothing);
    }

    static taskmgr_code contains(void* data, taskmgr_id id, std::int32_t* found) noexcept {
        return answer([&] { return of(data).contains(id); },
                      [&](bool is) {
                          *found = is ? 1 : 0;
                          return TASKMGR_OK;
                      });
    }

    static void destroy(void* data) noexcept { delete static_cast<std::shared_ptr<P>*>(data); }

    static int nothing() noexcept { return TASKMGR_OK; }

    /// A table with all functions; it owns what it is given.
    static taskmgr_provider table(std::shared_ptr<P> from) {
        taskmgr_provider all = TASKMGR_PROVIDER_INIT;
        all.list = &list;
        all.status = &status;
        all.abort = &abort;
        all.watch = &watch;
        all.contains = &contains;
        all.destroy = &destroy;
        all.user_data = new std::shared_ptr<P>(std::move(from));
        return all;
    }
};

}  // namespace detail
}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
