// Failures of system calls, told as "cannot <verb> <object>: <reason>".
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace cppcorn {

// Throws std::system_error whose what() is "<what>: <text of error>", e.g. "cannot bind 127.0.0.1:8000: Address already
// in use".
[[noreturn]] inline void throw_system_error(const std::string& what, int error = errno) {
    throw std::system_error(error, std::generic_category(), what);
}

// Passes a system call's result through; throws as above where it is negative. `what` is in parts, which are put
// together only then: check(::open(path, …), "cannot open ", path).
template <class Result, class... Parts>
Result check(Result result, const Parts&... what) {
    if (result < 0) [[unlikely]] {
        const int error = errno;
        std::string text;
        (text.append(std::string_view(what)), ...);
        throw_system_error(text, error);
    }
    return result;
}

// The call's result, once it was not interrupted by a signal.
template <class Call>
auto retry_interrupted(Call call) {
    for (;;) {
        const auto result = call();
        if (result >= 0 || errno != EINTR) return result;
    }
}

} // namespace cppcorn
