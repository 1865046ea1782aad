#include "server/control/top/snapshot.hpp"

#include <algorithm>
#include <chrono>

#include <nlohmann/json.hpp>

#include "server/control/top/quantities.hpp"
#include "server/status/status_json.hpp"

namespace cppcorn::top {
namespace {

using Json = nlohmann::json;

// nullopt for null.
template <class Value>
std::optional<Value> known(const Json& json) {
    return json.is_null() ? std::nullopt : std::optional(json.get<Value>());
}

std::string text(const Json& json) {
    return json.is_null() ? "" : printable(json.get_ref<const std::string&>());
}

std::uint64_t sum(const Json& counts) {
    std::uint64_t all = 0;
    for (const auto& count : counts) all += count.get<std::uint64_t>();
    return all;
}

Worker worker(const Json& json) {
    Worker worker;
    worker.slot = json.at("slot");
    worker.pid = json.at("pid");
    worker.state = text(json.at("state"));
    worker.age = json.at("age");
    worker.is_busy = json.at("busy");
    if (const Json& request = json.at("request"); !request.is_null()) {
        worker.request_age = request.at("age").get<double>();
        worker.request = text(request.at("line"));
        worker.client = text(request.at("client"));
    }
    worker.answers = json.at("slot_answers");
    worker.errors = json.at("slot_errors");
    worker.p50 = known<double>(json.at("slot_recent").at("p50"));
    worker.p95 = known<double>(json.at("slot_recent").at("p95"));
    worker.connections = json.at("connections");
    if (const Json& usage = json.at("usage"); !usage.is_null()) {
        worker.resident_bytes = usage.at("resident_bytes").get<std::uint64_t>();
        worker.cpu_seconds = usage.at("cpu_seconds").get<double>();
    }
    worker.ends = json.at("slot_ends");
    worker.last_end = text(json.at("slot_last_end"));
    return worker;
}

void read_service(Snapshot& snapshot, const Json& service) {
    snapshot.name = text(service.at("name"));
    snapshot.server_version = text(service.at("server_version"));
    snapshot.state = text(service.at("state"));
    snapshot.master = service.at("master_pid");
    // A master that does not go round is what to know first.
    const bool is_live = service.at("live");
    snapshot.is_ready = is_live && service.at("ready").get<bool>();
    snapshot.ready_reason = text(service.at(is_live ? "ready_reason" : "live_reason"));
}

void read_counts(Snapshot& snapshot, const Json& json) {
    snapshot.wanted = json.at("workers_wanted");
    snapshot.serving = json.at("workers_by_state").at("serving");
    snapshot.busy = json.at("workers_busy");
    snapshot.connections = sum(json.at("connections"));
    for (const auto& queue : json.at("listen_queues")) {
        snapshot.waiting = snapshot.waiting.value_or(0) + queue.at("waiting").get<std::uint64_t>();
    }
    snapshot.expected_wait = known<double>(json.at("expected_wait"));
    snapshot.oldest_request_age = json.at("oldest_request_age");
    snapshot.answers = sum(json.at("requests"));
    snapshot.errors = json.at("requests").at("5xx");
    snapshot.ends = sum(json.at("ends"));
    snapshot.reloads = json.at("reloads").at("done");
}

double grown(std::uint64_t before, std::uint64_t now) {
    return static_cast<double>(now - std::min(before, now));
}

} // namespace

Snapshot parse_snapshot(std::string_view source, SteadyTime now) {
    try {
        const Json json = Json::parse(source);
        if (json.at("version") != status_json_version) {
            throw SnapshotError("the server is of another version, whose status this one cannot read");
        }
        Snapshot snapshot;
        snapshot.time = now;
        read_service(snapshot, json.at("service"));
        read_counts(snapshot, json);
        for (const auto& each : json.at("workers")) snapshot.workers.push_back(worker(each));
        return snapshot;
    } catch (const Json::exception&) {
        throw SnapshotError("what was answered is no status");
    }
}

void add_rates(Snapshot& snapshot, const Snapshot& before) {
    const double seconds = std::chrono::duration<double>(snapshot.time - before.time).count();
    if (seconds <= 0 || before.master != snapshot.master) return;
    snapshot.answers_per_second = grown(before.answers, snapshot.answers) / seconds;
    snapshot.errors_per_second = grown(before.errors, snapshot.errors) / seconds;
    for (auto& worker : snapshot.workers) {
        const auto same = std::find_if(before.workers.begin(), before.workers.end(),
                                       [&](const Worker& other) { return other.pid == worker.pid; });
        if (same == before.workers.end()) continue;
        worker.answers_per_second = grown(same->answers, worker.answers) / seconds;
        if (same->cpu_seconds && worker.cpu_seconds) {
            worker.cpu = std::max(*worker.cpu_seconds - *same->cpu_seconds, 0.0) / seconds;
        }
    }
}

} // namespace cppcorn::top
