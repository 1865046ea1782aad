#include "server/status/metrics_text.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "server/status/names.hpp"

namespace cppcorn {
namespace {

std::string escaped_label(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\\' || c == '"') escaped += '\\';
        if (c == '\n') {
            escaped += "\\n";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

// One that would be no UTF-8 makes the whole answer unreadable.
std::string ascii(std::string_view text) {
    std::string plain(text);
    std::replace_if(
        plain.begin(), plain.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return plain;
}

class Metrics {
  public:
    // A family of values begins.
    void begin(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        fmt::format_to(std::back_inserter(text_), "# HELP cppcorn_{} {}\n# TYPE cppcorn_{} {}\n", name, help, name,
                       type);
    }
    template <class Value>
    void add(Value value) {
        fmt::format_to(std::back_inserter(text_), "cppcorn_{} {}\n", name_, value);
    }
    template <class Value>
    void add(std::string_view label, std::string_view label_value, Value value) {
        fmt::format_to(std::back_inserter(text_), "cppcorn_{}{{{}=\"{}\"}} {}\n", name_, label, label_value, value);
    }
    template <class Values, class Names>
    void add_each(std::string_view label, const Values& values, const Names& names) {
        for (std::size_t i = 0; i < values.size(); ++i) add(label, names[i], values[i]);
    }
    template <class Value>
    void one(std::string_view name, std::string_view type, std::string_view help, Value value) {
        begin(name, type, help);
        add(value);
    }
    void histogram(std::string_view name, std::string_view help, const Durations& durations) {
        begin(name, "histogram", help);
        std::uint64_t count = 0;
        for (std::size_t band = 0; band < DurationHistogram::band_count; ++band) {
            count += durations.bands[band];
            const bool is_last = band == DurationHistogram::bounds.size();
            const std::string bound =
                is_last ? "+Inf"
                        : fmt::format("{}", std::chrono::duration<double>(DurationHistogram::bounds[band]).count());
            fmt::format_to(std::back_inserter(text_), "cppcorn_{}_bucket{{le=\"{}\"}} {}\n", name, bound, count);
        }
        fmt::format_to(std::back_inserter(text_), "cppcorn_{}_sum {}\ncppcorn_{}_count {}\n", name,
                       static_cast<double>(durations.total_ns) / 1e9, name, count);
    }

    std::string take() { return std::move(text_); }

  private:
    std::string text_;
    std::string_view name_;
};

void add_workers(Metrics& metrics, const ServiceView& view) {
    metrics.begin("workers", "gauge", "Worker processes by what they do.");
    metrics.add_each("state", view.by_state, worker_state_names);
    metrics.one("workers_wanted", "gauge", "Workers that there are to be.", view.wanted);
    metrics.one("workers_busy", "gauge", "Workers whose app has a request now.", view.busy);
    metrics.one("oldest_request_age_seconds", "gauge", "How long the app has had the request that it has had longest.",
                view.oldest_request_age);
    metrics.begin("worker_ends_total", "counter", "Workers that have ended, by cause.");
    metrics.add_each("cause", view.ends, end_cause_names);
    metrics.begin("reloads_total", "counter", "Reloads, by what has come of them.");
    metrics.add_each("result", view.reloads, reload_result_names);
}

void add_requests(Metrics& metrics, const ServiceView& view) {
    metrics.begin("requests_total", "counter", "Requests that are done, by the class of the status.");
    metrics.add_each("class", view.answers, answer_class_names);
    metrics.one("responses_cut_total", "counter", "Responses that the client did not get all of.", view.cut);
    metrics.one("slow_requests_total", "counter", "Requests that --slow-request has told of.", view.slow);
    metrics.histogram("request_duration_seconds", "How long requests were in the app.", view.durations);
    metrics.histogram("request_queue_seconds", "How long requests had waited in front of the server.",
                      view.queue_times);
}

void add_connections(Metrics& metrics, const ServiceView& view) {
    metrics.begin("connections", "gauge", "Connections that workers have, by what they wait for.");
    metrics.add_each("state", view.connections, connection_state_names);
    metrics.one("connections_accepted_total", "counter", "Connections that workers have accepted.", view.accepted);
    metrics.begin("connections_moved_total", "counter", "Connections that went to another worker, by why.");
    metrics.add_each("reason", view.moved, moved_reasons);
    if (view.queues.empty()) return;
    metrics.begin("listen_queue", "gauge", "Connections that wait for a worker to accept them.");
    for (const auto& queue : view.queues) {
        metrics.add("address", escaped_label(ascii(queue.address)), queue.waiting);
    }
    metrics.begin("listen_queue_limit", "gauge", "How many may wait.");
    for (const auto& queue : view.queues) metrics.add("address", escaped_label(ascii(queue.address)), queue.limit);
    if (view.expected_wait) {
        metrics.one("listen_queue_wait_seconds", "gauge", "How long a connection that comes now waits, estimated.",
                    *view.expected_wait);
    }
}

void add_processes(Metrics& metrics, const ServiceView& view) {
    metrics.begin("resident_bytes", "gauge", "Resident memory; what processes share is counted for each.");
    metrics.add("process", "workers", view.all_workers.resident_bytes);
    if (view.master) metrics.add("process", "master", view.master->resident_bytes);
    if (view.own) metrics.add("process", "status", view.own->resident_bytes);
    metrics.begin("cpu_seconds_total", "counter", "CPU time; of workers also of those that have ended.");
    metrics.add("process", "workers", view.all_workers.cpu_seconds);
    if (view.master) metrics.add("process", "master", view.master->cpu_seconds);
    if (view.own) metrics.add("process", "status", view.own->cpu_seconds);
}

} // namespace

std::string metrics_text(const ServiceView& view, const ServiceFacts& facts) {
    Metrics metrics;
    metrics.begin("info", "gauge", "What runs: always 1.");
    metrics.add("version",
                fmt::format("{}\",abi=\"{}\",build=\"{}\",app=\"{}", facts.version, facts.abi,
                            escaped_label(ascii(facts.build)), escaped_label(ascii(facts.app))),
                1);
    metrics.one("ready", "gauge", "1 if /ready says so.", readiness(view, facts.limits).is_fine ? 1 : 0);
    metrics.one("master_heartbeat_age_seconds", "gauge", "How long ago the master last went round.",
                view.heartbeat_age);
    add_workers(metrics, view);
    add_requests(metrics, view);
    add_connections(metrics, view);
    add_processes(metrics, view);
    metrics.one("log_lines_dropped_total", "counter", "Lines that a log could not take.", view.dropped_log_lines);
    return metrics.take();
}

} // namespace cppcorn
