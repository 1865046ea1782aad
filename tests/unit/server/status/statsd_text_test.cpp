#include "server/status/statsd_text.hpp"

#include <cstdlib>
#include <map>
#include <numeric>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/unit/server/status/one_view.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> lines_of(const std::vector<std::string>& datagrams) {
    std::vector<std::string> lines;
    for (const auto& datagram : datagrams) {
        std::istringstream text(datagram);
        for (std::string line; std::getline(text, line);) lines.push_back(line);
    }
    return lines;
}

std::vector<std::string> lines(const Totals& now, const Totals& before = {}, const StatsdNames& names = {}) {
    return lines_of(statsd_datagrams(now, before, good_view(), names));
}

bool has(const std::vector<std::string>& lines, const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

Durations durations_of(const std::vector<DurationHistogram::Nanoseconds>& times) {
    DurationHistogram histogram;
    for (const auto time : times) histogram.add(time);
    Durations durations;
    durations.add(histogram);
    return durations;
}

struct SentTime {
    double milliseconds;
    double weight;
};

// Those of gunicorn.request.duration, as a server of statsd reads them.
std::vector<SentTime> sent_times(const Totals& now, const Totals& before = {}) {
    const std::string name = "gunicorn.request.duration:";
    std::vector<SentTime> times;
    for (const auto& line : lines(now, before)) {
        if (line.compare(0, name.size(), name) != 0) continue;
        const auto rate = line.find("|@");
        CHECK(line.find("|ms") != std::string::npos);
        times.push_back({std::strtod(line.c_str() + name.size(), nullptr),
                         rate == std::string::npos ? 1 : 1 / std::strtod(line.c_str() + rate + 2, nullptr)});
    }
    return times;
}

double sum(const std::vector<SentTime>& times) {
    return std::accumulate(times.begin(), times.end(), 0.0,
                           [](double all, const SentTime& time) { return all + time.milliseconds * time.weight; });
}

double count(const std::vector<SentTime>& times) {
    return std::accumulate(times.begin(), times.end(), 0.0,
                           [](double all, const SentTime& time) { return all + time.weight; });
}

TEST_CASE("statsd: while nothing happens, only what there is, is told") {
    ServiceView view = good_view();
    view.workers.resize(3);
    view.busy = 2;
    view.queues = {{"127.0.0.1:8000", 5, 2048}, {"127.0.0.1:8001", 2, 2048}};
    Totals same;
    same.statuses[200] = 7;
    same.errors = 3;
    same.durations = durations_of({3ms});
    CHECK(statsd_datagrams(same, same, view, {}) ==
          std::vector<std::string>{"gunicorn.workers:3|g\ncppcorn.workers.busy:2|g\ncppcorn.backlog:7|g"});
    view.queues.clear(); // the kernel does not say
    CHECK(statsd_datagrams(same, same, view, {}) ==
          std::vector<std::string>{"gunicorn.workers:3|g\ncppcorn.workers.busy:2|g"});
}

TEST_CASE("statsd: what has grown is counted") {
    Totals before;
    before.statuses[200] = 100;
    before.statuses[404] = 5;
    before.warnings = 1;
    Totals now = before;
    now.statuses[0] += 1;
    now.statuses[200] += 7;
    now.statuses[503] += 2;
    now.warnings += 3;
    now.errors += 1;
    now.criticals += 1;
    const auto told = lines(now, before);
    CHECK(has(told, "gunicorn.requests:10|c"));
    CHECK(has(told, "gunicorn.request.status.200:7|c"));
    CHECK(has(told, "gunicorn.request.status.503:2|c"));
    CHECK(has(told, "gunicorn.log.warning:3|c"));
    CHECK(has(told, "gunicorn.log.error:1|c"));
    CHECK(has(told, "gunicorn.log.critical:1|c"));
    // Neither what has not grown, nor what had no status.
    CHECK(told.size() == 8);
}

TEST_CASE("statsd: a number that has fallen has begun anew") {
    Totals before;
    before.statuses[200] = 1000;
    before.durations = durations_of({1ms, 1ms, 1ms});
    Totals now;
    now.statuses[200] = 4;
    now.durations = durations_of({3ms});
    const auto told = lines(now, before);
    CHECK(has(told, "gunicorn.requests:4|c"));
    CHECK(has(told, "gunicorn.request.status.200:4|c"));
    CHECK(count(sent_times(now, before)) == 1);
}

TEST_CASE("statsd: counts that make no sense make no more lines than others") {
    constexpr std::uint64_t many = 1'000'000;
    Totals now; // apps can write to the memory in which workers count
    now.durations.bands[0] = many;
    now.durations.bands[1] = 0 - many; // so that their sum is 0
    CHECK(lines(now).size() < 100);
}

TEST_CASE("statsd: a prefix stands in front of each name and tags behind each value") {
    Totals now;
    now.statuses[200] = 1;
    now.durations = durations_of(std::vector<DurationHistogram::Nanoseconds>(1000, 3ms));
    for (const char* prefix : {"shop.web", "shop.web.", "shop.web..."}) {
        for (const auto& line : lines(now, {}, StatsdNames::of(prefix, "env:prod,zone:b"))) {
            CHECK(line.rfind("shop.web.", 0) == 0);
            CHECK(line.find("..") == std::string::npos);
            CHECK(line.find("|#env:prod,zone:b") == line.size() - 17);
        }
    }
    CHECK(has(lines(now, {}, StatsdNames::of("a", "x")), "a.gunicorn.requests:1|c|#x"));
    CHECK(has(lines(now, {}, StatsdNames::of("", "")), "gunicorn.requests:1|c"));
}

TEST_CASE("statsd: one request's time is told as it is") {
    Totals now;
    now.durations = durations_of({4200us});
    CHECK(has(lines(now), "gunicorn.request.duration:4.2|ms"));
    now.durations = durations_of({7min});
    CHECK(has(lines(now), "gunicorn.request.duration:420000|ms"));
    now.queue_times = durations_of({30ms});
    CHECK(has(lines(now), "cppcorn.request.queue:30|ms"));
}

TEST_CASE("statsd: some times stand for all, with their number and their sum, and the slow ones among them") {
    std::vector<DurationHistogram::Nanoseconds> all(5000, 40us);
    all.insert(all.end(), 3000, 2ms);
    all.push_back(4s);
    Totals now;
    now.durations = durations_of(all);
    const auto times = sent_times(now);
    CHECK(times.size() <= 16 + DurationHistogram::band_count);
    CHECK(count(times) == Approx(8001).epsilon(1e-4));
    CHECK(sum(times) == Approx(static_cast<double>(now.durations.total_ns) / 1e6).epsilon(1e-4));
    CHECK(times.back().weight == 1);
    CHECK(times.back().milliseconds > 2500);
    // Also for those who do not look at weights: about five of eight are of the quick kind.
    const auto quick =
        std::count_if(times.begin(), times.end(), [](const SentTime& time) { return time.milliseconds <= 0.1; });
    CHECK(quick == 10);
}

TEST_CASE("statsd: sums and counts that do not fit each other stay within the bands") {
    Totals now;
    now.durations = durations_of({3ms, 3ms});
    now.durations.total_ns = 0; // read in between
    for (const auto& time : sent_times(now)) CHECK(time.milliseconds == Approx(2.5));
    now.durations.total_ns = 3'600'000'000'000;
    for (const auto& time : sent_times(now)) CHECK(time.milliseconds == Approx(5));
}

TEST_CASE("statsd: no datagram is larger than what any path takes, and few are sent") {
    Totals now;
    for (std::size_t status = 200; status < 600; ++status) now.statuses[status] = 1'000'000;
    std::vector<DurationHistogram::Nanoseconds> all;
    for (const auto bound : DurationHistogram::bounds) all.insert(all.end(), 1000, bound);
    now.durations = now.queue_times = durations_of(all);
    const auto datagrams = statsd_datagrams(now, {}, good_view(), StatsdNames::of("some.prefix", "env:prod"));
    for (const auto& datagram : datagrams) {
        CHECK(datagram.size() <= largest_datagram);
        CHECK(datagram.back() != '\n');
    }
    CHECK(datagrams.size() < 30);
    CHECK(lines_of(datagrams).size() > 400);
    Totals usual;
    usual.statuses[200] = usual.statuses[404] = usual.statuses[500] = 1000;
    usual.durations = durations_of(std::vector<DurationHistogram::Nanoseconds>(3000, 3ms));
    CHECK(statsd_datagrams(usual, {}, good_view(), {}).size() == 1);
}

TEST_CASE("statsd: a line that is longer than a datagram goes alone") {
    Totals now;
    now.statuses[200] = 1;
    const auto datagrams = statsd_datagrams(now, {}, good_view(), {"", std::string(2000, 'x')});
    CHECK(datagrams.size() == lines_of(datagrams).size());
}

} // namespace
} // namespace cppcorn
