#include "workers/context/scoreboard_slot.hpp"

#include <atomic>
#include <thread>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

TEST_CASE("ScoreboardSlot: has a deadline while a request is served") {
    ScoreboardSlot slot;
    CHECK(slot.request_deadline() == std::nullopt);
    const SteadyTime now = SteadyClock::now();
    slot.begin_request("GET / HTTP/1.1", {}, now, now + 5s);
    CHECK(slot.request_deadline() == now + 5s);
    slot.extend_deadline(now + 9s);
    CHECK(slot.request_deadline() == now + 9s);
    slot.end_request();
    CHECK(slot.request_deadline() == std::nullopt);
}

TEST_CASE("ScoreboardSlot: a request that ends while the master looks is never overdue") {
    ScoreboardSlot slot;
    std::atomic<bool> done{false};
    const SteadyTime now = SteadyClock::now();
    std::thread worker([&] {
        for (int requests = 0; requests < 3'000'000; ++requests) {
            slot.begin_request("GET / HTTP/1.1", {}, now, now + 600s);
            slot.end_request();
        }
        done = true;
    });
    int overdue = 0;
    while (!done) {
        const auto deadline = slot.request_deadline();
        if (deadline && *deadline < now) ++overdue;
    }
    worker.join();
    CHECK(overdue == 0);
}

} // namespace
} // namespace cppcorn
