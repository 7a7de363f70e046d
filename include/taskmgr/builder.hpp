/// What a new task shall be. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_BUILDER_HPP
#define TASKMGR_BUILDER_HPP

#include "work.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

class module;
class reporter;

/// What a new task shall be: made by `module::task`, `task::child` and `reporter::child`, and
/// turned into tasks by `start`, `create`, `run` and `spawn`, as often as one likes. It keeps
/// copies of its texts; names are at most 255 bytes of UTF-8, and printable.
/// A builder of a child uses the handle of its parent, which must be there when it is turned
/// into a task. Threads: one at a time.
class task_builder {
public:
    /// For which part of the operation it is responsible, e.g. "keyspace".
    task_builder& scope(std::string_view name) { return set(scope_, name); }
    /// The keyspace that it works on.
    task_builder& keyspace(std::string_view name) { return set(keyspace_, name); }
    /// The table that it works on.
    task_builder& table(std::string_view name) { return set(table_, name); }
    /// What else tells it from its siblings, e.g. a token range.
    task_builder& entity(std::string_view name) { return set(entity_, name); }
    /// What its progress counts, e.g. "sstables", without a total.
    task_builder& units(std::string_view name) { return set(units_, name); }
    /// How many units there are, and what they are.
    task_builder& total(std::uint64_t units, std::string_view name) {
        rest_.total = units;
        return set(units_, name);
    }
    /// The shard that it runs on; its parent's by default, and 0 for a root.
    task_builder& shard(std::uint32_t number) noexcept {
        rest_.shard = number;
        return *this;
    }
    /// Observers, and so operators, may abort it.
    task_builder& abortable(bool may = true) noexcept { return set(rest_.abortable, may); }
    /// Lists leave it out unless asked; as a root it is forgotten as soon as it has settled.
    task_builder& internal(bool is = true) noexcept { return set(rest_.internal, is); }
    /// A user started it, and it is kept for the TTL of user tasks.
    task_builder& user_task(bool is = true) noexcept { return set(rest_.user_task, is); }
    /// An id of the host's own.
    task_builder& id(const taskmgr::id& own) noexcept {
        rest_.id = own.get();
        return *this;
    }
    /// The task that it is a child of; not for a builder that was made by `child`.
    task_builder& parent(taskmgr::observer of) noexcept {
        parent_ = std::move(of);
        return *this;
    }
    /// The same by an id, which may be a virtual task's.
    task_builder& parent_id(const taskmgr::id& of) noexcept {
        rest_.parent_id = of.get();
        return *this;
    }
    /// For a child, the module it goes into; its parent's by default.
    task_builder& module(const taskmgr::module& into);

    /// Makes the task and starts it. Errors: invalid_argument for a name or an id that cannot
    /// be, id_in_use, not_found or gone for the parent's id, parent_terminal, aborted under a
    /// parent that was told to abort, provider, exhausted, closed.
    fallible<task> start() const;

    /// Makes the task in the state `created`; `task::start` starts it. Errors: those of
    /// `start` but aborted.
    fallible<task> create() const;

    /// Starts the task, does the work on this thread, and ends the task with it: as
    /// `task::run`. Errors: those of `start` too.
    template <class F>
    fallible<detail::work_value<F>> run(F&& work) const;

    /// Starts the task and does the work on a thread of its own: as `task::spawn`. Errors:
    /// those of `start` too.
    template <class F>
    fallible<spawned<detail::work_value<std::decay_t<F>>>> spawn(F&& work) const;

    /// The spec as the C interface takes it; everything in it is borrowed from this builder.
    taskmgr_task_spec get() const noexcept {
        taskmgr_task_spec spec = rest_;
        spec.type = detail::text(type_);
        spec.scope = detail::text(scope_);
        spec.keyspace = detail::text(keyspace_);
        spec.table = detail::text(table_);
        spec.entity = detail::text(entity_);
        spec.units = detail::text(units_);
        spec.parent = parent_ ? parent_->get() : nullptr;
        spec.module = is_child() ? module_.get() : nullptr;
        return spec;
    }

private:
    friend class module;
    friend class task;
    friend class reporter;

    explicit task_builder(std::string_view type) : type_(type) {}

    bool is_child() const noexcept { return task_ != nullptr || reporter_ != nullptr; }

    task_builder& set(std::string& field, std::string_view name) {
        field = name;
        return *this;
    }
    task_builder& set(std::uint8_t& field, bool to) noexcept {
        field = to ? 1 : 0;
        return *this;
    }

    result<task> made(bool started) const;

    std::string type_, scope_, keyspace_, table_, entity_, units_;
    taskmgr_task_spec rest_ = TASKMGR_TASK_SPEC("");
    std::shared_ptr<const taskmgr_module> module_;
    std::optional<taskmgr::observer> parent_;
    const taskmgr_task* task_ = nullptr;
    const taskmgr_reporter* reporter_ = nullptr;
};

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
