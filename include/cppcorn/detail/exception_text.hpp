// The exception that is being handled, of whatever type, as text. Call these functions within a catch block only.
#pragma once

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

#include <cxxabi.h>

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

// "std::out_of_range"
inline std::string exception_type() {
    const std::type_info* const type = abi::__cxa_current_exception_type();
    if (type == nullptr) return "unknown exception"; // from another language
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> plain(abi::__cxa_demangle(type->name(), nullptr, nullptr, &status),
                                                       std::free);
    return plain != nullptr ? plain.get() : type->name();
}

// "no such user", for messages to the users of an app.
inline std::string exception_message() {
    try {
        throw;
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return exception_type() + " thrown";
    }
}

// "std::out_of_range: no such user", for messages to its developers.
inline std::string exception_text() {
    try {
        throw;
    } catch (const std::exception& error) {
        return exception_type() + ": " + error.what();
    } catch (...) {
        return exception_type() + " thrown";
    }
}

} // namespace detail
} // namespace kit
} // namespace cppcorn
