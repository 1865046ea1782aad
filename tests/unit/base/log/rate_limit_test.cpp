#include "base/log/rate_limit.hpp"

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

TEST_CASE("RateLimit: so many in a stretch, then none, then a count of those") {
    RateLimit limit;
    SteadyTime now{1h};
    for (std::uint64_t i = 0; i < RateLimit::most_in_stretch; ++i) {
        const auto answer = limit.ask(now);
        CHECK(answer.allowed);
        CHECK(answer.suppressed == 0);
    }
    for (int i = 0; i < 7; ++i) CHECK_FALSE(limit.ask(now + RateLimit::stretch - 1ms).allowed);
    const auto next = limit.ask(now + RateLimit::stretch);
    CHECK(next.allowed);
    CHECK(next.suppressed == 7);
}

TEST_CASE("RateLimit: a quiet stretch leaves nothing to tell") {
    RateLimit limit;
    SteadyTime now{1h};
    CHECK(limit.ask(now).allowed);
    const auto later = limit.ask(now + RateLimit::stretch * 3);
    CHECK(later.allowed);
    CHECK(later.suppressed == 0);
}
