#include "server/status/metrics_text.hpp"

#include <algorithm>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/unit/server/status/one_view.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

ServiceFacts facts() {
    ServiceFacts facts;
    facts.version = "1.2.3";
    facts.abi = "1.1";
    facts.build = "abc";
    facts.app = "myapp:app";
    return facts;
}

bool has_line(const std::string& text, const std::string& line) {
    std::istringstream lines(text);
    for (std::string each; std::getline(lines, each);) {
        if (each == line) return true;
    }
    return false;
}

TEST_CASE("metrics: what there is") {
    ServiceView view = good_view();
    view.answers = {1, 0, 200, 30, 40, 5};
    view.busy = 1;
    view.slow = 6;
    view.oldest_request_age = 1.5;
    view.queues = {{"127.0.0.1:8000", 7, 2048}};
    view.ends = {1, 2, 3, 4, 5, 6, 7, 8};
    const std::string text = metrics_text(view, facts());
    CHECK(has_line(text, "# TYPE cppcorn_requests_total counter"));
    CHECK(has_line(text, "cppcorn_requests_total{class=\"2xx\"} 200"));
    CHECK(has_line(text, "cppcorn_requests_total{class=\"none\"} 1"));
    CHECK(has_line(text, "cppcorn_workers{state=\"serving\"} 2"));
    CHECK(has_line(text, "cppcorn_workers_busy 1"));
    CHECK(has_line(text, "cppcorn_slow_requests_total 6"));
    CHECK(has_line(text, "cppcorn_oldest_request_age_seconds 1.5"));
    CHECK(has_line(text, "cppcorn_listen_queue{address=\"127.0.0.1:8000\"} 7"));
    CHECK(has_line(text, "cppcorn_listen_queue_limit{address=\"127.0.0.1:8000\"} 2048"));
    CHECK(has_line(text, "cppcorn_worker_ends_total{cause=\"out_of_memory\"} 5"));
    CHECK(has_line(text, "cppcorn_info{version=\"1.2.3\",abi=\"1.1\",build=\"abc\",app=\"myapp:app\"} 1"));
    CHECK(has_line(text, "cppcorn_ready 1"));
}

TEST_CASE("metrics: a histogram's bands are added up, and its count is theirs") {
    ServiceView view = good_view();
    DurationHistogram histogram;
    histogram.add(50us);
    histogram.add(3ms);
    histogram.add(2min);
    view.durations.add(histogram);
    const std::string text = metrics_text(view, facts());
    CHECK(has_line(text, "cppcorn_request_duration_seconds_bucket{le=\"0.0001\"} 1"));
    CHECK(has_line(text, "cppcorn_request_duration_seconds_bucket{le=\"0.0025\"} 1"));
    CHECK(has_line(text, "cppcorn_request_duration_seconds_bucket{le=\"0.005\"} 2"));
    CHECK(has_line(text, "cppcorn_request_duration_seconds_bucket{le=\"60\"} 2"));
    CHECK(has_line(text, "cppcorn_request_duration_seconds_bucket{le=\"+Inf\"} 3"));
    CHECK(has_line(text, "cppcorn_request_duration_seconds_count 3"));
    CHECK(has_line(text, "cppcorn_request_duration_seconds_sum 120.00305"));
}

TEST_CASE("metrics: what the kernel does not tell is left out") {
    const std::string text = metrics_text(good_view(), facts());
    CHECK(text.find("listen_queue") == std::string::npos);
    CHECK(text.find("process=\"master\"") == std::string::npos);
}

TEST_CASE("metrics: texts in labels cannot break out of them") {
    ServiceView view = good_view();
    view.queues = {{"unix:/run/\"x\\\n\xff.sock", 1, 2}};
    ServiceFacts strange = facts();
    strange.app = "a\"b\nc\\d:app";
    const std::string text = metrics_text(view, strange);
    CHECK(has_line(text, R"(cppcorn_listen_queue{address="unix:/run/\"x\\\n?.sock"} 1)"));
    CHECK(text.find(R"(app="a\"b\nc\\d:app"} 1)") != std::string::npos);
}

} // namespace
} // namespace cppcorn
