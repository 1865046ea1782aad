#include "server/status/page.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <iterator>

#include <fmt/format.h>

#include "server/status/chart.hpp"
#include "server/status/html.hpp"
#include "server/status/names.hpp"

namespace cppcorn {
namespace {

constexpr double span = History::most; // seconds
constexpr std::size_t most_rows = 200; // of workers

std::string duration_text(double seconds) {
    if (seconds < 0.001) return fmt::format("{:.0f} µs", seconds * 1e6);
    if (seconds < 1) return fmt::format("{:.{}f} ms", seconds * 1e3, seconds < 0.01 ? 1 : 0);
    if (seconds < 120) return fmt::format("{:.{}f} s", seconds, seconds < 10 ? 1 : 0);
    if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
    if (seconds < 172'800) return fmt::format("{:.0f} h", seconds / 3600);
    return fmt::format("{:.0f} d", seconds / 86'400);
}

std::string duration_text(std::optional<double> seconds) {
    return seconds ? duration_text(*seconds) : "–";
}

std::string time_text(std::time_t time) {
    std::array<char, 32> text{};
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
    return text.data();
}

std::string heading(const ServiceView& view, const ServiceFacts& facts) {
    const Readiness live = liveness(view);
    const Readiness ready = live.is_fine ? readiness(view, facts.limits) : live;
    return fmt::format(
        "<h1>{}</h1><strong id=\"state\" class=\"{}\">{}</strong>\n"
        "<div class=\"soft\">cppcorn {}, ABI {}; build {}; master {}; {} of {} workers serve, {} busy; "
        "{} connections{}</div>\n",
        html(facts.name), ready.is_fine ? "good" : "bad", html(ready.is_fine ? "ready" : ready.reason),
        html(facts.version), html(facts.abi), html(facts.build), facts.master, view.serving(), view.wanted, view.busy,
        [&] {
            std::uint64_t all = 0;
            for (const auto count : view.connections) all += count;
            return all;
        }(),
        view.slow > 0 ? fmt::format("; slow requests so far: {}", view.slow) : "");
}

// What has grown from one sample to the next, per second.
std::vector<ChartPoint> rate(const std::deque<Sample>& samples, std::uint64_t Sample::*member, SteadyTime now) {
    std::vector<ChartPoint> points;
    for (std::size_t i = 1; i < samples.size(); ++i) {
        const double seconds = std::chrono::duration<double>(samples[i].time - samples[i - 1].time).count();
        const std::uint64_t grown = samples[i].*member - std::min(samples[i].*member, samples[i - 1].*member);
        const double ago = std::chrono::duration<double>(now - samples[i].time).count();
        if (seconds > 0) points.push_back({ago, static_cast<double>(grown) / seconds});
    }
    return points;
}

template <class Value>
std::vector<ChartPoint> level(const std::deque<Sample>& samples, SteadyTime now, Value value) {
    std::vector<ChartPoint> points;
    for (const auto& sample : samples) {
        points.push_back({std::chrono::duration<double>(now - sample.time).count(), value(sample)});
    }
    return points;
}

std::string charts(const ServiceView& view, const History& history) {
    const auto& samples = history.samples();
    std::string text = "<div class=\"charts\">\n";
    if (view.waiting()) {
        text += chart("Waiting for a worker", "",
                      level(samples, view.time,
                            [](const Sample& sample) { return static_cast<double>(sample.waiting.value_or(0)); }),
                      span);
    }
    text += chart("Requests", "/s", rate(samples, &Sample::answers, view.time), span);
    text +=
        chart("Busy workers", "",
              level(samples, view.time, [](const Sample& sample) { return static_cast<double>(sample.busy); }), span);
    text += chart("Errors", "/s", rate(samples, &Sample::errors, view.time), span);
    return text + "</div>\n";
}

std::string request_cell(const WorkerView& worker) {
    if (!worker.is_busy) return "<span class=\"soft\">idle</span>";
    if (!worker.current) return "<span class=\"busy\">busy</span>";
    return fmt::format("<span class=\"busy\">{}</span> <code>{}</code> <span class=\"soft\">{} {}</span>",
                       duration_text(worker.current_age), html_line(worker.current->line),
                       html_line(worker.current->address), html_line(worker.current->id));
}

std::string ends_cell(const WorkerView& worker) {
    if (worker.ends == 0) return "0";
    return fmt::format("{}, last: {}", worker.ends, end_cause_names[static_cast<std::size_t>(worker.last_cause)]);
}

std::string worker_row(const WorkerView& worker) {
    const auto state = static_cast<std::size_t>(worker.state);
    const char* const color = worker.state == WorkerState::overdue ? "bad" : "";
    std::string memory = "–";
    std::string cpu = "–";
    if (worker.usage) {
        memory = fmt::format("{:.1f} MiB", static_cast<double>(worker.usage->resident_bytes) / (1 << 20));
        cpu = duration_text(worker.usage->cpu_seconds);
    }
    return fmt::format(
        "<tr><td class=\"number\">{}</td><td>{}</td><td class=\"{}\">{}</td><td class=\"request\">{}</td>"
        "<td class=\"number\">{}</td><td class=\"number{}\">{}</td><td class=\"number\">{}</td>"
        "<td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
        "<td class=\"number\">{}</td><td>{}</td><td>{}</td></tr>\n",
        worker.slot, worker.pid, color, worker_state_names[state], request_cell(worker), worker.answers,
        worker.errors > 0 ? " bad" : "", worker.errors, duration_text(worker.recent.quantile(0.5)),
        duration_text(worker.recent.quantile(0.95)), worker.connections, memory, cpu, duration_text(worker.age),
        ends_cell(worker));
}

std::string workers_table(const ServiceView& view) {
    std::string text =
        "<h2>Workers</h2>\n<div class=\"wide\"><table>\n<tr><th class=\"number\">Slot</th><th>Pid</th>"
        "<th>State</th><th>Request</th><th class=\"number\">Requests</th><th class=\"number\">Errors</th>"
        "<th class=\"number\">p50</th><th class=\"number\">p95</th>"
        "<th class=\"number\">Connections</th><th class=\"number\">Memory</th>"
        "<th class=\"number\">CPU</th><th>Age</th><th>Ends</th></tr>\n";
    const std::size_t shown = std::min<std::size_t>(view.workers.size(), most_rows);
    for (std::size_t i = 0; i < shown; ++i) text += worker_row(view.workers[i]);
    text += "</table></div>\n";
    if (view.workers.size() > shown) {
        text += fmt::format("<p class=\"soft\">And {} more.</p>\n", view.workers.size() - shown);
    }
    return text +
           "<p class=\"soft\">Requests, errors (500 and above) and ends are those of the slot since the start; p50 "
           "and p95, of the last one to two minutes.</p>\n";
}

std::string end_entry(const WorkerEnd& end) {
    std::string text =
        fmt::format("{} <b>{}</b>: worker {} in slot {} {}", time_text(end.time),
                    end_cause_names[static_cast<std::size_t>(end.cause)], end.pid, end.slot, html(end.how));
    if (!end.request.empty()) {
        text += fmt::format(", serving <code>{}</code> of {} for {}, id {}", html_line(end.request),
                            html_line(end.client), duration_text(end.request_age), html_line(end.request_id));
    }
    if (end.report.empty()) return "<p>" + text + "</p>\n";
    return fmt::format("<details id=\"end-{}-{}\"><summary>{}</summary><pre>{}</pre></details>\n", end.time, end.pid,
                       text, html(end.report));
}

std::string ends(const ServiceView& view) {
    std::string text = "<h2>Last ends of workers</h2>\n";
    if (view.last_ends.empty()) return text + "<p class=\"soft\">None.</p>\n";
    for (const auto& end : view.last_ends) text += end_entry(end);
    return text;
}

std::string settings_table(const ServiceFacts& facts) {
    std::string text =
        "<details id=\"settings\"><summary>All of them, and where they came from</summary><div class=\"wide\"><table>\n"
        "<tr><th>Setting</th><th>Value</th><th>From</th></tr>\n";
    for (const auto& setting : facts.settings) {
        text += fmt::format("<tr><td>{}</td><td class=\"value\"><code>{}</code></td><td{}>{}</td></tr>\n",
                            html(setting.key), html(setting.value),
                            setting.origin == "default" ? " class=\"soft\"" : "", html(setting.origin));
    }
    return text + "</table></div></details>\n";
}

} // namespace

std::string page_text(const ServiceView& view, const History& history, const ServiceFacts& facts) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}: {1} busy</title>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n"
        "<link rel=\"stylesheet\" href=\"page.css\"><script src=\"page.js\" defer></script></head>\n"
        "<body><main>\n{2}{3}{4}{5}<h2>Settings</h2>\n{6}</main></body></html>\n",
        html(facts.name), view.busy, heading(view, facts), charts(view, history), workers_table(view), ends(view),
        settings_table(facts));
}

} // namespace cppcorn
