#include "workers/app/dl_error.hpp"

#include <cstdlib>
#include <memory>

#include <cxxabi.h>
#include <fmt/format.h>

#include "base/log/escape.hpp"

namespace cppcorn {
namespace {

// What follows `marker` in `text`, up to one of `stops`; empty if the marker is not there.
std::string_view word_after(std::string_view text, std::string_view marker, std::string_view stops) {
    const std::size_t at = text.find(marker);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = text.substr(at + marker.size());
    return rest.substr(0, rest.find_first_of(stops));
}

// What stands before `marker`, back to `start`.
std::string_view word_before(std::string_view text, std::string_view marker, std::string_view start) {
    const std::size_t end = text.find(marker);
    if (end == std::string_view::npos) return {};
    const std::string_view head = text.substr(0, end);
    const std::size_t at = head.rfind(start);
    return at == std::string_view::npos ? head : head.substr(at + start.size());
}

// " (its C++ name)", or nothing where it is no C++ name.
std::string demangled_suffix(const std::string& symbol) {
    if (symbol.rfind("_Z", 0) != 0) return {};
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status),
                                                      std::free);
    return name == nullptr ? std::string{} : fmt::format(" ({})", escaped(name.get()));
}

std::string_view undefined_symbol(std::string_view text) {
    const std::string_view glibc = word_after(text, "undefined symbol: ", ", \t(");
    return glibc.empty() ? word_before(text, ": symbol not found", ": ") : glibc;
}

std::string_view missing_library(std::string_view text) {
    const std::string_view glibc = word_before(text, ": cannot open shared object file: No such file", ": ");
    return glibc.empty() ? word_after(text, "Error loading shared library ", ":") : glibc;
}

} // namespace

std::string explain_dl_error(std::string_view path, std::string_view real_path, std::string_view text) {
    const std::string name = escaped(path);
    if (const std::string symbol(undefined_symbol(text)); !symbol.empty()) {
        // The symbol may be missing in a library that the app brings along.
        const std::string_view user = word_before(text, ": undefined symbol: ", ": ");
        const std::string in = user.empty() || user == real_path ? "" : fmt::format(" in {}", escaped(user));
        return fmt::format("{}: undefined symbol {}{}{}: link the library that provides it", name, escaped(symbol),
                           demangled_suffix(symbol), in);
    }
    if (const std::string_view library = missing_library(text); !library.empty() && library != real_path) {
        return fmt::format(
            "{}: needs {}, which cannot be found; install it, or link the app with an rpath to its directory", name,
            escaped(library));
    }
    return fmt::format("{}: cannot be loaded: {}", name, escaped(text));
}

} // namespace cppcorn
