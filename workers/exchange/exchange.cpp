#include "workers/exchange/exchange.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "base/log/escape.hpp"
#include "workers/exchange/host.hpp"
#include "workers/http/mount.hpp"
#include "workers/http/percent.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view server_line = "Server: cppcorn\r\n";
constexpr std::size_t keep_body_capacity = 128 * 1024;

http::UnderscoreNames underscore_names(HeaderMap map) {
    switch (map) {
        case HeaderMap::refuse:
            return http::UnderscoreNames::refuse;
        case HeaderMap::dangerous:
            return http::UnderscoreNames::keep;
        case HeaderMap::drop:
            break;
    }
    return http::UnderscoreNames::drop;
}

cppcorn_str to_abi(std::string_view text) {
    return {text.data(), text.size()};
}

} // namespace

Exchange::Exchange(const WorkerSettings& settings)
    : parser_(settings.limits, underscore_names(settings.header_map)), body_buffer_size_(settings.body_buffer) {}

Exchange::Reading Exchange::advance(const Peer& peer, Service& service) {
    if (!head_read_) {
        fresh_ = false;
        parser_.keep_names(peer.trusted ? &service.forwarding.forwarder_names() : nullptr);
        const http::Progress progress = parser_.next(input_.unconsumed());
        if (progress.step == http::Step::refused) {
            refuse(parser_.refusal().status, parser_.refusal().reason, peer, service);
            return Reading::refused;
        }
        input_.consume(progress.consumed);
        if (progress.step != http::Step::head) return Reading::need_more;
        input_.pin();
        head_read_ = true;
        body_read_ = !parser_.head().has_body();
        continue_wanted_ = parser_.head().expect_continue && !body_read_;
        const http::Verdict verdict = read_forwarded(peer, service);
        if (!verdict.accepted()) {
            refuse(verdict.status, verdict.reason, peer, service);
            return Reading::refused;
        }
        // A small body is read before the app is called, so it is asked for here: a client that keeps it to itself
        // holds nobody up.
        if (continue_wanted_ && is_small_body() && input_.empty()) {
            output_.tail() += continue_response;
            continue_wanted_ = false;
        }
    }
    while (!body_read_) {
        if (answered_) body_.clear();
        const bool enough = body_.size() >= body_buffer_size_ || (continue_wanted_ && input_.empty());
        if (!answered_ && enough) return Reading::ready;
        if (!body_step(body_)) {
            if (answered_ || read_error_ == 0) break;
            refuse(parser_.refusal().status, parser_.refusal().reason, peer, service);
            return Reading::refused;
        }
    }
    if (answered_ && (read_error_ != 0 || parser_.body_size() - left_at_ > drain_size)) keep_alive_ = false;
    if (!body_read_) return Reading::need_more;
    return answered_ ? Reading::done : Reading::ready;
}

http::Verdict Exchange::read_forwarded(const Peer& peer, const Service& service) {
    if (peer.trusted) return service.forwarding.read(parser_.head(), told_);
    told_ = {};
    service.forwarding.strip(parser_.head());
    return {};
}

bool Exchange::is_small_body() const {
    return parser_.head().chunked() || static_cast<std::uint64_t>(parser_.head().content_length) <= body_buffer_size_;
}

// Takes the next piece of the body out of the input. False if there is none: more must be read, or read_error_ says why
// not.
bool Exchange::body_step(std::string& into) {
    const http::Progress progress = parser_.next(input_.unconsumed());
    if (progress.step == http::Step::refused) {
        read_error_ = parser_.refusal().status == 413 ? -EFBIG : -EBADMSG;
        return false;
    }
    into.append(progress.body);
    if (!progress.body.empty()) continue_wanted_ = false; // it did not wait to be told
    input_.consume(progress.consumed);
    if (progress.step == http::Step::end) body_read_ = true;
    return progress.step != http::Step::need_more;
}

bool Exchange::can_keep_alive(const Service& service) const {
    const http::RequestHead& head = parser_.head();
    if (!head_read_ || refused_ || !head.keep_alive || service.leaving() || service.settings.keep_alive.count() == 0 ||
        read_error_ != 0)
        return false;
    // A client that was never told to continue may send its body or may not: what comes next cannot be known.
    return !continue_wanted_;
}

// What the app left of the body is worth reading, for the sake of the next request.
bool Exchange::can_drain() const {
    if (body_read_ || parser_.head().chunked()) return true;
    return static_cast<std::uint64_t>(parser_.head().content_length) - parser_.body_size() <= drain_size;
}

http::ResponseContext Exchange::context(Service& service) const {
    http::ResponseContext context;
    context.head_request = head_read_ && parser_.head().method == "HEAD";
    context.minor = parser_.head().minor;
    context.keep_alive = can_keep_alive(service);
    context.date_line = service.date_line();
    context.server_line = server_line;
    return context;
}

void Exchange::fill_request(const Peer& peer, const Service& service) {
    const http::RequestHead& head = parser_.head();
    fields_.resize(head.fields.size());
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        fields_[i] = {to_abi(head.fields[i].name), to_abi(head.fields[i].value)};
    }
    request_.size = sizeof request_;
    request_.http_minor = static_cast<std::uint32_t>(head.minor);
    request_.method = to_abi(head.method);
    request_.target = to_abi(head.target);
    std::string_view path = head.path;
    if (path.find('%') != std::string_view::npos) {
        http::percent_decode(head.path, path_);
        path = path_;
    }
    const std::string_view script_name =
        http::decoded_mount(told_.has_script_name ? told_.script_name : service.settings.root_path, script_name_);
    request_.script_name = to_abi(script_name);
    request_.path = to_abi(http::path_below(path, script_name));
    request_.query = to_abi(head.query);
    request_.scheme = to_abi(told_.secure ? "https" : "http");
    request_.authority = to_abi(head.authority);
    request_.fields = fields_.data();
    request_.field_count = fields_.size();
    request_.content_length =
        head.chunked() && body_read_ ? static_cast<std::int64_t>(body_.size()) : head.content_length;
    request_.remote_address = to_abi(peer.address);
    request_.remote_port = peer.port;
    request_.server_name = to_abi(peer.listener->server_name);
    request_.server_port = peer.listener->server_port;
    request_.host_data = this;
}

void Exchange::run_app(int socket, const Peer& peer, Service& service) {
    started_ = service.now();
    fill_request(peer, service);
    Call call{socket, service, {}};
    call.patience.begin(started_, parser_.body_size());
    call_ = &call;
    const auto timeout = service.settings.timeout;
    service.slot.begin_request(parser_.head().line, peer.address, started_,
                               timeout.count() > 0 ? started_ + timeout : SteadyClock::time_point::max());
    const int result = service.app.handle(service.app.self, &request_);
    service.look_at_clock_again();
    finish_response(result, service);
    service.slot.end_request();
    call_ = nullptr;
    answered_ = true;
    log_access(peer, service);
}

void Exchange::finish_response(int result, Service& service) {
    const bool begun = writer_.begun();
    if (write_error_ != 0 || read_error_ == -ECONNRESET) {
        cut_ = true; // the client is gone, whatever the app made of that
    } else if (!begun && read_error_ != 0) {
        answer(read_error_ == -ETIMEDOUT ? 408 : read_error_ == -EFBIG ? 413 : 400, service);
    } else if (failed_ || result != 0 || !begun) {
        if (!failed_) fail(result != 0 ? "it returned " + std::to_string(result) : "it returned without a response");
        if (begun) cut_ = true;
        if (!begun) answer(500, service);
    } else if (!writer_.end(output_.tail())) {
        spdlog::error("Response to {} is shorter than its Content-Length: connection closed", describe());
        cut_ = true;
    }
    if (!begun) return;
    status_ = writer_.status();
    response_size_ = writer_.body_size();
    keep_alive_ = writer_.keep_alive() && read_error_ == 0 && can_drain();
    left_at_ = parser_.body_size();
}

void Exchange::answer(int status, Service& service) {
    http::ResponseContext how = context(service);
    if (!head_read_) how.head_request = std::string_view(refused_line_).substr(0, 5) == "HEAD ";
    const http::Field* accept = head_read_ ? parser_.head().find("accept") : nullptr;
    const std::string_view refused = refused_ && !head_read_ ? input_.unconsumed() : std::string_view{};
    const std::string text =
        http::error_response(how, status, accept != nullptr ? accept->value : http::accept_in_refused(refused));
    output_.tail() += text;
    status_ = status;
    response_size_ = text.size() - std::min(text.size(), text.find("\r\n\r\n") + 4);
    keep_alive_ = how.keep_alive && can_drain();
    left_at_ = parser_.body_size();
}

void Exchange::refuse(int status, std::string_view reason, const Peer& peer, Service& service) {
    if (started_ == SteadyClock::time_point{}) started_ = service.now();
    refused_ = true;
    fresh_ = false;
    refused_line_ = head_read_ ? parser_.head().line : parser_.request_line_so_far(input_.unconsumed());
    const auto verdict = service.refusals.ask(service.now());
    if (verdict.suppressed > 0) spdlog::warn("{} more invalid requests were not told of", verdict.suppressed);
    if (verdict.allowed) spdlog::warn("Invalid request from ip={}: {} ({})", peer.address, reason, status);
    answer(status, service);
    answered_ = true;
    log_access(peer, service);
}

void Exchange::log_access(const Peer& peer, Service& service) {
    if (!service.access_log.active()) return;
    std::vector<http::Field> response_fields; // few formats ask for any
    for (const auto& [name, value] : logged_fields_) response_fields.push_back({name, value});
    AccessRecord record;
    record.remote_address = peer.address;
    if (head_read_) record.head = &parser_.head();
    record.request_line = head_read_ ? parser_.head().line : std::string_view(refused_line_);
    record.status = status_;
    record.body_size = response_size_;
    record.response_fields = response_fields;
    record.duration = service.now() - started_;
    record.started = service.time_of_day() - record.duration;
    service.access_log.write(record);
}

std::string Exchange::describe() const {
    const auto& head = parser_.head();
    return escaped(head.method) + " " + escaped(head.target.substr(0, 200));
}

void Exchange::next_request() {
    parser_.reset();
    writer_ = {};
    input_.unpin();
    fresh_ = true;
    head_read_ = body_read_ = answered_ = cut_ = continue_wanted_ = failed_ = refused_ = excess_logged_ = false;
    keep_alive_ = false;
    read_error_ = write_error_ = status_ = 0;
    response_size_ = 0;
    body_.clear();
    if (body_.capacity() > keep_body_capacity) body_.shrink_to_fit();
    body_taken_ = 0;
    logged_fields_.clear();
    started_ = {};
}

void Exchange::clear() {
    if (!fresh_) next_request();
    input_.clear();
    output_.clear();
}

} // namespace cppcorn
