#include "server/status/statsd.hpp"

#include <chrono>

#include "base/shared_array.hpp"
#include "server/supervision/scoreboard.hpp"
#include "server/supervision/service_board.hpp"
#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t ok = 200;

// A service whose only worker has answered five requests.
struct Service {
    Scoreboard scoreboard{2};
    SharedArray<ServiceBoard> board{1};
    Settings settings;
    StatsdBook book{};

    Service() {
        board[0].slots_used.set(1);
        scoreboard.slot(0).counters.statuses[ok].add(5);
        settings.statsd_host = "unix:/nowhere";
    }
    // What statsd is taken to know when a status process begins at that time.
    std::uint64_t known(SteadyTime time) {
        const Watcher watcher(scoreboard, board[0], {1, 1}, 0, ListenQueues({}));
        const Statsd statsd(settings, watcher, book, time);
        return book.told.statuses[ok];
    }
};

constexpr SteadyTime now{1h}; // since the machine's start

std::int64_t ago(std::chrono::nanoseconds time) {
    return (now - time).time_since_epoch().count();
}

TEST_CASE("Statsd: it has yet to be told of what was served before there was a status process") {
    Service service;
    service.book.time_ns = ago(1s); // StatusKeeper::begin_statsd()
    CHECK(service.known(now) == 0);
}

TEST_CASE("Statsd: a status process goes on from where the one before it was") {
    Service service;
    service.book.time_ns = ago(1s);
    service.book.told.statuses[ok] = 3;
    CHECK(service.known(now) == 3);
}

TEST_CASE("Statsd: nothing was told when the machine has just started, either") {
    Service service;
    CHECK(service.known(SteadyTime(5s)) == 5);
}

TEST_CASE("Statsd: it is not told of what was before it was asked for, or is long ago") {
    Service service;
    CHECK(service.known(now) == 5);
    service.book = {ago(61s), {}};
    CHECK(service.known(now) == 5);
}

} // namespace
} // namespace cppcorn
