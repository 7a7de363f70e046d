// What all C++ tests use. They are compiled in every mode of the header: OK(call) is the value
// of a call that succeeds, and FAILS(code, call) wants it to fail so, by either way.
#ifndef TASKMGR_TESTS_CHECK_HPP
#define TASKMGR_TESTS_CHECK_HPP

#include <taskmgr.hpp>

#include <ostream>

#if !TASKMGR_CAN_CATCH
#define DOCTEST_CONFIG_NO_EXCEPTIONS_BUT_WITH_ALL_ASSERTS
#endif
#include <doctest/doctest.h>

using namespace std::chrono_literals;
using taskmgr::errc;

/// How long a test waits for what has to come, so that it does not hang if it does not.
constexpr auto a_minute = 60s;

#if TASKMGR_EXCEPTIONS
#define OK(...) (__VA_ARGS__)

/// The error of a call that has to fail.
template <class Call>
taskmgr::error error_of(Call call) {
    try {
        static_cast<void>(call());
    } catch (const taskmgr::error& why) {
        CHECK((dynamic_cast<const taskmgr::aborted_error*>(&why) != nullptr) == why.is_aborted());
        return why;
    }
    return {errc::ok, "it has not failed"};
}
#else
template <class T>
T succeeded(taskmgr::result<T> of) {
    const std::string why = of ? "" : of.error().what();
    REQUIRE(why == "");
    return std::move(*of);
}
inline void succeeded(const taskmgr::result<void>& of) {
    const std::string why = of ? "" : of.error().what();
    REQUIRE(why == "");
}
#define OK(...) succeeded(__VA_ARGS__)

template <class Call>
taskmgr::error error_of(Call call) {
    const auto of = call();
    CHECK(of.has_value() == (of.code() == errc::ok));
    return of ? taskmgr::error(errc::ok, "it has not failed") : of.error();
}
#endif

#define ERROR_OF(...) error_of([&] { return __VA_ARGS__; })
#define FAILS(code_, ...) CHECK(ERROR_OF(__VA_ARGS__).code() == (code_))

/// Whether the message of an error has these words.
inline bool says(const taskmgr::error& why, const std::string& words) {
    const std::string message = why.what();
    INFO("the message is: " << message);
    const bool has = message.find(words) != std::string::npos;
    CHECK(has);
    return has;
}

/// A manager with a module, whose finished tasks stay for longer than any test.
struct node {
    taskmgr::manager manager =
        OK(taskmgr::manager::builder().node("10.0.0.1").task_ttl(1h).build());
    taskmgr::module repair = OK(manager.register_module("repair"));

    taskmgr::task start(std::string_view type = "repair") const {
        return OK(repair.task(type).abortable().start());
    }
};

#endif
