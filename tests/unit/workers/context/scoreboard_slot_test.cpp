#include "workers/context/scoreboard_slot.hpp"

#include <atomic>
#include <string>
#include <thread>

#include "tests/catch.hpp"
#include "tests/unit/interrupted_read.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

TEST_CASE("ScoreboardSlot: has a deadline while a request is served") {
    ScoreboardSlot slot;
    CHECK(slot.request_deadline() == std::nullopt);
    const SteadyTime now = SteadyClock::now();
    slot.begin_request("GET / HTTP/1.1", {}, "an-id", now, now + 5s);
    CHECK(slot.request_deadline() == now + 5s);
    slot.extend_deadline(now + 9s);
    CHECK(slot.request_deadline() == now + 9s);
    slot.end_request();
    CHECK(slot.request_deadline() == std::nullopt);
}

TEST_CASE("ScoreboardSlot: has the id of the request, of any length") {
    ScoreboardSlot slot;
    for (const std::size_t size : {0, 32, 200}) {
        slot.begin_request("GET / HTTP/1.1", {}, std::string(size, 'x'), SteadyTime(), SteadyTime::max());
        CHECK(slot.request_id() == std::string(size, 'x'));
    }
}

TEST_CASE("ScoreboardSlot: a request that ends while the master looks is never overdue") {
    ScoreboardSlot slot;
    std::atomic<bool> done{false};
    const SteadyTime now = SteadyClock::now();
    std::thread worker([&] {
        for (int requests = 0; requests < 3'000'000; ++requests) {
            slot.begin_request("GET / HTTP/1.1", {}, "an-id", now, now + 600s);
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

TEST_CASE("ScoreboardSlot: the request that is served, for whoever looks") {
    ScoreboardSlot slot;
    CHECK(slot.current() == std::nullopt);
    const SteadyTime now = SteadyClock::now();
    const char address[46] = "192.0.2.1";
    slot.begin_request("GET /x HTTP/1.1", address, "an-id", now, SteadyTime::max());
    REQUIRE(slot.current());
    CHECK(slot.current()->line == "GET /x HTTP/1.1");
    CHECK(slot.current()->address == "192.0.2.1");
    CHECK(slot.current()->id == "an-id");
    CHECK(slot.current()->began == now);
    slot.end_request();
    CHECK(slot.current() == std::nullopt);
}

TEST_CASE("ScoreboardSlot: who looks while requests come and go never sees parts of two") {
    constexpr std::size_t within_line = 192;
    const std::string first(150, 'a');
    const std::string second(170, 'b');
    const SteadyTime now = SteadyClock::now();
    InterruptedRead<ScoreboardSlot> memory(within_line);
    ScoreboardSlot& slot = memory.object();
    slot.begin_request(first, {}, "an-id", now, SteadyTime::max());
    SECTION("another request has taken its place") {
        memory.then([&] {
            slot.end_request();
            slot.begin_request(second, {}, "another", now, SteadyTime::max());
        });
        const auto current = slot.current();
        REQUIRE(memory.was_touched());
        REQUIRE(current);
        CHECK(current->line == second);
        CHECK(current->id == "another");
    }
    SECTION("another one is asked about before its body is here, as this one was") {
        memory.then([&] {
            slot.interrupt_request();
            slot.begin_request(second, {}, "an-id", now, SteadyTime::max());
        });
        const auto current = slot.current();
        REQUIRE(memory.was_touched());
        REQUIRE(current);
        CHECK(current->line == second);
    }
    SECTION("it is over") {
        memory.then([&] { slot.end_request(); });
        CHECK_FALSE(slot.current());
        REQUIRE(memory.was_touched());
    }
}

TEST_CASE("ScoreboardSlot: what was counted stays when another worker gets the slot; its connections do not") {
    ScoreboardSlot slot;
    slot.counters.note_request(200, 3ms);
    slot.counters.note_request(503, 3ms);
    slot.counters.note_request(0, 3ms);
    slot.counters.note_answer(404);
    slot.counters.connections[1].add(5);
    slot.clear();
    CHECK(slot.counters.statuses[0].value() == 1);
    CHECK(slot.counters.statuses[200].value() == 1);
    CHECK(slot.counters.statuses[404].value() == 1);
    CHECK(slot.counters.statuses[503].value() == 1);
    CHECK(slot.counters.durations.total() == 9'000'000);
    CHECK(slot.counters.connections[1].value() == 0);
}

} // namespace
} // namespace cppcorn
