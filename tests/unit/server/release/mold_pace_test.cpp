#include "server/release/mold_pace.hpp"

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime start{100h};

TEST_CASE("MoldPace: another mold is made at once, and later and later where that does not help") {
    MoldPace pace;
    pace.died(start - 1h, start);
    CHECK(pace.not_before() == start);
    CHECK_FALSE(pace.has_failed());
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        pace.failed(start);
        CHECK(pace.pause() == pause);
        CHECK(pace.not_before() == start + pause);
        CHECK(pace.has_failed());
    }
}

TEST_CASE("MoldPace: molds that die soon are made later and later") {
    MoldPace pace;
    SteadyTime now = start;
    for (const auto pause : {0s, 1s, 2s, 4s}) {
        pace.died(now - 1s, now);
        CHECK(pace.not_before() == now + pause);
        CHECK_FALSE(pace.has_failed());
        now += 10s;
    }
    SECTION("one that has lived for a minute is no sign of trouble") {
        pace.died(now - 60s, now);
        CHECK(pace.not_before() == now);
    }
    SECTION("another release's may be better") {
        pace.begin_anew();
        pace.died(now - 1s, now);
        CHECK(pace.not_before() == now);
    }
}

TEST_CASE("MoldPace: the first that cannot be made waits, too") {
    MoldPace pace;
    pace.failed(start);
    CHECK(pace.not_before() == start + 1s);
}

} // namespace
} // namespace cppcorn
