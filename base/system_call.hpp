// Failures of the operating system, told as "cannot <verb> <object>: <reason>".
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace cppcorn {

// Throws std::system_error whose what() is "<what>: <text of error>", e.g. "cannot bind 127.0.0.1:8000: Address already
// in use".
[[noreturn]] inline void throw_system_error(const std::string& what, int error = errno) {
    throw std::system_error(error, std::generic_category(), what);
}

// Passes a system call's result through; throws where it is negative.
template <class Result>
Result check(Result result, const std::string& what) {
    if (result < 0) throw_system_error(what);
    return result;
}

} // namespace cppcorn
