#include "workers/exchange/exchange_log.hpp"

#include <spdlog/spdlog.h>

#include "base/log/escape.hpp"

namespace cppcorn {
namespace {

// What a line of the log says of a request; method and target are cut.
constexpr std::size_t longest_method = 40;
constexpr std::size_t longest_target = 200;

} // namespace

std::string ExchangeLog::describe() const {
    if (!has_head()) return escaped(std::string_view(refused_line_).substr(0, longest_target));
    const auto& head = parser_.head();
    return escaped(head.method.substr(0, longest_method)) + " " + escaped(head.target.substr(0, longest_target));
}

void ExchangeLog::name(std::string_view given, RequestIds& ids) {
    id_ = given;
    if (!given.empty()) return;
    ids.make(made_id_);
    id_ = {made_id_.data(), made_id_.size()};
}

void ExchangeLog::refuse(std::string_view line, int status, std::string_view reason, const Peer& peer,
                         WorkerContext& context) {
    if (started_ == SteadyTime{}) started_ = context.now();
    refused_line_ = line;
    const auto limit = context.refusals.ask(context.now());
    if (limit.suppressed > 0) spdlog::warn("suppressed {} more invalid-request warnings", limit.suppressed);
    if (limit.allowed) spdlog::warn("Invalid request from ip={}: {} ({})", peer.address, reason, status);
}

void ExchangeLog::cut(const std::string& request, std::string_view reason, WorkerContext& context) {
    if (std::exchange(is_cut_, true)) return;
    context.slot.counters.cut.add();
    const auto limit = context.cuts.ask(context.now());
    if (limit.suppressed > 0) spdlog::warn("suppressed {} more cut-response warnings", limit.suppressed);
    if (limit.allowed) spdlog::warn("Response to {} was cut: {}", request, reason);
}

void ExchangeLog::write_access_line(const Peer& peer, WorkerContext& context) {
    std::vector<http::Field> response_fields; // few formats ask for any
    for (const auto& [name, value] : fields_) response_fields.push_back({name, value});
    AccessRecord record;
    record.remote_address = peer.address;
    if (has_head()) record.head = &parser_.head();
    record.request_id = id_;
    record.queue_time = queue_time_;
    record.request_line = has_head() ? parser_.head().line : std::string_view(refused_line_);
    record.status = response_.status();
    record.body_size = response_.body_size();
    record.response_fields = response_fields;
    record.duration = context.now() - started_;
    record.started = coarse_time_of_day() - record.duration;
    record.cut = is_cut_;
    lines_.add(context.access_log.position(), is_cut_ ? 0 : output_.sent_total() + output_.bytes_left());
    context.access_log.write(record);
}

} // namespace cppcorn
