// The header, before anything else and twice, in a file of a program that has it in others too.
#include <taskmgr.hpp>
#include <taskmgr.hpp>

#include <type_traits>

namespace {

template <class T>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<T> &&
                            std::is_nothrow_move_assignable_v<T> &&
                            !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
                            std::is_nothrow_destructible_v<T>;
template <class T>
constexpr bool copies = std::is_nothrow_copy_constructible_v<T> &&
                        std::is_nothrow_move_constructible_v<T> &&
                        std::is_nothrow_copy_assignable_v<T> && std::is_nothrow_destructible_v<T>;

// Who owns moves, who looks is copied; nothing throws as it goes.
static_assert(moves_only<taskmgr::task> && moves_only<taskmgr::reporter>);
static_assert(moves_only<taskmgr::abort_guard> && moves_only<taskmgr::done_guard>);
static_assert(moves_only<taskmgr::completion> && moves_only<taskmgr::spawned<int>>);
static_assert(copies<taskmgr::manager> && copies<taskmgr::module> && copies<taskmgr::observer>);
static_assert(copies<taskmgr::status> && copies<taskmgr::stats> && copies<taskmgr::manual_clock>);
static_assert(copies<taskmgr::status_list> && copies<taskmgr::stats_list>);
static_assert(copies<taskmgr::close_report> && copies<taskmgr::id>);
#if defined(TASKMGR_HTTP)
static_assert(moves_only<taskmgr::http::server> && moves_only<taskmgr::http::response>);
static_assert(moves_only<taskmgr::http::waiting> && copies<taskmgr::http::api>);
#endif
static_assert(TASKMGR_EXCEPTIONS == (EXPECT_EXCEPTIONS));
static_assert(std::is_same_v<taskmgr::fallible<int>, taskmgr::result<int>> == !TASKMGR_EXCEPTIONS);

}  // namespace

/// Does some work in this file's mode; 0 if all went well.
int NAME() {
#if TASKMGR_EXCEPTIONS
    const taskmgr::manager manager = taskmgr::manager::builder().build();
    const taskmgr::module repair = manager.register_module("repair");
    return repair.task("repair").run([] { return 7; }) == 7 ? 0 : 1;
#else
    const auto manager = taskmgr::manager::builder().build();
    const auto repair = manager ? manager->register_module("repair") : manager.error();
    const auto worked = repair ? repair->task("repair").run([] { return 7; })
                               : taskmgr::result<int>(repair.error());
    return worked && *worked == 7 ? 0 : 1;
#endif
}
