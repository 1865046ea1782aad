#include "workers/exchange/stand_in.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "workers/exchange/host.hpp"
#include "workers/http/request_head.hpp"
#include "workers/http/request_marks.hpp"

namespace cppcorn {
namespace {

constexpr Milliseconds longest_head{10'000};

cppcorn_str str(std::string_view text) {
    return {text.data(), text.size()};
}

std::string page(const cppcorn_request& request) {
    std::string text = "503 Service Unavailable\n";
    for (std::size_t i = 0; i < request.field_count; ++i) {
        const auto& [name, value] = request.fields[i];
        if (!http::equal_ignoring_case({name.data, name.size}, http::request_id_field)) continue;
        text += "Request id: " + std::string(value.data, value.size) + "\n";
    }
    return text;
}

// The body of a request is not read: the client need not send it in vain.
int handle(void*, const cppcorn_request* request) {
    const std::string body = page(*request);
    const std::string length = std::to_string(body.size());
    const cppcorn_field fields[] = {{str("Content-Type"), str("text/plain; charset=utf-8")},
                                    {str("Content-Length"), str(length)},
                                    {str("Cache-Control"), str("no-store")},
                                    {str("Retry-After"), str("5")}};
    const cppcorn_host& host = host_table();
    const int result = host.start(request, 503, fields, std::size(fields));
    return result != 0 ? result : host.write(request, body.data(), body.size());
}

cppcorn_app make_app() {
    cppcorn_app app{};
    app.size = sizeof app;
    app.handle = handle;
    return app;
}

} // namespace

const cppcorn_app& stand_in_app() {
    static const cppcorn_app app = make_app();
    return app;
}

WorkerSettings stand_in_settings(WorkerSettings settings) {
    settings.keep_alive = Milliseconds(0);
    settings.header_timeout =
        settings.header_timeout.count() == 0 ? longest_head : std::min(settings.header_timeout, longest_head);
    settings.body_buffer = 0;
    settings.spool_limit = 0;
    settings.graceful_timeout = Milliseconds(0);
    settings.max_requests = 0;
    settings.max_memory = 0;
    settings.max_worker_lifetime = Milliseconds(0);
    return settings;
}

} // namespace cppcorn
