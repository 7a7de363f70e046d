/// Looks at tasks: statuses, stats, lists of them, reports of a close. Include `taskmgr.hpp`.

#ifndef TASKMGR_VIEW_HPP
#define TASKMGR_VIEW_HPP

#include <iosfwd>
#include <iterator>
#include <string>
#include <vector>

#include "error.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

/// How far a task is.
struct progress {
    std::uint64_t completed = 0;  ///< How many units are done.
    std::uint64_t total = 0;      ///< How many there are; at least as many as are done.
    bool total_known = false;     ///< Whether the total was told, or just follows.
    std::string units;            ///< What it counts, or "".

    /// What part is done, from 0 to 1.
    double fraction() const noexcept {
        return total == 0 ? 0 : static_cast<double>(completed) / static_cast<double>(total);
    }
};

/// A child, as its parent lists it.
struct child {
    taskmgr::id id;    ///< The child's id.
    std::string node;  ///< The address of the node that runs it.
};

/// How many children a task has had, finished descendants that are not listed included.
struct child_counts {
    std::uint64_t live = 0;       ///< Those that have not folded yet.
    std::uint64_t succeeded = 0;  ///< Those that ended as done.
    std::uint64_t failed = 0;     ///< Those that ended as failed.
    std::uint64_t not_kept = 0;   ///< Descendants that are counted but no longer listed.
};

/// What is known of an abort that reaches a task.
struct abort_info {
    std::string reason;                      ///< That of the abort that came first.
    std::optional<time_point> requested_at;  ///< When it was asked for.
    std::uint32_t polls = 0;                 ///< How often the work has looked since.
    std::optional<time_point> last_poll;     ///< When the work last looked.
};

/// The full view of a task at one moment. It does not change; copies share it, and any thread
/// may use it. Text is borrowed from it: keep the status for as long. One that was moved from
/// is empty: its texts are "", its numbers 0, its id nil.
class status {
public:
    /// Takes a status of the C interface, or shares in what keeps it.
    explicit status(taskmgr_status* from) : it_(from, detail::free_by<taskmgr_status_free>{}) {}
    /// A status that something else keeps, e.g. a list of them.
    explicit status(std::shared_ptr<const taskmgr_status> from) noexcept : it_(std::move(from)) {}

    /// The task's id.
    taskmgr::id id() const noexcept { return taskmgr_status_id(get()); }
    /// What operation the task covers.
    std::string_view type() const noexcept { return detail::view(taskmgr_status_type(get())); }
    /// Who answers for it.
    taskmgr::kind kind() const noexcept {
        return static_cast<taskmgr::kind>(taskmgr_status_kind(get()));
    }
    /// The module that it belongs to.
    std::string_view module() const noexcept { return detail::view(taskmgr_status_module(get())); }
    /// For which part of the operation it is responsible, or "".
    std::string_view scope() const noexcept { return detail::view(taskmgr_status_scope(get())); }
    /// Where it is in its life.
    taskmgr::state state() const noexcept {
        return static_cast<taskmgr::state>(taskmgr_status_state(get()));
    }
    /// Whether it has ended.
    bool is_terminal() const noexcept { return taskmgr::is_terminal(state()); }
    /// Whether an observer may abort it.
    bool is_abortable() const noexcept { return taskmgr_status_is_abortable(get()); }
    /// The number of its tree in its module and shard, from 1.
    std::uint64_t sequence_number() const noexcept {
        return taskmgr_status_sequence_number(get());
    }
    /// The keyspace that it works on, or "".
    std::string_view keyspace() const noexcept {
        return detail::view(taskmgr_status_keyspace(get()));
    }
    /// The table that it works on, or "".
    std::string_view table() const noexcept { return detail::view(taskmgr_status_table(get())); }
    /// What else tells it from its siblings, or "".
    std::string_view entity() const noexcept { return detail::view(taskmgr_status_entity(get())); }
    /// The shard that it runs on.
    std::uint32_t shard() const noexcept { return taskmgr_status_shard(get()); }
    /// When it was made; the epoch for a virtual task that does not tell.
    time_point created_at() const {
        return detail::time(taskmgr_status_created_at(get())).value_or(time_point());
    }
    /// When it started.
    std::optional<time_point> start_time() const {
        return detail::time(taskmgr_status_start_time(get()));
    }
    /// When it ended.
    std::optional<time_point> end_time() const {
        return detail::time(taskmgr_status_end_time(get()));
    }
    /// Why it failed; "" if it has not.
    std::string_view error() const noexcept { return detail::view(taskmgr_status_error(get())); }
    /// The first error of everything that has folded into it, or "".
    std::string_view first_error() const noexcept {
        return detail::view(taskmgr_status_first_error(get()));
    }
    /// Its parent, regular or virtual; none for a root.
    std::optional<taskmgr::id> parent_id() const noexcept {
        const taskmgr::id parent = taskmgr_status_parent_id(get());
        return parent.is_nil() ? std::nullopt : std::optional(parent);
    }
    /// How far it is.
    taskmgr::progress progress() const {
        return {taskmgr_status_progress_completed(get()), taskmgr_status_progress_total(get()),
                taskmgr_status_progress_total_known(get()),
                std::string(detail::view(taskmgr_status_progress_units(get())))};
    }
    /// The children that live and those that are kept, in order of creation.
    std::vector<child> children() const {
        std::vector<child> all(taskmgr_status_children_len(get()));
        for (std::size_t at = 0; at < all.size(); ++at) {
            all[at].id = taskmgr_status_child_id(get(), at);
            all[at].node = detail::view(taskmgr_status_child_node(get(), at));
        }
        return all;
    }
    /// How many children it has had.
    taskmgr::child_counts child_counts() const noexcept {
        return {taskmgr_status_children_live(get()), taskmgr_status_children_succeeded(get()),
                taskmgr_status_children_failed(get()), taskmgr_status_children_not_kept(get())};
    }
    /// Whether lists leave it out unless asked.
    bool is_internal() const noexcept { return taskmgr_status_internal(get()); }
    /// Whether a user started it, so that the TTL of user tasks counts for it.
    bool is_user_task() const noexcept { return taskmgr_status_user_task(get()); }
    /// Whether it has ended with every descendant.
    bool is_settled() const noexcept { return taskmgr_status_settled(get()); }
    /// Whether it was asked to sleep at its next checkpoint.
    bool suspend_requested() const noexcept { return taskmgr_status_suspend_requested(get()); }
    /// The abort that reaches it, if one was asked for.
    std::optional<abort_info> abort() const {
        if (!taskmgr_status_abort_requested(get())) {
            return std::nullopt;
        }
        return abort_info{std::string(detail::view(taskmgr_status_abort_reason(get()))),
                          detail::time(taskmgr_status_abort_requested_at(get())),
                          taskmgr_status_abort_polls(get()),
                          detail::time(taskmgr_status_abort_last_poll(get()))};
    }

    /// The status as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_status* get() const noexcept { return it_.get(); }

private:
    std::shared_ptr<const taskmgr_status> it_;
};

/// The short view of a task, as lists have it. The rules of `status` hold.
class stats {
public:
    /// Stats that something else keeps, e.g. a list of them.
    explicit stats(std::shared_ptr<const taskmgr_stats> from) noexcept : it_(std::move(from)) {}

    /// The task's id.
    taskmgr::id id() const noexcept { return taskmgr_stats_id(get()); }
    /// What operation the task covers.
    std::string_view type() const noexcept { return detail::view(taskmgr_stats_type(get())); }
    /// Who answers for it.
    taskmgr::kind kind() const noexcept {
        return static_cast<taskmgr::kind>(taskmgr_stats_kind(get()));
    }
    /// For which part of the operation it is responsible, or "".
    std::string_view scope() const noexcept { return detail::view(taskmgr_stats_scope(get())); }
    /// Where it is in its life.
    taskmgr::state state() const noexcept {
        return static_cast<taskmgr::state>(taskmgr_stats_state(get()));
    }
    /// The number of its tree in its module and shard, from 1.
    std::uint64_t sequence_number() const noexcept {
        return taskmgr_stats_sequence_number(get());
    }
    /// The keyspace that it works on, or "".
    std::string_view keyspace() const noexcept {
        return detail::view(taskmgr_stats_keyspace(get()));
    }
    /// The table that it works on, or "".
    std::string_view table() const noexcept { return detail::view(taskmgr_stats_table(get())); }
    /// What else tells it from its siblings, or "".
    std::string_view entity() const noexcept { return detail::view(taskmgr_stats_entity(get())); }
    /// The shard that it runs on.
    std::uint32_t shard() const noexcept { return taskmgr_stats_shard(get()); }
    /// When it was made; the epoch for a virtual task that does not tell.
    time_point created_at() const {
        return detail::time(taskmgr_stats_created_at(get())).value_or(time_point());
    }
    /// When it started.
    std::optional<time_point> start_time() const {
        return detail::time(taskmgr_stats_start_time(get()));
    }
    /// When it ended.
    std::optional<time_point> end_time() const {
        return detail::time(taskmgr_stats_end_time(get()));
    }
    /// Whether lists leave it out unless asked.
    bool is_internal() const noexcept { return taskmgr_stats_internal(get()); }

    /// The stats as the C interface takes them; borrowed, null once they were moved from.
    const taskmgr_stats* get() const noexcept { return it_.get(); }

private:
    std::shared_ptr<const taskmgr_stats> it_;
};

namespace detail {

/// A list of views as a range. Each view shares in the list, so it may outlive it.
template <class View, class List, class Item, auto Len, auto At>
class view_list {
public:
    using value_type = View;
    using size_type = std::size_t;

    /// Walks over a list; what it gives is a value.
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = View;
        using difference_type = std::ptrdiff_t;
        using reference = View;
        /// Keeps a value for the time of one `->`.
        struct pointer {
            View view;
            const View* operator->() const noexcept { return &view; }
        };

        iterator() = default;
        iterator(const view_list* list, std::size_t at) noexcept : list_(list), at_(at) {}
        View operator*() const { return (*list_)[at_]; }
        pointer operator->() const { return {**this}; }
        iterator& operator++() noexcept {
            ++at_;
            return *this;
        }
        iterator operator++(int) noexcept { return {list_, at_++}; }
        friend bool operator==(const iterator& one, const iterator& other) noexcept {
            return one.at_ == other.at_;
        }
        friend bool operator!=(const iterator& one, const iterator& other) noexcept {
            return one.at_ != other.at_;
        }

    private:
        const view_list* list_ = nullptr;
        std::size_t at_ = 0;
    };
    using const_iterator = iterator;

    /// How many tasks there are.
    std::size_t size() const noexcept { return Len(list_.get()); }
    /// Whether there are none.
    bool empty() const noexcept { return size() == 0; }
    /// The task at `index`, counted from 0; an empty view where there is none.
    View operator[](std::size_t index) const {
        return View(std::shared_ptr<const Item>(list_, At(list_.get(), index)));
    }
    /// The task at `index`, counted from 0. Errors: invalid_argument where there is none.
    fallible<View> at(std::size_t index) const {
        const Item* const item = At(list_.get(), index);
        if (item == nullptr) {
            return failed<View>(error::last(TASKMGR_INVALID_ARGUMENT));
        }
        return View(std::shared_ptr<const Item>(list_, item));
    }
    /// The first task.
    iterator begin() const noexcept { return {this, 0}; }
    /// Behind the last task.
    iterator end() const noexcept { return {this, size()}; }
    /// The list as the C interface takes it; borrowed, null once it was moved from.
    const List* get() const noexcept { return list_.get(); }

protected:
    explicit view_list(std::shared_ptr<const List> list) noexcept : list_(std::move(list)) {}

private:
    std::shared_ptr<const List> list_;
};

using status_list_base = view_list<status, taskmgr_status_list, taskmgr_status,
                                   taskmgr_status_list_len, taskmgr_status_list_at>;
using stats_list_base = view_list<stats, taskmgr_stats_list, taskmgr_stats,
                                  taskmgr_stats_list_len, taskmgr_stats_list_at>;

}  // namespace detail

/// The full views of a task and all below it, breadth-first, siblings in order of creation: a
/// range. Copies share it, and any thread may use it.
class status_list : public detail::status_list_base {
public:
    /// Takes a list of the C interface.
    explicit status_list(taskmgr_status_list* from)
        : view_list({from, detail::free_by<taskmgr_status_list_free>{}}) {}

    /// The trees as plain text, a line for each task; what is left out of many is counted: see
    /// `taskmgr_status_list_drawn`. Borrowed from the list.
    std::string_view drawn() const noexcept {
        return detail::view(taskmgr_status_list_drawn(get()));
    }
};

/// Draws the trees: writes `drawn()`.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& to,
                                             const status_list& tree) {
    return to << tree.drawn();
}

/// The short views of several tasks: a range. Copies share it, and any thread may use it.
class stats_list : public detail::stats_list_base {
public:
    /// Takes a list of the C interface.
    explicit stats_list(taskmgr_stats_list* from)
        : view_list({from, detail::free_by<taskmgr_stats_list_free>{}}) {}
    /// A list that something else keeps, e.g. a report.
    explicit stats_list(std::shared_ptr<const taskmgr_stats_list> from) noexcept
        : view_list(std::move(from)) {}

    /// Whether every provider of virtual tasks has said in time which tasks it has.
    bool is_complete() const noexcept { return taskmgr_stats_list_missing_len(get()) == 0; }
    /// Whose tasks are missing, and why, in words; empty for a list that is complete.
    std::vector<std::string> missing() const {
        std::vector<std::string> all(taskmgr_stats_list_missing_len(get()));
        for (std::size_t at = 0; at < all.size(); ++at) {
            all[at] = detail::view(taskmgr_stats_list_missing_at(get(), at));
        }
        return all;
    }
};

/// What closing a module or a manager has left behind. Copies share it.
class close_report {
public:
    /// Takes a report of the C interface.
    explicit close_report(taskmgr_close_report* from)
        : it_(from, detail::free_by<taskmgr_close_report_free>{}) {}

    /// Whether everything has ended.
    bool is_complete() const noexcept { return taskmgr_close_report_is_complete(it_.get()); }
    /// The tasks that had not ended by the deadline.
    stats_list still_running() const {
        return stats_list(std::shared_ptr<const taskmgr_stats_list>(
            it_, taskmgr_close_report_still_running(it_.get())));
    }
    /// The report as the C interface takes it; borrowed, null once it was moved from.
    const taskmgr_close_report* get() const noexcept { return it_.get(); }

private:
    std::shared_ptr<const taskmgr_close_report> it_;
};

/// Which tasks of a module to list; with nothing set, all that are not internal. It keeps
/// copies of its texts.
class filter {
public:
    /// Only tasks on this keyspace.
    filter& keyspace(std::string_view name) { return set(keyspace_, name); }
    /// Only tasks on this table.
    filter& table(std::string_view name) { return set(table_, name); }
    /// Only tasks of this type.
    filter& type(std::string_view name) { return set(type_, name); }
    /// Only tasks of this scope.
    filter& scope(std::string_view name) { return set(scope_, name); }
    /// Only tasks in this state.
    filter& state(taskmgr::state is) noexcept {
        state_ = static_cast<taskmgr_state>(is);
        return *this;
    }
    /// Internal tasks too.
    filter& internal(bool shown = true) noexcept {
        internal_ = shown;
        return *this;
    }
    /// At most so many, the oldest first.
    filter& limit(std::size_t most) noexcept {
        limit_ = most;
        return *this;
    }

    /// The filter as the C interface takes it; texts are borrowed from this one.
    taskmgr_filter get() const noexcept {
        taskmgr_filter all = TASKMGR_FILTER;
        all.keyspace = detail::text(keyspace_);
        all.table = detail::text(table_);
        all.type = detail::text(type_);
        all.scope = detail::text(scope_);
        all.limit = limit_;
        all.state = state_;
        all.internal = internal_ ? 1 : 0;
        return all;
    }

private:
    filter& set(std::string& field, std::string_view name) {
        field = name;
        return *this;
    }

    std::string keyspace_, table_, type_, scope_;
    std::size_t limit_ = TASKMGR_NO_LIMIT;
    taskmgr_state state_ = TASKMGR_STATE_ANY;
    bool internal_ = false;
};

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
