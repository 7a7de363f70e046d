/// How the header is compiled, and what all parts of it use. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_CONFIG_HPP
#define TASKMGR_CONFIG_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "../taskmgr.h"

/// 1 where the compiler has exceptions, so that those of the host's code can be caught.
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define TASKMGR_CAN_CATCH 1
#else
#define TASKMGR_CAN_CATCH 0
#endif

/// 1 if a call that fails throws; 0 if it returns a `taskmgr::result`: without exceptions, or
/// where `TASKMGR_NO_EXCEPTIONS` was defined before this header.
#if TASKMGR_CAN_CATCH && !defined(TASKMGR_NO_EXCEPTIONS)
#define TASKMGR_EXCEPTIONS 1
#else
#define TASKMGR_EXCEPTIONS 0
#endif

// The functions differ between the modes, so their names do, and files of several modes link.
#if TASKMGR_EXCEPTIONS
#define TASKMGR_MODE with_exceptions
#elif TASKMGR_CAN_CATCH
#define TASKMGR_MODE with_results
#else
#define TASKMGR_MODE without_exceptions
#endif

namespace taskmgr {
inline namespace TASKMGR_MODE {

/// A moment of the wall clock.
using time_point = std::chrono::system_clock::time_point;

template <class T>
class result;

/// What a call that can fail returns: a `T`, or an exception is thrown (`taskmgr::error`);
/// without exceptions a `result<T>`.
#if TASKMGR_EXCEPTIONS
template <class T>
using fallible = T;
#else
template <class T>
using fallible = result<T>;
#endif

/// Any `std::chrono` duration as an argument; it counts in milliseconds, rounded up. One
/// beyond all bounds is as good as for ever.
class duration {
public:
    template <class Rep, class Period>
    constexpr duration(std::chrono::duration<Rep, Period> from) noexcept {
        // What is already binary is multiplied as such: 0.1 s is then 100 ms and not 101.
        using wide = std::conditional_t<std::chrono::treat_as_floating_point_v<Rep>, double,
                                        long double>;
        const wide ms = std::chrono::duration<wide, std::milli>(from).count();
        valid_ = ms >= 0;
        if (ms >= static_cast<wide>(18446744073709549568.0)) {
            ms_ = TASKMGR_FOREVER - 1;
        } else if (ms > 0) {
            ms_ = static_cast<std::uint64_t>(ms);
            ms_ += static_cast<wide>(ms_) < ms ? 1 : 0;
        }
    }

    /// The milliseconds; 0 for a negative duration.
    constexpr std::uint64_t count() const noexcept { return ms_; }

    /// False for a negative duration, and for one that is no number.
    constexpr bool is_valid() const noexcept { return valid_; }

private:
    std::uint64_t ms_ = 0;
    bool valid_ = true;
};

namespace detail {

/// Frees a handle by its function of the C interface.
template <auto Free>
struct free_by {
    template <class T>
    void operator()(T* handle) const noexcept {
        Free(handle);
    }
};

/// A handle that one object owns.
template <class T, auto Free>
using owned = std::unique_ptr<T, free_by<Free>>;

inline taskmgr_str text(std::string_view from) noexcept { return {from.data(), from.size()}; }

inline std::string_view view(taskmgr_str from) noexcept { return {from.data, from.len}; }

inline std::optional<time_point> time(taskmgr_time_ns from) {
    if (from == TASKMGR_NO_TIME) {
        return std::nullopt;
    }
    const auto since = std::chrono::nanoseconds(from);
    return time_point(std::chrono::duration_cast<time_point::duration>(since));
}

inline taskmgr_time_ns time_ns(const std::optional<time_point>& from) {
    if (!from) {
        return TASKMGR_NO_TIME;
    }
    const auto since = from->time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

inline std::chrono::milliseconds milliseconds(std::uint64_t ms) noexcept {
    constexpr auto most = static_cast<std::uint64_t>(std::chrono::milliseconds::max().count());
    return std::chrono::milliseconds(static_cast<std::int64_t>(ms < most ? ms : most));
}

/// The length of the well-formed UTF-8 sequence at the front of `text`, or 0.
inline std::size_t utf8_sequence(std::string_view text) noexcept {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(0);
    const std::size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2
                          : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (len == 0 || len > text.size()) {
        return 0;
    }
    for (std::size_t at = 1; at < len; ++at) {
        if ((byte(at) & 0xc0) != 0x80) {
            return 0;
        }
    }
    // Too long a form, a surrogate, or beyond the last code point.
    const bool wrong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
                       (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
    return wrong ? 0 : len;
}

/// Text with U+FFFD for each byte that is not UTF-8: what an exception says comes from
/// anywhere, and must not be lost for that.
inline std::string utf8(std::string_view text) {
    std::string good;
    good.reserve(text.size());
    while (!text.empty()) {
        const std::size_t len = utf8_sequence(text);
        good.append(len != 0 ? text.substr(0, len) : std::string_view("\xef\xbf\xbd"));
        text.remove_prefix(len != 0 ? len : 1);
    }
    return good;
}

}  // namespace detail
}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
