#include "server/status/view.hpp"

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

TEST_CASE("Durations: a quantile lies in the band that it falls into") {
    DurationHistogram histogram;
    Durations none;
    CHECK_FALSE(none.quantile(0.5));
    for (int i = 0; i < 90; ++i) histogram.add(2ms);
    for (int i = 0; i < 10; ++i) histogram.add(700ms);
    Durations durations;
    durations.add(histogram);
    CHECK(durations.count() == 100);
    CHECK(durations.quantile(0.5).value() > 0.001);
    CHECK(durations.quantile(0.5).value() <= 0.0025);
    CHECK(durations.quantile(0.95).value() > 0.5);
    CHECK(durations.quantile(0.95).value() <= 1);
}

TEST_CASE("Durations: beyond the last bound nothing is known") {
    DurationHistogram histogram;
    histogram.add(24h);
    Durations durations;
    durations.add(histogram);
    CHECK(durations.quantile(0.5).value() == 60);
}

} // namespace
} // namespace cppcorn
