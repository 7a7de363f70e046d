/// Errors: as an exception, and as a result without exceptions. Include `taskmgr.hpp` instead.

#ifndef TASKMGR_ERROR_HPP
#define TASKMGR_ERROR_HPP

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <variant>

#include "id.hpp"

namespace taskmgr {
inline namespace TASKMGR_MODE {

/// Why a call failed. `what()` says what was asked, what was found and what to do; `code()` is
/// the same in every language.
class error : public std::runtime_error {
public:
    /// An error of the host's own, e.g. for a provider to throw.
    error(errc code, const std::string& message) : std::runtime_error(message), code_(code) {}

    /// What kind of error it is.
    errc code() const noexcept { return code_; }

    /// The task that it is about, if it is about one.
    std::optional<taskmgr::id> id() const noexcept {
        return id_.is_nil() ? std::nullopt : std::optional<taskmgr::id>(id_);
    }

    /// Why the task is gone, for `errc::gone`.
    std::optional<taskmgr::gone_reason> gone_reason() const noexcept {
        return reason_ == 0 ? std::nullopt
                            : std::optional(static_cast<taskmgr::gone_reason>(reason_));
    }

    /// How the task had ended that is gone, for `errc::gone`.
    std::optional<state> final_state() const noexcept {
        return ended_as_ == 0 ? std::nullopt : std::optional(static_cast<state>(ended_as_));
    }

    /// Whether the task was told to abort.
    bool is_aborted() const noexcept { return code_ == errc::aborted; }
    /// Whether a wait has timed out.
    bool is_timeout() const noexcept { return code_ == errc::timeout; }
    /// Whether no task has the id, nor is one remembered that had it.
    bool is_not_found() const noexcept { return code_ == errc::not_found; }
    /// Whether the task was there and is no longer.
    bool is_gone() const noexcept { return code_ == errc::gone; }
    /// Whether the module or the manager is closed.
    bool is_closed() const noexcept { return code_ == errc::closed; }
    /// Whether the task is not marked abortable.
    bool is_not_abortable() const noexcept { return code_ == errc::not_abortable; }

    /// The last error of this thread in the C interface, after a call returned `code`.
    static error last(taskmgr_code code) {
        // An error that could not be kept, as at the end of a thread, has its code alone.
        const bool kept = taskmgr_last_error_code() == code;
        const std::string name(detail::view(taskmgr_code_name(code)));
        error it(static_cast<errc>(code), kept ? std::string(taskmgr_last_error()) : name);
        if (kept) {
            it.id_ = taskmgr_last_error_id();
            it.reason_ = taskmgr_last_error_gone_reason();
            it.ended_as_ = taskmgr_last_error_final_state();
        }
        return it;
    }

private:
    errc code_;
    taskmgr::id id_;
    taskmgr_gone_reason reason_ = 0;
    taskmgr_state ended_as_ = 0;
};

/// What `check_abort`, `checkpoint`, `start` and `finish` throw when the task was told to
/// abort: an `error` with `errc::aborted`, to be caught by itself.
class aborted_error : public error {
public:
    /// The same as an exception of its own type.
    explicit aborted_error(const error& from) : error(from) {}
};

namespace detail {

#if TASKMGR_EXCEPTIONS
[[noreturn]] inline void raise(const error& why) {
    if (why.is_aborted()) {
        throw aborted_error(why);
    }
    throw why;
}
#endif

/// Whoever asks a result for what it has not has made a mistake.
[[noreturn]] inline void no_value(const error* why) {
#if TASKMGR_EXCEPTIONS
    if (why != nullptr) {
        raise(*why);
    }
    throw error(errc::invalid_argument, "the result has a value, and no error; ask if (result)");
#else
    std::fprintf(stderr, "taskmgr: a result was used without a look at whether it %s%s\n",
                 why != nullptr ? "failed: " : "succeeded", why != nullptr ? why->what() : "");
    std::abort();
#endif
}

}  // namespace detail

/// A value, or the error instead: what calls return without exceptions, and what completion
/// callbacks are given always. To ask for what is not there throws the error; without
/// exceptions it is a mistake that ends the process, with a line on stderr.
template <class T>
class [[nodiscard]] result {
public:
    /// A success.
    result(T value) : it_(std::in_place_index<0>, std::move(value)) {}
    /// A failure.
    result(taskmgr::error why) : it_(std::in_place_index<1>, std::move(why)) {}

    /// Whether there is a value.
    bool has_value() const noexcept { return it_.index() == 0; }
    /// Whether there is a value.
    explicit operator bool() const noexcept { return has_value(); }

    /// The value.
    T& value() & { return *checked(); }
    /// The value.
    const T& value() const& { return *const_cast<result*>(this)->checked(); }
    /// The value, to be moved away.
    T&& value() && { return std::move(*checked()); }
    /// The value.
    T& operator*() & { return value(); }
    /// The value.
    const T& operator*() const& { return value(); }
    /// The value, to be moved away.
    T&& operator*() && { return std::move(*this).value(); }
    /// The value.
    T* operator->() { return &value(); }
    /// The value.
    const T* operator->() const { return &value(); }
    /// The value, or this one.
    template <class U>
    T value_or(U&& other) && {
        return has_value() ? std::move(*this).value() : static_cast<T>(std::forward<U>(other));
    }

    /// The error.
    const taskmgr::error& error() const {
        const auto* const why = std::get_if<1>(&it_);
        if (why == nullptr) {
            detail::no_value(nullptr);
        }
        return *why;
    }
    /// The error's code; `errc::ok` if there is none.
    errc code() const noexcept { return has_value() ? errc::ok : std::get_if<1>(&it_)->code(); }

private:
    T* checked() {
        T* const value = std::get_if<0>(&it_);
        if (value == nullptr) {
            detail::no_value(std::get_if<1>(&it_));
        }
        return value;
    }

    std::variant<T, taskmgr::error> it_;
};

/// Success, or an error.
template <>
class [[nodiscard]] result<void> {
public:
    /// A success.
    result() = default;
    /// A failure.
    result(taskmgr::error why) : why_(std::move(why)) {}

    /// Whether there is no error.
    bool has_value() const noexcept { return !why_; }
    /// Whether there is no error.
    explicit operator bool() const noexcept { return has_value(); }
    /// Returns if there is no error.
    void value() const {
        if (why_) {
            detail::no_value(&*why_);
        }
    }
    /// Returns if there is no error.
    void operator*() const { value(); }
    /// The error.
    const taskmgr::error& error() const {
        if (!why_) {
            detail::no_value(nullptr);
        }
        return *why_;
    }
    /// The error's code; `errc::ok` if there is none.
    errc code() const noexcept { return why_ ? why_->code() : errc::ok; }

private:
    std::optional<taskmgr::error> why_;
};

namespace detail {

/// A result as the calls of this mode give it.
template <class T>
fallible<T> out(result<T>&& of) {
#if TASKMGR_EXCEPTIONS
    return std::move(of).value();
#else
    return std::move(of);
#endif
}

inline fallible<void> out(result<void>&& of) {
#if TASKMGR_EXCEPTIONS
    of.value();
#else
    return std::move(of);
#endif
}

/// A failure as the calls of this mode give it.
template <class T>
fallible<T> failed(error why) {
#if TASKMGR_EXCEPTIONS
    raise(why);
#else
    return result<T>(std::move(why));
#endif
}

/// What a call without a value has come to.
inline fallible<void> check(taskmgr_code code) {
    if (code != TASKMGR_OK) {
        return failed<void>(error::last(code));
    }
#if !TASKMGR_EXCEPTIONS
    return {};
#endif
}

/// What a call has put at `place`, in an object that owns it. The place is a reference, as it
/// is read after the call, which may be the other argument.
template <class T, class H>
result<T> made(taskmgr_code code, H*& place) {
    return code == TASKMGR_OK ? result<T>(T(place)) : result<T>(error::last(code));
}

template <class T, class H>
fallible<T> give(taskmgr_code code, H*& place) {
    if (code != TASKMGR_OK) {
        return failed<T>(error::last(code));
    }
    return T(place);
}

/// A plain value that a call has put at `place`.
template <class T>
fallible<T> value(taskmgr_code code, const T& place) {
    if (code != TASKMGR_OK) {
        return failed<T>(error::last(code));
    }
    return place;
}

/// What a function returned that tells its failure by the last error alone.
template <class Call>
auto value_of(Call call) -> fallible<decltype(call())> {
    taskmgr_clear_error();
    auto got = call();
    if (const taskmgr_code code = taskmgr_last_error_code(); code != TASKMGR_OK) {
        return failed<decltype(call())>(error::last(code));
    }
    return got;
}

/// The milliseconds of a duration that must not be negative.
inline result<std::uint64_t> milliseconds_of(duration from, const char* what) {
    if (!from.is_valid()) {
        return error(errc::invalid_argument,
                     std::string(what) + " is negative or no number; it is 0 or more");
    }
    return from.count();
}

}  // namespace detail

inline fallible<id> id::parse(std::string_view text) {
    taskmgr_id parsed = TASKMGR_ID_NIL;
    const taskmgr_code code = taskmgr_id_parse(detail::text(text), &parsed);
    return detail::value<id>(code, parsed);
}

/// The version of the library that runs, as major * 1000000 + minor * 1000 + patch; that of
/// this header is `TASKMGR_VERSION`.
inline std::uint32_t version() noexcept { return taskmgr_version(); }

/// The version of the library that runs as text, e.g. "0.1.0". The text is static.
inline std::string_view version_text() noexcept { return detail::view(taskmgr_version_text()); }

/// Errors: version_mismatch if the library that runs cannot serve this header.
inline fallible<void> check_version() { return detail::check(TASKMGR_CHECK_VERSION()); }

}  // namespace TASKMGR_MODE
}  // namespace taskmgr

#endif
