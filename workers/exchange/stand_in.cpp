#include "workers/exchange/stand_in.hpp"

#include <algorithm>
#include <string_view>

#include "workers/exchange/host.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view body = "503 Service Unavailable\n";
constexpr Milliseconds longest_head{10'000};

cppcorn_str str(std::string_view text) {
    return {text.data(), text.size()};
}

// The body of a request is not read: the client need not send it in vain.
int handle(void*, const cppcorn_request* request) {
    static const cppcorn_field fields[] = {{str("Content-Type"), str("text/plain; charset=utf-8")},
                                           {str("Content-Length"), str("24")},
                                           {str("Cache-Control"), str("no-store")},
                                           {str("Retry-After"), str("5")}};
    static_assert(body.size() == 24);
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
