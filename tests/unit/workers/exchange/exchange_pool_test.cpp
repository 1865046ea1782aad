#include "workers/exchange/exchange_pool.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/unit/workers/exchange/one_exchange.hpp"

using namespace one_exchange;

// ---- What clients can make an exchange take, it does not keep

TEST_CASE("ExchangePool: an exchange is used again") {
    World world;
    world.answer(get);
    world.queued();
    world.pool.give_back(std::move(world.exchange));
    CHECK(world.pool.spare_count() == 1);
    world.answer(get);
    CHECK(world.pool.spare_count() == 0);
}

TEST_CASE("ExchangePool: one that a client has made large is not kept") {
    World world;
    const std::size_t large = ExchangePool::most_kept + 1;
    SECTION("by a head") {
        world.settings.limits.head = world.settings.limits.field_size = 10'000'000;
        world.answer("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(large, 'x') + "\r\n\r\n");
    }
    SECTION("by many fields") {
        world.settings.limits.head = 10'000'000;
        world.settings.limits.fields = 10'000;
        std::string request = "GET / HTTP/1.1\r\nHost: a\r\n";
        for (int i = 0; i < 5'000; ++i) request += "X: y\r\n";
        world.answer(request + "\r\n");
    }
    SECTION("by a line that is refused") {
        world.settings.limits.head = world.settings.limits.request_line = 10'000'000;
        world.feed("get /" + std::string(large, 'x') + " HTTP/1.1\r\n");
        CHECK(world.exchange->stage() == Stage::answered);
    }
    SECTION("by a body") {
        world.settings.body_buffer = 10'000'000;
        world.answer(post(large) + std::string(large, 'x'));
    }
    SECTION("by what it does not read") {
        const std::string body(large, 'x');
        world.stream.set_capacity(0);
        world.app = [&](const cppcorn_request* request) { return respond(request, body); };
        world.answer(get);
    }
    world.pool.give_back(std::move(world.exchange));
    const auto kept = world.pool.spare_count() == 0 ? 0 : world.pool.take()->capacity();
    CHECK(kept <= ExchangePool::most_kept);
}
