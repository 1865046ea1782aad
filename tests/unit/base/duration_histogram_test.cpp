#include "base/duration_histogram.hpp"

#include <algorithm>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

TEST_CASE("DurationHistogram: each time is in the one band that it belongs to") {
    DurationHistogram histogram;
    histogram.add(0ns);
    histogram.add(100us);
    histogram.add(100us + 1ns);
    histogram.add(60s);
    histogram.add(60s + 1ns);
    histogram.add(24h);
    CHECK(histogram.in_band(0) == 2);
    CHECK(histogram.in_band(1) == 1);
    CHECK(histogram.in_band(DurationHistogram::band_count - 2) == 1);
    CHECK(histogram.in_band(DurationHistogram::band_count - 1) == 2);
    std::uint64_t all = 0;
    for (std::size_t band = 0; band < DurationHistogram::band_count; ++band) all += histogram.in_band(band);
    CHECK(all == 6);
    const DurationHistogram::Nanoseconds total = 200us + 1ns + 120s + 1ns + 24h;
    CHECK(histogram.total() == static_cast<std::uint64_t>(total.count()));
}

TEST_CASE("DurationHistogram: its bands grow") {
    CHECK(std::is_sorted(DurationHistogram::bounds.begin(), DurationHistogram::bounds.end()));
}

} // namespace
} // namespace cppcorn
