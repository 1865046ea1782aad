#include "server/status/status_json.hpp"

#include <nlohmann/json.hpp>

#include "server/status/names.hpp"

namespace cppcorn {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
Json or_null(const std::optional<Value>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json times(const Durations& durations) {
    return {{"count", durations.count()},
            {"seconds", static_cast<double>(durations.total_ns) / 1e9},
            {"p50", or_null(durations.quantile(0.5))},
            {"p95", or_null(durations.quantile(0.95))},
            {"p99", or_null(durations.quantile(0.99))}};
}

template <class Values, class Names>
Json by_name(const Values& values, const Names& names) {
    Json object = Json::object();
    for (std::size_t i = 0; i < values.size(); ++i) object[names[i]] = values[i];
    return object;
}

Json usage(const std::optional<ProcessUsage>& usage) {
    if (!usage) return nullptr;
    return {{"resident_bytes", usage->resident_bytes}, {"cpu_seconds", usage->cpu_seconds}};
}

Json request_of(const WorkerView& worker) {
    if (!worker.current) return nullptr;
    return {{"line", worker.current->line},
            {"client", worker.current->address},
            {"id", worker.current->id},
            {"age", worker.current_age}};
}

Json worker_json(const WorkerView& worker) {
    return {{"slot", worker.slot},
            {"pid", worker.pid},
            {"state", worker_state_names[static_cast<std::size_t>(worker.state)]},
            {"generation", worker.generation},
            {"age", worker.age},
            {"busy", worker.is_busy},
            {"request", request_of(worker)},
            {"requests", worker.requests},
            {"connections", worker.connections},
            {"usage", usage(worker.usage)},
            {"slot_answers", worker.answers},
            {"slot_errors", worker.errors},
            {"slot_recent", times(worker.recent)},
            {"slot_ends", worker.ends},
            {"slot_last_end",
             worker.ends > 0 ? Json(end_cause_names[static_cast<std::size_t>(worker.last_cause)]) : Json(nullptr)}};
}

Json end_json(const WorkerEnd& end) {
    return {{"time", end.time},
            {"pid", end.pid},
            {"slot", end.slot},
            {"cause", end_cause_names[static_cast<std::size_t>(end.cause)]},
            {"how", end.how},
            {"request", end.request.empty() ? Json(nullptr) : Json(end.request)},
            {"client", end.request.empty() ? Json(nullptr) : Json(end.client)},
            {"request_id", end.request.empty() ? Json(nullptr) : Json(end.request_id)},
            {"request_age", end.request.empty() ? Json(nullptr) : Json(end.request_age)},
            {"report", end.report.empty() ? Json(nullptr) : Json(end.report)}};
}

template <class Item, class Make>
Json list(const std::vector<Item>& items, Make make) {
    Json array = Json::array();
    for (const auto& item : items) array.push_back(make(item));
    return array;
}

Json service_json(const ServiceView& view, const ServiceFacts& facts) {
    const Readiness live = liveness(view);
    const Readiness ready = readiness(view, facts.limits);
    return {{"name", facts.name},
            {"app", facts.app},
            {"build", facts.build},
            {"server_version", facts.version},
            {"abi", facts.abi},
            {"state", to_string(view.state)},
            {"draining", view.is_draining},
            {"live", live.is_fine},
            {"live_reason", live.reason},
            {"ready", ready.is_fine},
            {"ready_reason", ready.reason},
            {"master_pid", facts.master},
            {"master_heartbeat_age", view.heartbeat_age},
            {"master_usage", usage(view.master)},
            {"status_usage", usage(view.own)}};
}

} // namespace

std::string status_json(const ServiceView& view, const ServiceFacts& facts, std::time_t now) {
    const Json json = {
        {"version", status_json_version},
        {"time", now},
        {"service", service_json(view, facts)},
        {"workers_wanted", view.wanted},
        {"workers_busy", view.busy},
        {"workers_by_state", by_name(view.by_state, worker_state_names)},
        {"workers", list(view.workers, worker_json)},
        {"oldest_request_age", view.oldest_request_age},
        {"requests", by_name(view.answers, answer_class_names)},
        {"responses_cut", view.cut},
        {"slow_requests", view.slow},
        {"durations", times(view.durations)},
        {"queue_times", times(view.queue_times)},
        {"listen_queues",
         list(view.queues,
              [](const ListenQueue& queue) -> Json {
                  return {{"address", queue.address}, {"waiting", queue.waiting}, {"limit", queue.limit}};
              })},
        {"expected_wait", or_null(view.expected_wait)},
        {"connections", by_name(view.connections, connection_state_names)},
        {"connections_accepted", view.accepted},
        {"connections_moved", by_name(view.moved, moved_reasons)},
        {"ends", by_name(view.ends, end_cause_names)},
        {"last_ends", list(view.last_ends, end_json)},
        {"reloads", by_name(view.reloads, reload_result_names)},
        {"log_lines_dropped", view.dropped_log_lines},
        {"settings", list(facts.settings, [](const ServiceFacts::Setting& setting) -> Json {
             return {{"key", setting.key}, {"value", setting.value}, {"origin", setting.origin}};
         })}};
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace cppcorn
