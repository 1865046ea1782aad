// What an exchange makes of X-Request-Id and its kin: workers/http/request_marks.hpp has the rules.
#include <chrono>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/workers/exchange/one_exchange.hpp"

using namespace one_exchange;

namespace {

const std::string client_id = "client-0123456789abcdef";

std::string get_with(const std::string& fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

// The values that the app finds under a name.
std::vector<std::string> values(const cppcorn_request* request, std::string_view name) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < request->field_count; ++i) {
        const auto& field = request->fields[i];
        if (!http::equal_ignoring_case({field.name.data, field.name.size}, name)) continue;
        found.emplace_back(field.value.data, field.value.size);
    }
    return found;
}

struct Marks : World {
    Marks() {
        app = [this](const cppcorn_request* request) {
            ids = values(request, "x-request-id");
            queue_times = values(request, "x-queue-time");
            slot_id = context.slot.request_id();
            return fails ? 1 : respond(request, "answer");
        };
    }
    std::vector<std::string> ids;
    std::vector<std::string> queue_times;
    std::string slot_id;
    bool fails = false;
};

std::string start_before(std::chrono::milliseconds time) {
    const auto start = std::chrono::system_clock::now().time_since_epoch() - time;
    return "X-Request-Start: t=" +
           std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(start).count()) + "\r\n";
}

} // namespace

TEST_CASE("Exchange: each request has an id, which the app and the master see") {
    Marks world;
    world.answer(get);
    REQUIRE(world.ids.size() == 1);
    const std::string first = world.ids[0];
    CHECK(first.size() == 32);
    CHECK(world.slot_id == first);
    world.exchange->next_request();
    world.answer(get);
    REQUIRE(world.ids.size() == 1);
    CHECK(world.ids[0] != first);
}

TEST_CASE("Exchange: a trusted peer's id is the request's, a stranger's is another") {
    Marks world;
    world.peer.trusted = GENERATE(true, false);
    world.answer(get_with("X-Request-Id: " + client_id + "\r\n"));
    REQUIRE(world.ids.size() == 1);
    CHECK((world.ids[0] == client_id) == world.peer.trusted);
    CHECK(world.slot_id == world.ids[0]);
}

TEST_CASE("Exchange: an error page names the request") {
    Marks world;
    world.fails = true;
    world.answer(get);
    CHECK(contains(world.queued(), "\r\n\r\n500 Internal Server Error\nRequest id: " + world.slot_id + "\n"));
}

TEST_CASE("Exchange: so does the page of a request that is refused") {
    Marks world;
    CHECK(world.feed("GET / HTTP/1.1\r\n\r\n") == Stage::answered);
    const std::string answer = world.queued();
    CHECK(contains(answer, "\r\n\r\n400 Bad Request\nRequest id: "));
}

TEST_CASE("Exchange: the time in front of the server is told where a trusted peer says when it came") {
    Marks world;
    world.peer.trusted = GENERATE(true, false);
    world.answer(get_with(start_before(std::chrono::seconds(3)) + "X-Queue-Time: 7\r\n"));
    REQUIRE(world.queue_times.size() == (world.peer.trusted ? 1U : 0U));
    if (!world.peer.trusted) return;
    const long us = std::stol(world.queue_times[0]);
    CHECK(us >= 3'000'000);
    CHECK(us < 600'000'000);
}

TEST_CASE("Exchange: a proxy whose clock is ahead, or days behind, tells nothing") {
    Marks world;
    world.peer.trusted = true;
    const auto time = GENERATE(std::chrono::hours(-1), std::chrono::hours(25));
    world.answer(get_with(start_before(time)));
    CHECK(world.queue_times.empty());
    world.exchange->next_request();
    world.answer(get_with(start_before(std::chrono::seconds(1))));
    CHECK(world.queue_times.size() == 1);
}
