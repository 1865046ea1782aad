#include "server/status/history.hpp"

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime begin(1h);

void add(History& history, int second, std::uint64_t waiting, std::uint64_t taken) {
    history.set_present({begin + std::chrono::seconds(second), waiting, taken, 0, 0, 0});
    history.keep_present();
}

double wait_of(const History& history) {
    const auto wait = history.expected_wait();
    REQUIRE(wait);
    return wait->count();
}

TEST_CASE("History: keeps the last five minutes") {
    History history;
    for (int second = 0; second < 400; ++second) add(history, second, 0, 0);
    CHECK(history.samples().size() == History::most);
    CHECK(history.samples().back().time == begin + 399s);
}

TEST_CASE("History: what is expected to wait") {
    History history;
    history.set_present({begin, std::nullopt, 0, 0, 0, 0});
    CHECK_FALSE(history.expected_wait());

    SECTION("nothing waits") {
        add(history, 0, 0, 100);
        CHECK(wait_of(history) == 0);
    }
    SECTION("as long as it takes at the pace of the last ten seconds") {
        for (int second = 0; second <= 30; ++second) add(history, second, 50, second < 20 ? 0 : 10 * (second - 20));
        CHECK(wait_of(history) == 5);
    }
    SECTION("nothing is taken: as long as they have waited") {
        add(history, 0, 0, 100);
        for (int second = 1; second <= 20; ++second) add(history, second, 3, 100);
        CHECK(wait_of(history) == 19);
    }
    SECTION("before there is any history") {
        history.set_present({begin, 7, 0, 0, 0, 0});
        CHECK(wait_of(history) == 0);
    }
}

} // namespace
} // namespace cppcorn
