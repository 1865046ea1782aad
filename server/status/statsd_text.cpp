#include "server/status/statsd_text.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace cppcorn {
namespace {

constexpr std::size_t usual_times = 16;    // that stand for all of a second; each band has one at least
constexpr double longest_time = 10 * 60.0; // seconds: where the last band ends, as far as we are concerned

class Datagrams {
  public:
    explicit Datagrams(const StatsdNames& names)
        : prefix_(names.prefix), tags_(names.tags.empty() ? "" : "|#" + names.tags) {}

    void level(std::string_view name, std::uint64_t value) { add(name, fmt::format("{}|g", value)); }
    void count(std::string_view name, std::uint64_t value) {
        if (value > 0) add(name, fmt::format("{}|c", value));
    }
    // One that stands for 1 / rate.
    void time(std::string_view name, double seconds, double rate) {
        add(name,
            rate < 1 ? fmt::format("{:.6g}|ms|@{:.6g}", seconds * 1e3, rate) : fmt::format("{:.6g}|ms", seconds * 1e3));
    }
    std::vector<std::string> take() { return std::move(datagrams_); }

  private:
    void add(std::string_view name, std::string_view value) {
        const std::string line = fmt::format("{}{}:{}{}", prefix_, name, value, tags_);
        if (datagrams_.empty() || datagrams_.back().size() + 1 + line.size() > largest_datagram) {
            datagrams_.push_back(line);
        } else {
            datagrams_.back() += '\n';
            datagrams_.back() += line;
        }
    }

    std::string prefix_;
    std::string tags_;
    std::vector<std::string> datagrams_;
};

std::uint64_t growth(std::uint64_t now, std::uint64_t before) {
    return now >= before ? now - before : now;
}

Durations growth(const Durations& now, const Durations& before) {
    Durations grown;
    for (std::size_t band = 0; band < grown.bands.size(); ++band) {
        grown.bands[band] = growth(now.bands[band], before.bands[band]);
    }
    grown.total_ns = growth(now.total_ns, before.total_ns);
    return grown;
}

// One that stands for `weight` times of its band, which goes from `least` to `most`.
struct Time {
    double seconds;
    double weight;
    double least;
    double most;
};

double bound(std::size_t band) {
    return band < DurationHistogram::bounds.size()
               ? std::chrono::duration<double>(DurationHistogram::bounds[band]).count()
               : longest_time;
}

// As many of each band as are its part of all, spread evenly.
std::vector<Time> times_of(const Durations& durations) {
    const auto all = static_cast<double>(durations.count());
    std::vector<Time> times;
    for (std::size_t band = 0; band < durations.bands.size(); ++band) {
        const auto here = static_cast<double>(durations.bands[band]);
        if (here == 0) continue;
        const double least = band == 0 ? 0 : bound(band - 1);
        const double width = bound(band) - least;
        // The counts are in memory that apps can write to: their sum may be anything.
        const double share = std::min(std::round(usual_times * here / all), static_cast<double>(usual_times));
        const auto parts = static_cast<int>(std::clamp(share, 1.0, here));
        for (int part = 0; part < parts; ++part) {
            times.push_back({least + width * (part + 0.5) / parts, here / parts, least, least + width});
        }
    }
    return times;
}

// The sum of all is known: within their bands, times are moved until theirs is the same.
void fit(std::vector<Time>& times, double total) {
    double sum = 0;
    double least = 0;
    double most = 0;
    for (const auto& time : times) {
        sum += time.seconds * time.weight;
        least += time.least * time.weight;
        most += time.most * time.weight;
    }
    const bool is_too_much = sum > total;
    const double room = is_too_much ? sum - least : most - sum;
    const double part = room > 0 ? std::clamp(std::abs(sum - total) / room, 0.0, 1.0) : 0;
    for (auto& time : times) time.seconds += ((is_too_much ? time.least : time.most) - time.seconds) * part;
}

void add_times(Datagrams& datagrams, std::string_view name, const Durations& grown) {
    std::vector<Time> times = times_of(grown);
    fit(times, static_cast<double>(grown.total_ns) / 1e9);
    for (const auto& time : times) datagrams.time(name, time.seconds, 1 / time.weight);
}

} // namespace

StatsdNames StatsdNames::of(std::string prefix, std::string tags) {
    while (!prefix.empty() && prefix.back() == '.') prefix.pop_back();
    if (!prefix.empty()) prefix += '.';
    return {std::move(prefix), std::move(tags)};
}

std::vector<std::string> statsd_datagrams(const Totals& now, const Totals& before, const ServiceView& view,
                                          const StatsdNames& names) {
    Datagrams datagrams(names);
    datagrams.level("gunicorn.workers", view.workers.size());
    datagrams.level("cppcorn.workers.busy", view.busy);
    if (const auto waiting = view.waiting()) datagrams.level("cppcorn.backlog", *waiting);
    std::array<std::uint64_t, WorkerCounters::status_count> statuses{};
    std::uint64_t requests = 0;
    for (std::size_t status = 0; status < statuses.size(); ++status) {
        requests += statuses[status] = growth(now.statuses[status], before.statuses[status]);
    }
    datagrams.count("gunicorn.requests", requests);
    for (std::size_t status = 1; status < statuses.size(); ++status) {
        if (statuses[status] > 0) {
            datagrams.count(fmt::format("gunicorn.request.status.{}", status), statuses[status]);
        }
    }
    add_times(datagrams, "gunicorn.request.duration", growth(now.durations, before.durations));
    add_times(datagrams, "cppcorn.request.queue", growth(now.queue_times, before.queue_times));
    datagrams.count("gunicorn.log.warning", growth(now.warnings, before.warnings));
    datagrams.count("gunicorn.log.error", growth(now.errors, before.errors));
    datagrams.count("gunicorn.log.critical", growth(now.criticals, before.criticals));
    return datagrams.take();
}

} // namespace cppcorn
