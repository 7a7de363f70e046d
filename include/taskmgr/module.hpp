/// Modules. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_MODULE_HPP
#define TASKMGR_MODULE_HPP

#include "provider.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

/// A group of operations of one nature, e.g. all repairs. It does not keep the manager, and
/// stays registered without a handle. Copies share one handle; any thread may use it, several
/// at once. Each call on one that was moved from fails with `errc::invalid_argument`.
class module {
public:
    /// Takes a module of the C interface.
    explicit module(taskmgr_module* from) : it_(from, detail::free_by<taskmgr_module_free>{}) {}

    /// Its name; borrowed from this handle.
    std::string_view name() const noexcept { return detail::view(taskmgr_module_name(get())); }

    /// A task of this module that covers an operation of this type; `start` and its like make
    /// it. `parent` puts it under another.
    task_builder task(std::string_view type) const {
        task_builder builder(type);
        builder.module_ = it_;
        return builder;
    }

    /// The module's tasks, by time of creation and then id. Virtual ones of a provider that gives
    /// no answer in time are not among them; the list says so. Errors: closed, would_deadlock in
    /// a callback if the module has a provider.
    fallible<stats_list> list(const filter& which = {}) const {
        const taskmgr_filter all = which.get();
        taskmgr_stats_list* tasks = nullptr;
        return detail::give<stats_list>(taskmgr_module_list(get(), &all, &tasks), tasks);
    }

    /// Unregisters all settled roots; gives how many there were. Errors: closed.
    fallible<std::size_t> drain() const {
        std::size_t drained = 0;
        const taskmgr_code code = taskmgr_module_drain(get(), &drained);
        return detail::value<std::size_t>(code, drained);
    }

    /// Closes the module: no new tasks; its running ones are told to abort and waited for
    /// until the deadline; the settled ones are unregistered. Who waits for a virtual task of it
    /// then gets `errc::closed`. What still runs keeps the name taken until it ends. Closing again
    /// with this handle waits on for what still runs, and is answered in the same way; it never
    /// reaches a module that was registered under the name since. Errors: would_deadlock in a
    /// callback, unless the deadline is zero; closed if nobody had closed it when its manager went.
    fallible<close_report> close(duration deadline) const {
        taskmgr_close_report* report = nullptr;
        return detail::give<close_report>(taskmgr_module_close(get(), deadline.count(), &report),
                                          report);
    }

    /// Registers a provider of virtual tasks. The manager keeps it until the end of the
    /// process at the latest, and the host may keep it too. Errors: invalid_argument for none,
    /// closed.
    fallible<void> register_provider(std::shared_ptr<provider> from) const {
        if (!from) {
            return detail::failed<void>(
                error(errc::invalid_argument, "the provider is a null pointer; it must not be"));
        }
        return registered(detail::asked_by_c<provider>::table(std::move(from)));
    }

    /// The same with functions. Errors: invalid_argument for one that is missing.
    fallible<void> register_provider(provider_functions from) const {
        auto shared = std::make_shared<provider_functions>(std::move(from));
        const provider_functions& has = *shared;
        taskmgr_provider table = detail::asked_by_c<provider_functions>::table(std::move(shared));
        // One that is missing is missing for C as well, which names it.
        table.list = has.list ? table.list : nullptr;
        table.status = has.status ? table.status : nullptr;
        table.abort = has.abort ? table.abort : nullptr;
        table.watch = has.watch ? table.watch : nullptr;
        table.contains = has.contains ? table.contains : nullptr;
        return registered(table);
    }

    /// The module as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_module* get() const noexcept { return it_.get(); }

private:
    friend class task_builder;

    fallible<void> registered(const taskmgr_provider& table) const {
        return detail::check(taskmgr_module_register_provider(get(), &table));
    }

    std::shared_ptr<const taskmgr_module> it_;
};

inline task_builder& task_builder::module(const taskmgr::module& into) {
    module_ = into.it_;
    return *this;
}

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
