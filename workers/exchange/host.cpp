#include "workers/exchange/host.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <spdlog/spdlog.h>

#include "base/log/escape.hpp"
#include "workers/exchange/exchange.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t longest_log_text = 8192;
constexpr std::size_t longest_record = 64 * 1024; // of several lines

const cppcorn_bridge* bridge = nullptr; // what offer_bridge() was given

Exchange& exchange_of(const cppcorn_request* request) {
    // The request lives in its exchange, which the server handed out itself.
    return *static_cast<Exchange*>(const_cast<void*>(request->host_data));
}

// Runs `call` and turns what it throws into a negative errno. What it had done by then is unknown: the request is
// broken off.
template <class Call>
auto contained(const cppcorn_request* request, Call call) noexcept -> decltype(call()) {
    try {
        return call();
    } catch (...) {
        if (request != nullptr) exchange_of(request).break_off(-ENOMEM);
        return -ENOMEM;
    }
}

std::int64_t host_read(const cppcorn_request* request, void* buffer, std::size_t room) {
    return contained(request, [&] { return exchange_of(request).read(static_cast<char*>(buffer), room); });
}

int host_start(const cppcorn_request* request, int status, const cppcorn_field* fields, std::size_t field_count) {
    return contained(request, [&] { return exchange_of(request).start(status, {}, {fields, field_count}); });
}

int host_write(const cppcorn_request* request, const void* data, std::size_t size) {
    return contained(request, [&] { return exchange_of(request).write({static_cast<const char*>(data), size}); });
}

int host_flush(const cppcorn_request* request) {
    return contained(request, [&] { return exchange_of(request).flush(); });
}

int host_send_file(const cppcorn_request* request, int file, std::int64_t offset, std::int64_t size) {
    return contained(request, [&] { return exchange_of(request).send_file(file, offset, size); });
}

spdlog::level::level_enum log_level(int level) {
    switch (level) {
        case CPPCORN_LOG_DEBUG:
            return spdlog::level::debug;
        case CPPCORN_LOG_INFO:
            return spdlog::level::info;
        case CPPCORN_LOG_WARNING:
            return spdlog::level::warn;
        default:
            return spdlog::level::err;
    }
}

void host_log(const cppcorn_request* request, int level, const char* text, std::size_t size) {
    contained(nullptr, [&] {
        if (!spdlog::should_log(log_level(level))) return 0;
        const std::string_view cut(text, std::min(size, longest_log_text));
        const std::string of = request != nullptr ? " (" + exchange_of(request).describe() + ")" : "";
        spdlog::log(log_level(level), "{}{}{}", escaped(cut), cut.size() < size ? "..." : "", of);
        return 0;
    });
}

int host_extend_deadline(const cppcorn_request* request, std::uint32_t ms) {
    return contained(request, [&] { return exchange_of(request).extend_deadline(std::chrono::milliseconds(ms)); });
}

int host_fail(const cppcorn_request* request, const char* reason, std::size_t size) {
    return contained(request, [&] { return exchange_of(request).fail({reason, std::min(size, longest_log_text)}); });
}

const void* host_extension(const char* id) {
    return bridge != nullptr && std::strcmp(id, CPPCORN_BRIDGE_EXTENSION) == 0 ? bridge : nullptr;
}

int host_start_with_reason(const cppcorn_request* request, int status, const char* reason, std::size_t reason_size,
                           const cppcorn_field* fields, std::size_t field_count) {
    return contained(request, [&] {
        return exchange_of(request).start(status, {reason, reason_size}, {fields, field_count});
    });
}

int host_finish(const cppcorn_request* request) {
    return contained(request, [&] { return exchange_of(request).finish(); });
}

void host_log_text(const cppcorn_request* request, int level, const char* text, std::size_t size) {
    contained(nullptr, [&] {
        if (!spdlog::should_log(log_level(level))) return 0;
        std::string_view kept(text, std::min(size, longest_record));
        const bool is_cut = kept.size() < size;
        while (!is_cut && !kept.empty() && (kept.back() == '\n' || kept.back() == '\r')) kept.remove_suffix(1);
        const std::string_view first = kept.substr(0, kept.find('\n'));
        const std::string of = request != nullptr ? " (" + exchange_of(request).describe() + ")" : "";
        spdlog::log(log_level(level), "{}{}{}{}", readable(first), of, readable(kept.substr(first.size())),
                    is_cut ? "..." : "");
        return 0;
    });
}

int host_client_gone(const cppcorn_request* request) {
    return contained(request, [&] { return exchange_of(request).client_gone() ? 1 : 0; });
}

int host_early_hints(const cppcorn_request* request, const cppcorn_field* fields, std::size_t field_count) {
    return contained(request, [&] { return exchange_of(request).early_hints({fields, field_count}); });
}

constexpr cppcorn_host table{sizeof(cppcorn_host),
                             CPPCORN_ABI_MAJOR,
                             CPPCORN_ABI_MINOR,
                             "cppcorn/" CPPCORN_VERSION,
                             host_read,
                             host_start,
                             host_write,
                             host_flush,
                             host_send_file,
                             host_log,
                             host_extend_deadline,
                             host_fail,
                             host_extension,
                             host_start_with_reason,
                             host_finish,
                             host_log_text,
                             host_client_gone,
                             host_early_hints};

} // namespace

const cppcorn_host& host_table() {
    return table;
}

void offer_bridge(const cppcorn_bridge* table_of_bridge) {
    bridge = table_of_bridge;
}

} // namespace cppcorn
