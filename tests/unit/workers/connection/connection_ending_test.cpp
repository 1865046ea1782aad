#include <string>

#include "tests/catch.hpp"
#include "tests/unit/workers/connection/one_client.hpp"
#include "workers/connection/connection.hpp"

using namespace one_client;

// ---- Lingering

TEST_CASE("Connection: lingers until the client closes") {
    World world;
    world.send("\x16");
    CHECK(statuses(world.receive()) == Statuses{400});
    CHECK(world.wants == Wants::to_read);
    CHECK(world.stream.is_write_closed());
    world.send("and more");
    CHECK(world.is_open());
    SECTION("in good order") {
        world.stream.close();
    }
    SECTION("or not") {
        world.stream.vanish();
    }
    world.run();
    CHECK_FALSE(world.is_open());
    CHECK(world.calls == 0);
}

TEST_CASE("Connection: lingers for five seconds in which next to nothing comes") {
    World world;
    world.send("\x16");
    CHECK(world.time_left() == 5s);
    world.wait(4s);
    world.send("more");
    CHECK(world.time_left() == 1s);
    world.wait(1s - 1ms);
    CHECK(world.is_open());
    world.wait(1ms);
    CHECK_FALSE(world.is_open());
}

TEST_CASE("Connection: lingers for thirty seconds, however much comes") {
    World world;
    world.send("\x16");
    for (int i = 0; i < 6; ++i) {
        REQUIRE(world.is_open());
        world.send(std::string(8 * 1024 * 1024, 'x'));
        world.wait(5s);
    }
    CHECK_FALSE(world.is_open());
}

TEST_CASE("Connection: lingers for as long as the client is taking the answer") {
    World world;
    const std::string body(200'000, 'x');
    world.app = [&](const cppcorn_request* request) { return respond(request, body); };
    world.settings.write_timeout = 20s;
    world.stream.set_window(10'000);
    world.send(get("/", "Connection: close\r\n"));
    world.stream.receive(10'000);
    world.send("\r\n");
    SECTION("a little at a time") {
        for (int i = 0; i < 9; ++i) {
            world.wait(5s);
            REQUIRE(world.is_open());
            world.stream.receive(21'000);
        }
        world.wait(5s);
        CHECK_FALSE(world.is_open()); // the answer is there, and the client silent
    }
    SECTION("but not too little") {
        for (int i = 0; i < 4; ++i) {
            REQUIRE(world.is_open());
            world.stream.receive(1000);
            world.wait(5s);
        }
        CHECK_FALSE(world.is_open());
    }
    SECTION("also when the worker retires") {
        world.retire();
        CHECK(world.time_left() == 2s);
        world.wait(2s);
        CHECK(world.is_open());
        world.stream.receive();
        world.wait(5s);
        CHECK_FALSE(world.is_open());
    }
}

TEST_CASE("Connection: without --write-timeout, lingers for thirty seconds, whether the answer is taken or not") {
    World world;
    const std::string body(200'000, 'x');
    world.app = [&](const cppcorn_request* request) { return respond(request, body); };
    world.settings.write_timeout = 0s;
    world.stream.set_window(0);
    world.send(get("/", "Connection: close\r\n"));
    for (int i = 0; i < 6; ++i) {
        REQUIRE(world.is_open());
        world.wait(5s);
    }
    CHECK_FALSE(world.is_open());
}

TEST_CASE("Connection: retiring, lingers for two seconds where the kernel can do without") {
    World world;
    SECTION("the client has the answer") {
        world.send("\x16");
        world.retire();
        world.send("more");
    }
    SECTION("the client sends nothing") {
        const std::string body(200'000, 'x');
        world.app = [&](const cppcorn_request* request) { return respond(request, body); };
        world.stream.set_window(0);
        world.context.retire();
        world.send(get("/"));
    }
    CHECK(world.time_left() == 2s);
    world.wait(2s);
    CHECK_FALSE(world.is_open());
}

TEST_CASE("Connection: a client that asked for the end is waited for if it could lose its answer") {
    World world;
    std::string body(1800, 'x'); // with its head less than 2 KiB
    std::string more;
    world.app = [&](const cppcorn_request* request) {
        world.stream.send(more);
        return respond(request, body);
    };
    const std::string request = GENERATE(get("/", "Connection: close\r\n"), std::string("GET / HTTP/1.0\r\n\r\n"));
    SECTION("not behind a short one") {
        world.send(request);
        CHECK_FALSE(world.is_open());
    }
    SECTION("by its length") {
        body.append(300, 'x');
        world.send(request);
        CHECK(world.is_open());
    }
    SECTION("by what it has sent meanwhile") {
        more = "\r\n";
        world.send(request);
        CHECK(world.is_open());
    }
    CHECK(world.stream.is_write_closed());
}

TEST_CASE("Connection: an idle one lingers if its last answer is still on its way") {
    World world;
    world.send(get("/"));
    world.stream.set_window(10);
    SECTION("at the end of the keep-alive time") {
        world.wait(world.settings.keep_alive);
    }
    SECTION("when the worker retires") {
        world.pass(1s);
        world.retire();
    }
    CHECK(world.is_open());
    CHECK(world.stream.is_write_closed());
    world.send(get("/too-late"));
    CHECK(world.calls == 1);
    world.stream.close();
    world.run();
    CHECK_FALSE(world.is_open());
}

// ---- The worker retires

TEST_CASE("Connection: retiring, an idle one has what is left of its second") {
    World world;
    world.send(get("/"));
    world.wait(400ms);
    world.retire();
    CHECK(world.wants == Wants::to_read);
    CHECK(world.time_left() == 600ms);
    SECTION("a request in time is answered, and is the last") {
        world.wait(599ms);
        world.send(get("/last"));
        CHECK(contains(world.stream.arrived(), "\r\n\r\n/last"));
        CHECK(contains(world.stream.arrived(), "Connection: close\r\n"));
        CHECK(world.stream.is_write_closed());
    }
    SECTION("none comes") {
        world.wait(600ms);
        CHECK_FALSE(world.is_open());
    }
}

TEST_CASE("Connection: retiring, one that has been idle for a second goes, unless a request is here") {
    World world;
    world.send(get("/"));
    world.receive();
    world.pass(1s);
    SECTION("nothing is here") {
        world.retire();
        CHECK_FALSE(world.is_open());
        CHECK(world.stream.arrived().empty());
    }
    SECTION("a request is") {
        world.stream.send(get("/last"));
        world.retire();
        CHECK(contains(world.stream.arrived(), "\r\n\r\n/last"));
        CHECK(contains(world.stream.arrived(), "Connection: close\r\n"));
        CHECK(world.stream.is_write_closed());
        CHECK(world.is_open()); // lingers
    }
    SECTION("half a request is: it has its time") {
        world.stream.send("GET /last");
        world.retire();
        CHECK(world.wants == Wants::to_read);
        CHECK(world.time_left() == world.settings.header_timeout);
        world.send(" HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(contains(world.stream.arrived(), "\r\n\r\n/last"));
    }
}

TEST_CASE("Connection: retiring, one that has said nothing yet has a whole second") {
    World world;
    world.settings.proxy_protocol = GENERATE(http::ProxyProtocol::off, http::ProxyProtocol::v1);
    world.peer.may_send_preamble = true;
    world.come();
    world.wait(5s);
    world.retire();
    CHECK(world.wants == Wants::to_read);
    CHECK(world.time_left() == 1s);
    world.wait(1s);
    CHECK_FALSE(world.is_open());
}

TEST_CASE("Connection: retiring, one with a request or an answer under way goes on as it was") {
    World world;
    SECTION("a request") {
        world.send("GET / HT");
        world.wait(5s);
        world.retire();
        CHECK(world.wants == Wants::to_read);
        CHECK(world.time_left() == world.settings.header_timeout - 5s);
        world.send("TP/1.1\r\nHost: a\r\n\r\n");
        CHECK(contains(world.stream.arrived(), "Connection: close\r\n"));
    }
    SECTION("an answer") {
        const std::string body(200'000, 'x');
        world.app = [&](const cppcorn_request* request) { return respond(request, body); };
        world.stream.set_capacity(1000);
        world.send(get("/"));
        world.wait(5s);
        world.retire();
        CHECK(world.wants == Wants::to_write);
        CHECK(world.time_left() == world.settings.write_timeout - 5s);
        world.stream.set_capacity(1'000'000);
        world.receive();
        CHECK(world.wants == Wants::to_read);
        CHECK(world.time_left() == 1s); // not the whole keep-alive time
    }
}
