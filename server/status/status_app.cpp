#include "server/status/status_app.hpp"

#include <array>
#include <chrono>
#include <ctime>
#include <exception>
#include <utility>

#include "server/status/metrics_text.hpp"
#include "server/status/page.hpp"
#include "server/status/page_files.hpp"
#include "server/status/status_json.hpp"
#include "workers/exchange/host.hpp"

namespace cppcorn {
namespace {

constexpr std::chrono::seconds longest_kept{1};

// Should anything that a client sent be taken for a part of the page after all.
constexpr std::string_view own_files_only =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

cppcorn_str str(std::string_view text) {
    return {text.data(), text.size()};
}

std::string_view view(const cppcorn_str& text) {
    return {text.data, text.size};
}

StatusPage line(const Readiness& readiness) {
    return {.status = readiness.is_fine ? 200 : 503, .body = readiness.reason + "\n"};
}

// In one piece: a second call of write() would be refused where the client does not read.
int send(const cppcorn_request& request, const StatusPage& page) {
    const std::string size = std::to_string(page.body.size());
    const std::array fields{
        cppcorn_field{str("Content-Type"), str(page.type)},
        cppcorn_field{str("Content-Length"), str(size)},
        cppcorn_field{str("Cache-Control"), str("no-store")},
        cppcorn_field{str("X-Content-Type-Options"), str("nosniff")},
        cppcorn_field{str("Content-Security-Policy"), str(own_files_only)},
        cppcorn_field{str("Referrer-Policy"), str("no-referrer")},
        cppcorn_field{str("Allow"), str(page.allow)}, // only where that is the answer
    };
    const cppcorn_host& host = host_table();
    const int result = host.start(&request, page.status, fields.data(), fields.size() - (page.status == 405 ? 0 : 1));
    return result != 0 ? result : host.write(&request, page.body.data(), page.body.size());
}

} // namespace

StatusApp::StatusApp(Watcher& watcher, ServiceFacts facts, OrderWindow window, std::string control_path)
    : watcher_(watcher), facts_(std::move(facts)), window_(window), control_path_(std::move(control_path)) {
    app_.size = sizeof app_;
    app_.self = this;
    app_.handle = [](void* self, const cppcorn_request* request) noexcept {
        try {
            return static_cast<StatusApp*>(self)->handle(*request);
        } catch (const std::exception& error) {
            host_table().fail(request, error.what(), std::string_view(error.what()).size());
            return 0;
        }
    };
}

int StatusApp::handle(const cppcorn_request& request) {
    return send(request, answer(request));
}

StatusPage StatusApp::answer(const cppcorn_request& request) {
    const std::string_view method = view(request.method);
    const bool is_control =
        !control_path_.empty() && request.server_port == 0 && view(request.server_name) == control_path_;
    if (is_control) {
        if (auto page = window_.answer(view(request.remote_address), method, view(request.path), view(request.query)))
            return *std::move(page);
    }
    if (method != "GET" && method != "HEAD") return {.status = 405, .body = "GET or HEAD\n"};
    // Who has given an order wants to see what has come of it.
    if (is_control) forget_pages();
    return page(view(request.path), SteadyClock::now());
}

void StatusApp::forget_pages() {
    last_metrics_ = last_json_ = last_page_ = std::nullopt;
}

template <class Make>
const StatusPage& StatusApp::made(std::optional<LastPage>& last, SteadyTime now, Make make) {
    if (budget_.allows(now) || !last || now >= last->time + longest_kept) {
        StatusPage page = make(watcher_.look(now));
        const SteadyTime end = SteadyClock::now();
        last = LastPage{std::move(page), end};
        budget_.spend(end - now);
    }
    return last->page;
}

StatusPage StatusApp::page(std::string_view path, SteadyTime now) {
    if (path == "/live") return line(liveness(watcher_.glance(now)));
    if (path == "/ready") return line(readiness(watcher_.glance(now), facts_.limits));
    if (path == "/metrics") {
        return made(last_metrics_, now, [this](const ServiceView& view) {
            return StatusPage{.type = metrics_type, .body = metrics_text(view, facts_)};
        });
    }
    if (path == "/status.json") {
        return made(last_json_, now, [this](const ServiceView& view) {
            return StatusPage{.type = "application/json", .body = status_json(view, facts_, std::time(nullptr))};
        });
    }
    if (path == "/") {
        return made(last_page_, now, [this](const ServiceView& view) {
            return StatusPage{.type = "text/html; charset=utf-8", .body = page_text(view, watcher_.history(), facts_)};
        });
    }
    if (path == "/page.css") return {.type = "text/css; charset=utf-8", .body = page_style};
    if (path == "/page.js") return {.type = "text/javascript; charset=utf-8", .body = page_script};
    return {.status = 404, .body = "There are /, /live, /ready, /metrics and /status.json\n"};
}

} // namespace cppcorn
