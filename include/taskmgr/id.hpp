/// Ids, and the words for states, kinds and reasons. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_ID_HPP
#define TASKMGR_ID_HPP

#include <array>
#include <cstring>
#include <functional>
#include <iosfwd>

#include "config.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

/// The id of a task, a UUID. A plain value; the nil id, all zero, is that of no task.
class id {
public:
    /// The nil id.
    constexpr id() noexcept : id_{} {}

    /// An id of the C interface.
    constexpr id(taskmgr_id from) noexcept : id_(from) {}

    /// An id from its 16 bytes, in the order in which they are written as text.
    explicit id(const std::array<std::uint8_t, 16>& bytes) noexcept : id_{} {
        std::memcpy(id_.bytes, bytes.data(), bytes.size());
    }

    /// Reads an id from text, e.g. "67e55044-10b1-426f-9247-bb680e5fe0c8"; capitals will do,
    /// and so will text without hyphens. Errors: invalid_argument.
    static fallible<id> parse(std::string_view text);

    /// A random id.
    static id random() noexcept { return taskmgr_id_random(); }

    /// Whether it is the nil id.
    bool is_nil() const noexcept { return taskmgr_id_is_nil(id_); }

    /// The 36 characters of it.
    std::string to_string() const {
        char text[TASKMGR_ID_TEXT];
        return taskmgr_id_format(id_, text);
    }

    /// Its 16 bytes, in the order in which they are written as text.
    std::array<std::uint8_t, 16> bytes() const noexcept {
        std::array<std::uint8_t, 16> copy{};
        std::memcpy(copy.data(), id_.bytes, copy.size());
        return copy;
    }

    /// The id as the C interface takes it.
    constexpr const taskmgr_id& get() const noexcept { return id_; }

    friend bool operator==(const id& one, const id& other) noexcept {
        return compare(one, other) == 0;
    }
    friend bool operator!=(const id& one, const id& other) noexcept {
        return compare(one, other) != 0;
    }
    friend bool operator<(const id& one, const id& other) noexcept {
        return compare(one, other) < 0;
    }
    friend bool operator>(const id& one, const id& other) noexcept {
        return compare(one, other) > 0;
    }
    friend bool operator<=(const id& one, const id& other) noexcept {
        return compare(one, other) <= 0;
    }
    friend bool operator>=(const id& one, const id& other) noexcept {
        return compare(one, other) >= 0;
    }

private:
    static int compare(const id& one, const id& other) noexcept {
        return std::memcmp(one.id_.bytes, other.id_.bytes, sizeof one.id_.bytes);
    }

    taskmgr_id id_;
};

/// Where a task is in its life.
enum class state : taskmgr_state {
    created = TASKMGR_STATE_CREATED,      ///< Made, and not yet started.
    running = TASKMGR_STATE_RUNNING,      ///< At work.
    suspended = TASKMGR_STATE_SUSPENDED,  ///< Its owner sleeps in a checkpoint.
    done = TASKMGR_STATE_DONE,            ///< Ended with success.
    failed = TASKMGR_STATE_FAILED,        ///< Ended with an error.
};

/// Who answers for a task.
enum class kind : taskmgr_kind {
    node = TASKMGR_KIND_NODE,        ///< A regular task, held in memory by this manager.
    cluster = TASKMGR_KIND_CLUSTER,  ///< A virtual task, answered on demand by a provider.
};

/// Why a task that was there is there no longer.
enum class gone_reason : taskmgr_gone_reason {
    expired = TASKMGR_GONE_EXPIRED,  ///< Its time to live has passed.
    read = TASKMGR_GONE_READ,        ///< Its status was taken.
    drained = TASKMGR_GONE_DRAINED,  ///< Its module was drained or closed.
    folded = TASKMGR_GONE_FOLDED,    ///< It has ended and is part of its parent now.
    evicted = TASKMGR_GONE_EVICTED,  ///< The finished roots took more than they may.
};

/// The kind of an error. The numbers never change, and further ones may come.
enum class errc : taskmgr_code {
    ok = TASKMGR_OK,                              ///< No error.
    invalid_argument = TASKMGR_INVALID_ARGUMENT,  ///< A name, number or handle that cannot be.
    module_exists = TASKMGR_MODULE_EXISTS,        ///< The name is registered, or still closing.
    unknown_module = TASKMGR_UNKNOWN_MODULE,      ///< No module of that name is registered.
    id_in_use = TASKMGR_ID_IN_USE,                ///< The id lives already.
    not_found = TASKMGR_NOT_FOUND,                ///< No task has that id, nor is one remembered.
    gone = TASKMGR_GONE,                          ///< The task was there and is no longer.
    parent_terminal = TASKMGR_PARENT_TERMINAL,    ///< What has ended takes no children.
    already_started = TASKMGR_ALREADY_STARTED,    ///< The task was started before.
    already_finished = TASKMGR_ALREADY_FINISHED,  ///< The task has ended before.
    not_abortable = TASKMGR_NOT_ABORTABLE,        ///< The task is not marked abortable.
    aborted = TASKMGR_ABORTED,                    ///< The task was told to abort.
    timeout = TASKMGR_TIMEOUT,                    ///< The time given to a wait has passed.
    not_settled = TASKMGR_NOT_SETTLED,            ///< It, or a descendant, is still at work.
    would_deadlock = TASKMGR_WOULD_DEADLOCK,      ///< It would block inside a callback.
    closed = TASKMGR_CLOSED,                      ///< The module or the manager is closed.
    forked = TASKMGR_FORKED,                      ///< The process was forked since.
    provider = TASKMGR_PROVIDER,                  ///< A provider failed or took too long.
    not_supported = TASKMGR_NOT_SUPPORTED,        ///< It makes no sense for this kind of task.
    exhausted = TASKMGR_EXHAUSTED,                ///< More tasks, forks, threads than possible.
    task_failed = TASKMGR_TASK_FAILED,            ///< The work that a task tracked has failed.
    not_started = TASKMGR_NOT_STARTED,            ///< Finished before it was started.
    panic = TASKMGR_PANIC,                        ///< An error in the library itself.
    system = TASKMGR_SYSTEM,                      ///< The system refused.
    version_mismatch = TASKMGR_VERSION_MISMATCH,  ///< The library is older than this header.
};

/// The state as a word, e.g. "running". The text is static.
inline std::string_view to_string(state from) noexcept {
    return detail::view(taskmgr_state_name(static_cast<taskmgr_state>(from)));
}

/// The kind as a word, "node" or "cluster". The text is static.
inline std::string_view to_string(kind from) noexcept {
    return detail::view(taskmgr_kind_name(static_cast<taskmgr_kind>(from)));
}

/// The reason as a word, e.g. "expired". The text is static.
inline std::string_view to_string(gone_reason from) noexcept {
    return detail::view(taskmgr_gone_reason_name(static_cast<taskmgr_gone_reason>(from)));
}

/// The code as a word, e.g. "not_found". The text is static.
inline std::string_view to_string(errc from) noexcept {
    return detail::view(taskmgr_code_name(static_cast<taskmgr_code>(from)));
}

/// Whether a task in this state has ended: done or failed.
inline bool is_terminal(state of) noexcept {
    return taskmgr_state_is_terminal(static_cast<taskmgr_state>(of));
}

/// Writes an id as its text.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& to, const id& it) {
    return to << it.to_string();
}

/// Writes a state, kind, reason or code as its word.
template <class Traits, class E,
          class = std::enable_if_t<std::is_same_v<E, state> || std::is_same_v<E, kind> ||
                                   std::is_same_v<E, gone_reason> || std::is_same_v<E, errc>>>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& to, E it) {
    return to << to_string(it);
}

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

/// Ids as keys of unordered maps.
template <>
struct std::hash<taskmgr::id> {
    std::size_t operator()(const taskmgr::id& of) const noexcept {
        std::uint64_t halves[2];
        std::memcpy(halves, of.get().bytes, sizeof halves);
        // A host may bring ids that count up, so the halves are mixed.
        const std::uint64_t mixed = (halves[0] ^ (halves[1] >> 32)) * 0x9e3779b97f4a7c15U;
        return static_cast<std::size_t>(mixed ^ halves[1] ^ (mixed >> 29));
    }
};

#endif
