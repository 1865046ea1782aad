#include "workers/context/patience.hpp"

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

TEST_CASE("Patience: little data does not move the deadline") {
    Patience patience;
    const SteadyTime start{1h};
    patience.begin(start, 500);
    for (int second = 0; second < 10; ++second) {
        CHECK(patience.deadline(start + second * 1s, 500 + second * 1000, 10s) == start + 10s);
    }
}

TEST_CASE("Patience: enough data begins it anew, and earlier data counts once") {
    Patience patience;
    const SteadyTime start{1h};
    patience.begin(start, 0);
    CHECK(patience.deadline(start + 3s, 10 * 1024 + 1, 10s) == start + 13s);
    CHECK(patience.deadline(start + 9s, 15 * 1024, 10s) == start + 13s);
    CHECK(patience.deadline(start + 12s, 1 << 20, 10s) == start + 22s);
}

TEST_CASE("Patience: an allowance of 0 is for ever") {
    Patience patience;
    patience.begin(SteadyTime{1h}, 0);
    CHECK(patience.deadline(SteadyTime{2h}, 1, 0ms) == SteadyTime::max());
}
