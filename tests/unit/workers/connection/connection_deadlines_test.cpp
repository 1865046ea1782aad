#include <string>

#include "tests/catch.hpp"
#include "tests/unit/workers/connection/one_client.hpp"
#include "workers/connection/connection.hpp"

using namespace one_client;

TEST_CASE("Connection: a client that says nothing is closed without an answer") {
    World world;
    world.come();
    CHECK(world.time_left() == world.settings.header_timeout);
    world.wait(world.settings.header_timeout - 1ms);
    CHECK(world.is_open());
    world.wait(1ms);
    CHECK_FALSE(world.is_open());
    CHECK(world.stream.arrived().empty());
}

TEST_CASE("Connection: a head has its time from its first byte, and not from the next ones") {
    World world;
    world.come();
    world.wait(10s);
    world.send("GET / HT");
    CHECK(world.time_left() == world.settings.header_timeout);
    world.wait(20s);
    world.send("TP/1.1\r\n");
    CHECK(world.time_left() == world.settings.header_timeout - 20s);
    world.wait(world.settings.header_timeout - 20s);
    CHECK(statuses(world.receive()) == Statuses{408});
    CHECK(world.stream.is_write_closed());
    CHECK(world.is_open()); // lingers
}

TEST_CASE("Connection: a head in time is answered, and the next one has its own time") {
    World world;
    world.send("GET / HT");
    world.wait(20s);
    world.send("TP/1.1\r\nHost: a\r\n\r\nGET");
    CHECK(world.time_left() == world.settings.header_timeout);
    CHECK(statuses(world.receive()) == Statuses{200});
}

TEST_CASE("Connection: bytes now and then do not give a body more time, 1 KiB a second does") {
    World world;
    world.settings.body_timeout = 10s;
    world.settings.body_buffer = 1'000'000;
    world.send(post_head + "x");
    CHECK(world.time_left() == 10s);
    SECTION("1 byte a second") {
        for (int i = 0; i < 9; ++i) {
            world.wait(1s);
            world.send("x");
            REQUIRE(world.time_left() == 10s - (i + 1) * 1s);
        }
        world.wait(1s);
        CHECK(statuses(world.receive()) == Statuses{408});
    }
    SECTION("a little over 1 KiB a second") {
        for (int i = 0; i < 150; ++i) {
            world.wait(1s);
            REQUIRE(world.stream.arrived().empty());
            world.send(std::string(1200, 'x'));
        }
        world.send(std::string(200'000 - 1 - 150 * 1200, 'x'));
        CHECK(statuses(world.receive()) == Statuses{200});
    }
}

TEST_CASE("Connection: a body that is late while it is dropped has had its answer") {
    World world;
    world.settings.body_buffer = 10;
    world.send(post_head + std::string(1000, 'x'));
    CHECK(statuses(world.receive()) == Statuses{200});
    CHECK(world.time_left() == world.settings.body_timeout);
    world.wait(world.settings.body_timeout);
    CHECK(world.is_open()); // a plain close could destroy the answer, if the client is still sending
    world.send(std::string(100, 'x'));
    CHECK(world.is_open());
    world.wait(30s);
    CHECK_FALSE(world.is_open());
    CHECK(world.stream.arrived().empty());
}

TEST_CASE("Connection: an idle one is kept for the keep-alive time since its last answer") {
    World world;
    for (int i = 0; i < 3; ++i) {
        world.send(get("/"));
        CHECK(world.time_left() == world.settings.keep_alive);
        world.wait(world.settings.keep_alive - 1ms);
        REQUIRE(world.is_open());
    }
    CHECK(statuses(world.receive()) == Statuses{200, 200, 200});
    world.wait(1ms);
    CHECK_FALSE(world.is_open());
    CHECK(world.stream.arrived().empty());
}

TEST_CASE("Connection: a line end behind a request is no request that could be late") {
    World world;
    world.send(get("/") + "\r\n");
    CHECK(statuses(world.receive()) == Statuses{200});
    CHECK(world.time_left() == world.settings.keep_alive);
    SECTION("the connection is idle, until its time is over") {
        world.wait(world.settings.keep_alive);
    }
    SECTION("or the worker retires") {
        world.retire();
        CHECK(world.time_left() == 1s);
        world.wait(1s);
    }
    CHECK_FALSE(world.is_open());
    CHECK(world.stream.arrived().empty());
}

TEST_CASE("Connection: bytes now and then do not give a slow reader more time, 1 KiB a second does") {
    World world;
    world.settings.write_timeout = 10s;
    const std::string body(200'000, 'x');
    world.app = [&](const cppcorn_request* request) { return respond(request, body); };
    world.stream.set_capacity(1000);
    world.send(get("/"));
    CHECK(world.wants == Wants::to_write);
    CHECK(world.time_left() == 10s);
    SECTION("1 byte a second") {
        for (int i = 0; i < 9; ++i) {
            world.wait(1s);
            world.receive(1);
            REQUIRE(world.time_left() == 10s - (i + 1) * 1s);
        }
        world.wait(1s);
        CHECK_FALSE(world.is_open());
        CHECK_FALSE(world.stream.is_write_closed()); // it is cut
    }
    SECTION("a little over 1 KiB a second") {
        world.stream.set_capacity(1200);
        std::string received;
        while (world.wants == Wants::to_write) {
            world.wait(1s);
            REQUIRE(world.is_open());
            received += world.receive();
        }
        received += world.receive();
        CHECK(received.substr(received.size() - body.size()) == body);
        CHECK(world.wants == Wants::to_read);
        CHECK(world.time_left() == world.settings.keep_alive);
    }
}
