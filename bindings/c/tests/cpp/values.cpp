// Ids, durations, words, versions, results.
#include <cmath>
#include <map>
#include <sstream>
#include <unordered_set>

#include "check.hpp"

using taskmgr::id;

TEST_CASE("an id is read from text, written, compared and hashed") {
    const std::string text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    const id one = OK(id::parse(text));
    CHECK(one.to_string() == text);
    CHECK(OK(id::parse("67E5504410B1426F9247BB680E5FE0C8")) == one);
    CHECK(one.bytes()[0] == 0x67);
    CHECK(one.bytes()[15] == 0xc8);
    CHECK(id(one.bytes()) == one);
    CHECK(id(one.get()) == one);
    CHECK_FALSE(one.is_nil());
    CHECK(id().is_nil());
    CHECK(id() < one);
    CHECK(id() <= one);
    CHECK(one <= one);
    CHECK(one > id());
    CHECK(one >= id());
    CHECK(one != id());
    CHECK_FALSE(id() == one);

    const id other = id::random();
    CHECK_FALSE(other.is_nil());
    CHECK(other != id::random());
    CHECK(std::map<id, int>{{one, 1}, {other, 2}}.at(other) == 2);
    CHECK(std::unordered_set<id>{one, other, one}.size() == 2);
    CHECK(std::hash<id>()(one) == std::hash<id>()(OK(id::parse(text))));

    std::ostringstream out;
    out << one;
    CHECK(out.str() == text);
}

TEST_CASE("text that is no id is refused, and told") {
    const taskmgr::error why = ERROR_OF(id::parse("no id"));
    CHECK(why.code() == errc::invalid_argument);
    says(why, "no id");
    FAILS(errc::invalid_argument, id::parse(""));
}

TEST_CASE("states, kinds, reasons and codes have words") {
    using taskmgr::to_string;
    CHECK(to_string(taskmgr::state::created) == "created");
    CHECK(to_string(taskmgr::state::running) == "running");
    CHECK(to_string(taskmgr::state::suspended) == "suspended");
    CHECK(to_string(taskmgr::state::done) == "done");
    CHECK(to_string(taskmgr::state::failed) == "failed");
    CHECK(to_string(taskmgr::kind::node) == "node");
    CHECK(to_string(taskmgr::kind::cluster) == "cluster");
    CHECK(to_string(taskmgr::gone_reason::expired) == "expired");
    CHECK(to_string(taskmgr::gone_reason::read) == "read");
    CHECK(to_string(taskmgr::gone_reason::drained) == "drained");
    CHECK(to_string(taskmgr::gone_reason::folded) == "folded");
    CHECK(to_string(taskmgr::gone_reason::evicted) == "evicted");
    CHECK(to_string(errc::not_found) == "not_found");
    CHECK(to_string(errc::version_mismatch) == "version_mismatch");
    CHECK(to_string(static_cast<errc>(77)) == "unknown");
    CHECK(taskmgr::is_terminal(taskmgr::state::done));
    CHECK(taskmgr::is_terminal(taskmgr::state::failed));
    CHECK_FALSE(taskmgr::is_terminal(taskmgr::state::running));

    std::ostringstream out;
    out << taskmgr::state::done << ' ' << taskmgr::kind::node << ' ' << errc::gone << ' '
        << taskmgr::gone_reason::read;
    CHECK(out.str() == "done node gone read");
}

TEST_CASE("the library that runs is that of the header") {
    CHECK(taskmgr::version() == TASKMGR_VERSION);
    std::ostringstream wanted;
    wanted << TASKMGR_VERSION_MAJOR << '.' << TASKMGR_VERSION_MINOR << '.' << TASKMGR_VERSION_PATCH;
    CHECK(taskmgr::version_text() == wanted.str());
    OK(taskmgr::check_version());
}

TEST_CASE("a duration counts in milliseconds, rounded up") {
    using taskmgr::duration;
    CHECK(duration(1h).count() == 3600000);
    CHECK(duration(1us).count() == 1);
    CHECK(duration(0ns).count() == 0);
    CHECK(duration(1500us).count() == 2);
    CHECK(duration(std::chrono::duration<double>(0.1)).count() == 100);
    CHECK(duration(std::chrono::duration<float, std::milli>(2.5F)).count() == 3);
    CHECK(duration(std::chrono::hours::max()).count() == TASKMGR_FOREVER - 1);
    CHECK(duration(std::chrono::duration<double>(1e300)).count() == TASKMGR_FOREVER - 1);
    CHECK(duration(-1s).count() == 0);
    CHECK(duration(0s).is_valid());
    CHECK_FALSE(duration(-1ns).is_valid());
    const auto none = std::chrono::duration<double>(std::nan(""));
    CHECK(duration(none).count() == 0);
    CHECK_FALSE(duration(none).is_valid());
}

TEST_CASE("text that is not UTF-8 is made so") {
    using taskmgr::detail::utf8;
    const std::string mark = "\xef\xbf\xbd";
    CHECK(utf8("") == "");
    CHECK(utf8("plain, r\xc3\xa9parer, \xe2\x82\xac, \xf0\x9f\x92\xbe") ==
          "plain, r\xc3\xa9parer, \xe2\x82\xac, \xf0\x9f\x92\xbe");
    CHECK(utf8("r\xe9parer") == "r" + mark + "parer");
    CHECK(utf8("\xe2\x82") == mark + mark);
    CHECK(utf8("\xc0\xaf") == mark + mark);
    CHECK(utf8("\xed\xa0\x80") == mark + mark + mark);
    CHECK(utf8("\xe0\x80\x80") == mark + mark + mark);
    CHECK(utf8("\xf0\x80\x80\x80") == mark + mark + mark + mark);
    CHECK(utf8("\xf4\x90\x80\x80") == mark + mark + mark + mark);
    CHECK(utf8("\xff") == mark);
    CHECK(utf8(std::string_view("a\0b", 3)) == std::string("a\0b", 3));
}

TEST_CASE("a result has a value or an error") {
    taskmgr::result<std::string> good(std::string("seven"));
    CHECK(good);
    CHECK(good.has_value());
    CHECK(good.code() == errc::ok);
    CHECK(*good == "seven");
    CHECK(good->size() == 5);
    CHECK(good.value() == "seven");
    const auto& same = good;
    CHECK(*same == "seven");
    CHECK(same->size() == 5);
    CHECK(same.value() == "seven");
    CHECK(std::move(good).value() == "seven");
    CHECK(taskmgr::result<int>(7).value_or(8) == 7);

    const taskmgr::error why(errc::timeout, "late");
    const taskmgr::result<int> bad(why);
    CHECK_FALSE(bad);
    CHECK(bad.code() == errc::timeout);
    CHECK(bad.error().what() == std::string("late"));
    CHECK(taskmgr::result<int>(why).value_or(8) == 8);

    const taskmgr::result<void> done;
    CHECK(done);
    CHECK(done.code() == errc::ok);
    done.value();
    *done;
    const taskmgr::result<void> failed(why);
    CHECK_FALSE(failed);
    CHECK(failed.code() == errc::timeout);
    CHECK(failed.error().is_timeout());

    taskmgr::result<std::unique_ptr<int>> moves(std::make_unique<int>(7));
    const std::unique_ptr<int> moved = *std::move(moves);
    CHECK(*moved == 7);
}

TEST_CASE("an error of the host's own") {
    const taskmgr::error why(errc::provider, "the coordinator is away");
    CHECK(why.code() == errc::provider);
    CHECK(why.what() == std::string("the coordinator is away"));
    CHECK_FALSE(why.id());
    CHECK_FALSE(why.gone_reason());
    CHECK_FALSE(why.final_state());
    CHECK_FALSE(why.is_aborted());
    CHECK(taskmgr::error(errc::aborted, "").is_aborted());
    CHECK(taskmgr::error(errc::not_found, "").is_not_found());
    CHECK(taskmgr::error(errc::gone, "").is_gone());
    CHECK(taskmgr::error(errc::closed, "").is_closed());
    CHECK(taskmgr::error(errc::not_abortable, "").is_not_abortable());
    CHECK(taskmgr::error(errc::timeout, "").is_timeout());
}

TEST_CASE("a code without a kept error has its name for a message") {
    taskmgr_clear_error();
    const taskmgr::error why = taskmgr::error::last(TASKMGR_CLOSED);
    CHECK(why.code() == errc::closed);
    CHECK(why.what() == std::string("closed"));
}
