/// Managers, and the clock for tests. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_MANAGER_HPP
#define TASKMGR_MANAGER_HPP

#include "module.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

/// A clock for tests that stands still, at first at 2020-01-01T00:00:00Z, until it is told to
/// move. Copies share it; any thread may use it.
class manual_clock {
public:
    /// Takes a clock of the C interface.
    explicit manual_clock(taskmgr_clock* from)
        : it_(from, detail::free_by<taskmgr_clock_free>{}) {}

    /// Makes a clock.
    static fallible<manual_clock> create() {
        taskmgr_clock* made = nullptr;
        return detail::give<manual_clock>(taskmgr_clock_create(&made), made);
    }

    /// Moves it on, and the wall clock with it. Errors: invalid_argument for a negative time.
    fallible<void> advance(duration by) const {
        const auto ms = detail::milliseconds_of(by, "the time to advance a clock by");
        return ms ? detail::check(taskmgr_clock_advance(get(), *ms))
                  : detail::failed<void>(ms.error());
    }

    /// Sets its wall time, forwards or back; TTLs do not notice. Errors: invalid_argument for
    /// a time before 1970.
    fallible<void> set_wall(time_point now) const {
        return detail::check(taskmgr_clock_set_wall(get(), detail::time_ns(now)));
    }

    /// The clock as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_clock* get() const noexcept { return it_.get(); }

private:
    std::shared_ptr<const taskmgr_clock> it_;
};

class manager;

/// What a manager shall be; `manager::builder` makes one with the defaults.
class manager_builder {
public:
    /// The address of this node, as children's ids are shown with it.
    manager_builder& node(std::string_view address) {
        node_ = address;
        return *this;
    }
    /// For how long a finished root stays; 0, the default, forgets it at once.
    manager_builder& task_ttl(duration ttl) {
        return set(config_.task_ttl_ms, ttl, "the task TTL");
    }
    /// For how long one that a user started stays; an hour by default.
    manager_builder& user_task_ttl(duration ttl) {
        return set(config_.user_task_ttl_ms, ttl, "the TTL of user tasks");
    }
    /// How long a provider of virtual tasks may take to answer; 5 s by default.
    manager_builder& provider_deadline(duration most) {
        return set(config_.provider_deadline_ms, most, "the deadline of providers");
    }
    /// How many succeeded children a parent keeps, and how many failed ones; 1,024 by default.
    manager_builder& max_kept_children(std::size_t most) noexcept {
        config_.max_kept_children = most;
        return *this;
    }
    /// How many finished descendants a whole tree keeps; 16,384 by default.
    manager_builder& max_kept_per_root(std::size_t most) noexcept {
        config_.max_kept_per_root = most;
        return *this;
    }
    /// How many roots that are gone are remembered, with the reason; 4,096 by default.
    manager_builder& tombstones(std::size_t most) noexcept {
        config_.tombstones = most;
        return *this;
    }
    /// About how many bytes all finished roots may take with what they keep; 64 MiB by default.
    /// Beyond it the oldest go before their time: those that succeeded, then those of users that
    /// did, then those that failed, then those of users that failed.
    manager_builder& max_finished_bytes(std::uint64_t most) noexcept {
        config_.max_finished_bytes = most;
        return *this;
    }
    /// How many modules may be registered or closing at once; 65,536 by default.
    manager_builder& max_modules(std::size_t most) noexcept {
        config_.max_modules = most;
        return *this;
    }
    /// How many tasks may live at once, which are those that have not settled; none but memory by
    /// default, for which TASKMGR_NO_LIMIT stands. With a bound making and ending tasks takes longer.
    manager_builder& max_live_tasks(std::size_t most) noexcept {
        config_.max_live_tasks = most;
        return *this;
    }
    /// Whether a background thread forgets roots whose time has come, as by default. Without
    /// it call `manager::tick`.
    manager_builder& reaper(bool runs) noexcept {
        config_.reaper = runs ? 1 : 0;
        return *this;
    }
    /// Reading the status of a settled root over REST leaves it registered.
    manager_builder& keep_on_read(bool keeps = true) noexcept {
        config_.keep_on_read = keeps ? 1 : 0;
        return *this;
    }
    /// A clock for tests. With one a manager has no background thread.
    manager_builder& clock(manual_clock by) noexcept {
        clock_ = std::move(by);
        return *this;
    }

    /// Makes the manager. Errors: invalid_argument for a TTL that is negative or above 100
    /// years, or an address that is no name; exhausted in a process that is more than 15 forks
    /// away from the first that made one.
    fallible<manager> build() const;

private:
    manager_builder& set(std::uint64_t& field, duration to, const char* what) {
        const auto ms = detail::milliseconds_of(to, what);
        if (ms) {
            field = *ms;
        } else if (!wrong_) {
            wrong_ = ms.error();
        }
        return *this;
    }

    std::string node_;
    taskmgr_manager_config config_ = TASKMGR_MANAGER_CONFIG;
    std::optional<manual_clock> clock_;
    std::optional<error> wrong_;
};

/// Keeps track of a node's long-running operations. Copies share one handle; any thread may
/// use it, several at once. When the last goes without `close`, new tasks are refused and all
/// that run are told to abort, but not waited for; handles of tasks that are left still
/// report, finish, and can be waited for. Each call on one that was moved from fails with
/// `errc::invalid_argument`.
class manager {
public:
    /// Takes a manager of the C interface.
    explicit manager(taskmgr_manager* from)
        : it_(from, detail::free_by<taskmgr_manager_free>{}) {}

    /// What a manager shall be, with the defaults: `manager::builder().task_ttl(60s).build()`.
    static manager_builder builder() { return {}; }

    /// Closes all modules and the manager with them: as `module::close`. Whoever still waits
    /// for a task at the deadline, or comes later, gets `errc::closed`. Closing again waits on for
    /// what still runs, and is answered in the same way. Errors: would_deadlock in a callback,
    /// unless the deadline is zero.
    fallible<close_report> close(duration deadline) const {
        taskmgr_close_report* report = nullptr;
        return detail::give<close_report>(taskmgr_manager_close(get(), deadline.count(), &report),
                                          report);
    }

    /// Registers a module. Names are non-empty, at most 255 bytes, and printable.
    /// Errors: module_exists if one of that name is registered or still closing,
    /// invalid_argument for the name, closed.
    fallible<taskmgr::module> register_module(std::string_view name) const {
        taskmgr_module* made = nullptr;
        return detail::give<taskmgr::module>(
            taskmgr_manager_register_module(get(), detail::text(name), &made), made);
    }

    /// The module of this name. Errors: unknown_module, closed.
    fallible<taskmgr::module> module(std::string_view name) const {
        taskmgr_module* found = nullptr;
        return detail::give<taskmgr::module>(
            taskmgr_manager_module(get(), detail::text(name), &found), found);
    }

    /// The names of all modules, in order of registration. Errors: closed.
    fallible<std::vector<std::string>> modules() const {
        using names = std::vector<std::string>;
        taskmgr_strings* found = nullptr;
        const taskmgr_code code = taskmgr_manager_modules(get(), &found);
        const detail::owned<taskmgr_strings, taskmgr_strings_free> list(found);
        if (code != TASKMGR_OK) {
            return detail::failed<names>(error::last(code));
        }
        names all(taskmgr_strings_len(list.get()));
        for (std::size_t at = 0; at < all.size(); ++at) {
            all[at] = detail::view(taskmgr_strings_at(list.get(), at));
        }
        return all;
    }

    /// The tasks of a module, as `module::list`. Errors: unknown_module too.
    fallible<stats_list> list(std::string_view module, const filter& which = {}) const {
        const taskmgr_filter all = which.get();
        taskmgr_stats_list* tasks = nullptr;
        return detail::give<stats_list>(
            taskmgr_manager_list(get(), detail::text(module), &all, &tasks), tasks);
    }

    /// Unregisters all settled roots of a module; gives how many there were. Errors:
    /// unknown_module, closed.
    fallible<std::size_t> drain(std::string_view module) const {
        std::size_t drained = 0;
        const taskmgr_code code = taskmgr_manager_drain(get(), detail::text(module), &drained);
        return detail::value<std::size_t>(code, drained);
    }

    /// Closes a module by its name: as `module::close`. Errors: unknown_module too.
    fallible<close_report> close_module(std::string_view module, duration deadline) const {
        taskmgr_close_report* report = nullptr;
        return detail::give<close_report>(
            taskmgr_manager_close_module(get(), detail::text(module), deadline.count(), &report),
            report);
    }

    /// The address that it was given; borrowed from this handle.
    std::string_view node() const noexcept { return detail::view(taskmgr_manager_node(get())); }
    /// Whether reading the status of a settled root over REST leaves it registered.
    bool keep_on_read() const noexcept { return taskmgr_manager_keep_on_read(get()); }
    /// For how long a finished root stays.
    std::chrono::milliseconds task_ttl() const noexcept {
        return detail::milliseconds(taskmgr_manager_task_ttl(get()));
    }
    /// For how long a finished root that a user started stays.
    std::chrono::milliseconds user_task_ttl() const noexcept {
        return detail::milliseconds(taskmgr_manager_user_task_ttl(get()));
    }
    /// About how many bytes the finished roots take that are kept, with all that they keep.
    std::uint64_t finished_bytes() const noexcept { return taskmgr_manager_finished_bytes(get()); }
    /// How many finished roots have gone before their time, as all of them took too much.
    std::uint64_t evicted() const noexcept { return taskmgr_manager_evicted(get()); }
    /// Sets for how long a root stays that settles from now on; gives what it was. Errors:
    /// invalid_argument for a negative one and above 100 years, closed.
    fallible<std::chrono::milliseconds> set_task_ttl(duration ttl) const {
        return set(&taskmgr_manager_set_task_ttl, ttl, "the task TTL");
    }
    /// The same for roots that a user started.
    fallible<std::chrono::milliseconds> set_user_task_ttl(duration ttl) const {
        return set(&taskmgr_manager_set_user_task_ttl, ttl, "the TTL of user tasks");
    }
    /// Forgets the roots whose time has come, for hosts without the background thread; gives
    /// how many there were. What has expired is never shown, swept or not.
    std::size_t tick() const noexcept { return taskmgr_manager_tick(get()); }

    /// An observer of the task of this id, regular or virtual. Errors: not_found; gone if it
    /// was there, with the reason and the final state; provider if no regular task has the id
    /// and a provider could not say; would_deadlock if one would have to be asked in a
    /// callback; closed.
    fallible<observer> observe(const id& of) const {
        taskmgr_observer* made = nullptr;
        return detail::give<observer>(taskmgr_manager_observe(get(), of.get(), &made), made);
    }
    /// How the task is. This only looks. Errors: those of `observe`.
    fallible<taskmgr::status> status(const id& of) const {
        return one(&taskmgr_manager_status, of);
    }
    /// How the settled root has ended; it is unregistered with that. Errors: not_settled if it
    /// or a descendant is at work, not_supported for a virtual task, and those of `observe`.
    fallible<taskmgr::status> take_status(const id& of) const {
        return one(&taskmgr_manager_take_status, of);
    }
    /// What the REST API answers: the status, and a settled root is unregistered with that
    /// unless the manager was made with `keep_on_read`. Errors: those of `observe`.
    fallible<taskmgr::status> read_status(const id& of) const {
        return one(&taskmgr_manager_read_status, of);
    }
    /// The statuses of the task and all its descendants, breadth-first. Errors: those of
    /// `observe`.
    fallible<status_list> status_tree(const id& of) const {
        return tree(&taskmgr_manager_status_tree, of);
    }
    /// The statuses of a settled root and all its descendants; it is unregistered with that.
    /// Errors: those of `take_status`.
    fallible<status_list> take_status_tree(const id& of) const {
        return tree(&taskmgr_manager_take_status_tree, of);
    }
    /// What the REST API answers for a whole tree: as `read_status`.
    fallible<status_list> read_status_tree(const id& of) const {
        return tree(&taskmgr_manager_read_status_tree, of);
    }

    /// Tells the task and all below it to abort: as `observer::abort`. Errors: those of
    /// `observe` too.
    fallible<void> abort(const id& of, std::string_view reason) const {
        return detail::check(taskmgr_manager_abort(get(), of.get(), detail::text(reason)));
    }
    /// Asks the task's owner to sleep at its next checkpoint. Errors: not_supported for a
    /// virtual task, and those of `observe`.
    fallible<void> suspend(const id& of) const {
        return detail::check(taskmgr_manager_suspend(get(), of.get()));
    }
    /// Takes `suspend` back, and wakes the owner. Errors: as `suspend`.
    fallible<void> resume(const id& of) const {
        return detail::check(taskmgr_manager_resume(get(), of.get()));
    }
    /// Sleeps until the task has ended: as `observer::wait`. Errors: those of `observe` too.
    fallible<taskmgr::status> wait(const id& of) const { return wait_ms(of, TASKMGR_FOREVER); }
    /// The same for no longer than this: 0, or less, asks without blocking.
    fallible<taskmgr::status> wait(const id& of, duration timeout) const {
        return wait_ms(of, timeout.count());
    }
    /// Calls `callback` once with a `result<status>` when the task has ended: as
    /// `observer::on_done`. Errors: those of `observe` too.
    template <class F>
    fallible<done_guard> on_done(const id& of, F&& callback) const {
        using box = detail::boxed<std::decay_t<F>>;
        auto* const data = new std::decay_t<F>(std::forward<F>(callback));
        taskmgr_done_guard* guard = nullptr;
        return detail::give<done_guard>(
            taskmgr_manager_on_done(get(), of.get(), &box::run_done, data, &box::destroy, &guard),
            guard);
    }

    /// The manager as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_manager* get() const noexcept { return it_.get(); }

private:
    template <class Call>
    fallible<taskmgr::status> one(Call call, const id& of) const {
        taskmgr_status* found = nullptr;
        return detail::give<taskmgr::status>(call(get(), of.get(), &found), found);
    }

    template <class Call>
    fallible<status_list> tree(Call call, const id& of) const {
        taskmgr_status_list* found = nullptr;
        return detail::give<status_list>(call(get(), of.get(), &found), found);
    }

    template <class Call>
    fallible<std::chrono::milliseconds> set(Call call, duration to, const char* what) const {
        using ms = std::chrono::milliseconds;
        const auto wanted = detail::milliseconds_of(to, what);
        if (!wanted) {
            return detail::failed<ms>(wanted.error());
        }
        std::uint64_t before = 0;
        const taskmgr_code code = call(get(), *wanted, &before);
        return detail::value<ms>(code, detail::milliseconds(before));
    }

    fallible<taskmgr::status> wait_ms(const id& of, std::uint64_t timeout) const {
        taskmgr_status* ended = nullptr;
        return detail::give<taskmgr::status>(
            taskmgr_manager_wait(get(), of.get(), timeout, &ended), ended);
    }

    std::shared_ptr<const taskmgr_manager> it_;
};

inline fallible<manager> manager_builder::build() const {
    if (wrong_) {
        return detail::failed<manager>(*wrong_);
    }
    taskmgr_manager_config config = config_;
    config.node = detail::text(node_);
    config.clock = clock_ ? clock_->get() : nullptr;
    taskmgr_manager* made = nullptr;
    return detail::give<manager>(taskmgr_manager_create(&config, &made), made);
}

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
