// A host for tests of app.hpp: serves one request at a time from memory, and notes what the app does.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cppcorn/abi.h>
#include <unistd.h>

namespace app_kit_test {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Exchange {
    // What the client sends.
    std::string method = "GET";
    std::string target = "/";
    std::string path = "/";
    std::string script_name;
    std::string query;
    std::string scheme = "http";
    std::string authority = "example.org:8000";
    std::string body;
    std::int64_t content_length = 0;
    std::uint32_t server_port = 8000;
    Pairs fields;
    // What goes wrong: returned by the function once, in place of doing its work.
    int read_error = 0;
    int write_error = 0;

    // What the app did.
    int result = 0;
    int status = 0;
    int starts = 0;
    int writes = 0;
    int flushes = 0;
    int finishes = 0;
    std::string reason;
    Pairs hints; // early ones
    bool is_gone = false;
    std::uint32_t extended_ms = 0;
    Pairs response_fields;
    std::string response_body;
    std::string failure;
    Pairs log; // level, text

    std::size_t taken = 0; // bytes of `body` that were read

    std::string field(std::string_view name) const {
        for (const auto& [known, value] : response_fields) {
            if (known == name) return value;
        }
        return "(none)";
    }
};

inline cppcorn_str str(std::string_view text) {
    return {text.data(), text.size()};
}

inline Exchange& of(const cppcorn_request* request) {
    return *static_cast<Exchange*>(const_cast<void*>(request->host_data));
}

inline Pairs& lines_without_request() {
    static Pairs lines;
    return lines;
}

inline std::int64_t host_read(const cppcorn_request* request, void* buffer, std::size_t room) {
    Exchange& exchange = of(request);
    if (exchange.read_error != 0) return std::exchange(exchange.read_error, 0);
    const std::size_t count = std::min(room, exchange.body.size() - exchange.taken);
    std::memcpy(buffer, exchange.body.data() + exchange.taken, count);
    exchange.taken += count;
    return static_cast<std::int64_t>(count);
}

inline int host_start(const cppcorn_request* request, int status, const cppcorn_field* fields, std::size_t count) {
    Exchange& exchange = of(request);
    if (exchange.starts > 0) return -EALREADY;
    if (status < 200 || status > 599) return -EINVAL;
    ++exchange.starts;
    exchange.status = status;
    for (std::size_t i = 0; i < count; ++i) {
        exchange.response_fields.emplace_back(std::string(fields[i].name.data, fields[i].name.size),
                                              std::string(fields[i].value.data, fields[i].value.size));
    }
    return 0;
}

inline int host_write(const cppcorn_request* request, const void* data, std::size_t size) {
    Exchange& exchange = of(request);
    if (exchange.starts == 0) return -EPROTO;
    ++exchange.writes;
    if (exchange.write_error != 0) return exchange.write_error;
    exchange.response_body.append(static_cast<const char*>(data), size);
    return 0;
}

inline int host_flush(const cppcorn_request* request) {
    ++of(request).flushes;
    return of(request).write_error;
}

inline int host_send_file(const cppcorn_request* request, int file, std::int64_t offset, std::int64_t size) {
    std::string bytes(static_cast<std::size_t>(size), '\0');
    if (::pread(file, bytes.data(), bytes.size(), offset) != size) return -EBADF;
    return host_write(request, bytes.data(), bytes.size());
}

inline void host_log(const cppcorn_request* request, int level, const char* text, std::size_t size) {
    Pairs& lines = request != nullptr ? of(request).log : lines_without_request();
    lines.emplace_back(std::to_string(level), std::string(text, size));
}

inline int host_extend_deadline(const cppcorn_request* request, std::uint32_t ms) {
    of(request).extended_ms = ms;
    return 0;
}

inline int host_fail(const cppcorn_request* request, const char* reason, std::size_t size) {
    of(request).failure.assign(reason, size);
    return 0;
}

inline int host_start_with_reason(const cppcorn_request* request, int status, const char* reason,
                                  std::size_t reason_size, const cppcorn_field* fields, std::size_t count) {
    of(request).reason.assign(reason, reason_size);
    return host_start(request, status, fields, count);
}

inline int host_finish(const cppcorn_request* request) {
    ++of(request).finishes;
    return of(request).write_error;
}

inline int host_client_gone(const cppcorn_request* request) {
    return of(request).is_gone ? 1 : 0;
}

inline int host_early_hints(const cppcorn_request* request, const cppcorn_field* fields, std::size_t count) {
    Exchange& exchange = of(request);
    if (exchange.starts > 0) return -EALREADY;
    for (std::size_t i = 0; i < count; ++i) {
        exchange.hints.emplace_back(std::string(fields[i].name.data, fields[i].name.size),
                                    std::string(fields[i].value.data, fields[i].value.size));
    }
    return 0;
}

inline const cppcorn_host& host() {
    static const cppcorn_host table{sizeof(cppcorn_host),
                                    CPPCORN_ABI_MAJOR,
                                    CPPCORN_ABI_MINOR,
                                    "cppcorn/test",
                                    host_read,
                                    host_start,
                                    host_write,
                                    host_flush,
                                    host_send_file,
                                    host_log,
                                    host_extend_deadline,
                                    host_fail,
                                    nullptr,
                                    host_start_with_reason,
                                    host_finish,
                                    host_log,
                                    host_client_gone,
                                    host_early_hints};
    return table;
}

// A server of ABI 1.0.
inline const cppcorn_host& host_of_1_0() {
    static const cppcorn_host table = [] {
        cppcorn_host old = host();
        old.size = offsetof(cppcorn_host, start_with_reason);
        old.abi_minor = 0;
        old.start_with_reason = nullptr;
        old.finish = nullptr;
        old.log_text = nullptr;
        old.client_gone = nullptr;
        old.early_hints = nullptr;
        return old;
    }();
    return table;
}

// One app, loaded through its entry function.
class LoadedApp {
  public:
    explicit LoadedApp(cppcorn_entry_fn entry, const std::vector<cppcorn_value>& arguments = {},
                       const cppcorn_host& server = host()) {
        cppcorn_load load{};
        load.size = sizeof load;
        load.arg_count = static_cast<std::uint32_t>(arguments.size());
        load.args = arguments.data();
        load.host = &server;
        char error[200] = "";
        load.error = error;
        load.error_room = sizeof error;
        app_.size = sizeof app_;
        load.app = &app_;
        result = entry(&load);
        message = error;
    }
    LoadedApp(const LoadedApp&) = delete;
    LoadedApp& operator=(const LoadedApp&) = delete;
    ~LoadedApp() {
        if (app_.destroy != nullptr) app_.destroy(app_.self);
    }

    void serve(Exchange& exchange) const {
        std::vector<cppcorn_field> fields;
        for (const auto& [name, value] : exchange.fields) fields.push_back({str(name), str(value)});
        cppcorn_request request{};
        request.size = sizeof request;
        request.http_minor = 1;
        request.method = str(exchange.method);
        request.target = str(exchange.target);
        request.script_name = str(exchange.script_name);
        request.path = str(exchange.path);
        request.query = str(exchange.query);
        request.scheme = str(exchange.scheme);
        request.authority = str(exchange.authority);
        request.fields = fields.data();
        request.field_count = fields.size();
        request.content_length =
            exchange.content_length != 0 ? exchange.content_length : static_cast<std::int64_t>(exchange.body.size());
        request.remote_address = str(exchange.server_port != 0 ? "192.0.2.1" : "");
        request.remote_port = exchange.server_port != 0 ? 5000 : 0;
        request.server_port = exchange.server_port;
        request.server_name = str(exchange.server_port != 0 ? "127.0.0.1" : "/run/app.sock");
        request.host_data = &exchange;
        exchange.result = app_.handle(app_.self, &request);
    }
    Exchange get(std::string path = "/") const {
        Exchange exchange;
        exchange.path = std::move(path);
        serve(exchange);
        return exchange;
    }

    int worker_start(std::uint32_t slot) const {
        const cppcorn_worker worker{sizeof worker, slot, "test"};
        return app_.worker_start(app_.self, &worker);
    }
    void worker_exit() const { app_.worker_exit(app_.self); }

    int result = 0;      // of the entry function
    std::string message; // what it said of its failure

  private:
    cppcorn_app app_{};
};

} // namespace app_kit_test
