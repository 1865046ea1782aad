// A deadline that passes while the worker is busy with another client: what is there by then was in time.
#include <string>

#include "tests/catch.hpp"
#include "tests/unit/workers/connection/one_client.hpp"
#include "workers/connection/connection.hpp"

using namespace one_client;

namespace {

// Bytes that arrive while the worker is busy: it has not read them when the deadline has long passed.
void arrive_unread(World& world, std::string_view bytes, Milliseconds deadline) {
    world.stream.send(bytes);
    world.wait(deadline + 5s);
}

} // namespace

TEST_CASE("Connection: an idle one whose next request waits unread when its time is over is answered") {
    World world;
    world.send(get("/one"));
    world.receive();
    SECTION("a whole one, and goes on") {
        arrive_unread(world, get("/two"), world.settings.keep_alive);
        CHECK(contains(world.receive(), "\r\n\r\n/two"));
        CHECK(world.time_left() == world.settings.keep_alive);
        world.wait(world.settings.keep_alive);
        CHECK_FALSE(world.is_open());
    }
    SECTION("several") {
        arrive_unread(world, get("/two") + get("/three"), world.settings.keep_alive);
        CHECK(statuses(world.receive()) == Statuses{200, 200});
    }
    SECTION("half of one, which has its time") {
        arrive_unread(world, "GET /half", world.settings.keep_alive);
        CHECK(world.is_open());
        CHECK(world.time_left() == world.settings.header_timeout);
        world.send(" HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(contains(world.receive(), "\r\n\r\n/half"));
    }
}

TEST_CASE("Connection: an idle one is closed where nothing waits unread, and a look does not give it more time") {
    World world;
    world.send(get("/"));
    world.receive();
    SECTION("it says nothing") {
        world.wait(world.settings.keep_alive + 5s);
    }
    SECTION("it has left") {
        world.stream.close();
        world.wait(world.settings.keep_alive + 5s);
    }
    SECTION("it was looked at before, for nothing") {
        world.pass(10s);
        world.wants = world.connection->serve(world.turn());
        CHECK(world.time_left() == world.settings.keep_alive - 10s);
        world.wait(world.settings.keep_alive - 10s);
    }
    CHECK_FALSE(world.is_open());
    CHECK(world.stream.arrived().empty());
}

TEST_CASE("Connection: a first request that waits unread when the time for the first byte is over is answered") {
    World world;
    world.settings.proxy_protocol = GENERATE(http::ProxyProtocol::off, http::ProxyProtocol::v1);
    const bool has_preamble = world.settings.proxy_protocol != http::ProxyProtocol::off;
    world.peer.may_send_preamble = true;
    const std::string preamble = has_preamble ? "PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n" : "";
    world.come();
    SECTION("all of it") {
        arrive_unread(world, preamble + get("/first"), world.settings.header_timeout);
        CHECK(contains(world.receive(), "\r\n\r\n/first"));
        CHECK(world.is_open());
    }
    SECTION("the rest of it") {
        world.send((preamble + get("/first")).substr(0, 5));
        arrive_unread(world, (preamble + get("/first")).substr(5), world.settings.header_timeout);
        CHECK(contains(world.receive(), "\r\n\r\n/first"));
        CHECK(world.is_open());
    }
    SECTION("nothing") {
        world.wait(world.settings.header_timeout + 5s);
        CHECK_FALSE(world.is_open());
    }
}

TEST_CASE("Connection: a head whose rest waits unread when its time is over is answered, be it long") {
    World world;
    world.send("GET /long HTTP/1.1\r\n");
    std::string rest = "Host: a\r\n";
    for (int i = 0; i < 8; ++i) rest += "X-" + std::to_string(i) + ": " + std::string(7000, 'x') + "\r\n"; // many reads
    SECTION("all of it") {
        arrive_unread(world, rest + "\r\n", world.settings.header_timeout);
        CHECK(contains(world.receive(), "\r\n\r\n/long"));
        CHECK(world.time_left() == world.settings.keep_alive);
    }
    SECTION("not all of it") {
        arrive_unread(world, rest, world.settings.header_timeout);
        CHECK(statuses(world.receive()) == Statuses{408});
    }
}

TEST_CASE("Connection: a body whose rest waits unread when its time is over is read") {
    World world;
    world.settings.body_timeout = 300s; // 1 KiB a second is more than all of it
    world.settings.body_buffer = 1'000'000;
    world.send(post_head + "x");
    SECTION("all of it") {
        arrive_unread(world, std::string(200'000 - 1, 'x'), world.settings.body_timeout);
        CHECK(statuses(world.receive()) == Statuses{200});
    }
    SECTION("not all of it") {
        arrive_unread(world, std::string(200'000 - 2, 'x'), world.settings.body_timeout);
        CHECK(statuses(world.receive()) == Statuses{408});
    }
}

TEST_CASE("Connection: a body that is dropped is read to its end, too, before it is late") {
    World world;
    world.settings.body_timeout = 300s;
    world.settings.body_buffer = 10;
    world.send(post_head + std::string(1000, 'x'));
    CHECK(statuses(world.receive()) == Statuses{200});
    arrive_unread(world, std::string(199'000, 'x') + get("/next"), world.settings.body_timeout);
    CHECK(contains(world.receive(), "\r\n\r\n/next"));
    CHECK(world.is_open());
}

TEST_CASE("Connection: a client that has taken what it was sent when its time is over is sent more") {
    World world;
    const std::string body(200'000, 'x');
    world.app = [&](const cppcorn_request* request) { return respond(request, body); };
    world.settings.write_timeout = 10s;
    world.stream.set_capacity(50'000);
    world.send(get("/"));
    SECTION("each time") {
        std::string received;
        while (world.wants == Wants::to_write) {
            received += world.stream.receive(); // as the kernel's own buffer empties
            world.wait(30s);
            REQUIRE(world.is_open());
        }
        received += world.receive();
        CHECK(received.substr(received.size() - body.size()) == body);
        CHECK(world.time_left() == world.settings.keep_alive);
    }
    SECTION("too little of it") {
        world.stream.receive(10'000); // 1 KiB a second are just enough
        world.wait(30s);
        CHECK_FALSE(world.is_open());
    }
    SECTION("nothing of it") {
        world.wait(30s);
        CHECK_FALSE(world.is_open());
    }
}

TEST_CASE("Connection: lingering, what waits unread is dropped before the close, which would be a reset else") {
    World world;
    world.send("\x16");
    world.stream.send(std::string(100'000, 'x'));
    world.wait(5s);
    CHECK_FALSE(world.stream.is_ready(Stream::Interest::to_read));
    CHECK(world.is_open()); // it has been sending, and may go on
    world.wait(25s);
    CHECK_FALSE(world.is_open());
}
