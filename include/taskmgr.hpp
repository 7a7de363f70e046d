/// taskmgr for C++17: tracks the long-running background operations of a database as trees of
/// tasks. Header-only, over the C interface of `taskmgr.h`; link with libtaskmgr.
///
///     auto job = compaction.task("major compaction").keyspace("ks").abortable().start();
///     for (auto& table : tables)
///         job.child("major compaction").table(table).total(files.size(), "sstables").run(
///             [&](taskmgr::task& t) {
///                 for (auto& file : files) { t.check_abort(); compact(file); t.advance(1); }
///             });       // an exception fails the task with its message, and goes on
///     job.finish();
///
/// Errors. A call that fails throws a `taskmgr::error` (`aborted_error` where a task was told
/// to abort). Compiled without exceptions, or with TASKMGR_NO_EXCEPTIONS defined, the same
/// calls return a `taskmgr::result<T>` instead: `fallible<T>` stands for either. A file of one
/// mode links with files of the other, as the names lie in an inline namespace of their mode:
/// include this header where you would declare a class of it. The library ends the process
/// when it runs out of memory.
///
/// Ownership. Each object owns or shares what it stands for; nothing is freed by hand. Owners
/// of tasks, reporters and guards move; managers, modules, observers and all views can be
/// copied, and copies share one handle. What was moved from is empty: its calls fail with
/// `errc::invalid_argument`, or do nothing. Destructors do not throw. `get()` gives the handle
/// for the C interface. Text that an object returns as `std::string_view` is borrowed from it,
/// has a NUL behind it, and lives as long.
///
/// Threads. Unless a comment says otherwise, `const` functions may be called on any thread, on
/// the same object on several at once.
///
/// Callbacks. Any callable will do, also one that only moves. They run on threads of the
/// library or of whoever ends or aborts a task; no call may block in them. What they throw is
/// caught, and told to the handler that `set_callback_error_handler` sets, which by default
/// prints a line on stderr: no caller is there to have it. What a provider or a route throws
/// goes to whoever asked.
///
/// Forks. In a forked child calls fail with `errc::forked`, and destructors do nothing.
///
/// The parts, in order: config (modes, durations), id (ids, states, codes), error (error,
/// result), view (status, stats, lists, filter), callback (guards), observer, work (spawned),
/// builder (task_builder), task (task, reporter), run, provider (virtual tasks), module,
/// manager, http.

#ifndef TASKMGR_HPP
#define TASKMGR_HPP

#include "taskmgr/http.hpp"

#endif
