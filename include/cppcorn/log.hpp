// Lines for the server's error log.
#pragma once

#include <atomic>
#include <cstdio>
#include <string_view>

#include <cppcorn/abi.h>

namespace cppcorn {
inline namespace kit {

enum class LogLevel {
    debug = CPPCORN_LOG_DEBUG,
    info = CPPCORN_LOG_INFO,
    warning = CPPCORN_LOG_WARNING,
    error = CPPCORN_LOG_ERROR,
};

namespace [[gnu::visibility("hidden")]] detail {

// Set by the entry function. A module's own: this namespace is hidden. The table lives as long as the process, so a
// copy that a fork made stays valid.
inline std::atomic<const cppcorn_host*> module_host{nullptr};

} // namespace detail

// Writes one line that belongs to no request. From any thread, at any time, but not from a signal handler. Before the
// server has loaded the app, and in a unit test without a server, the line goes to standard error. Within a request
// prefer Request::log. A line that cannot be written is lost.
inline void log(LogLevel level, std::string_view text) noexcept {
    if (const cppcorn_host* const host = detail::module_host.load(std::memory_order_acquire)) {
        host->log(nullptr, static_cast<int>(level), text.data(), text.size());
    } else {
        std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
    }
}

} // namespace kit
} // namespace cppcorn
