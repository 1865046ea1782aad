#include "workers/connection/connection.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/unit/workers/connection/one_client.hpp"

using namespace one_client;

// ---- Requests

TEST_CASE("Connection: a client that has sent its request when it comes is answered at once") {
    World world;
    world.send(get("/x", "Connection: close\r\n"));
    CHECK_FALSE(world.is_open());
    CHECK(contains(world.stream.arrived(), "200 OK"));
    CHECK_FALSE(world.stream.is_reset());
}

TEST_CASE("Connection: is kept for the next request, however its bytes come") {
    const std::string request = get("/one");
    for (std::size_t at = 0; at < request.size(); ++at) {
        World world;
        world.come();
        send_split(world, request, at);
        REQUIRE(world.wants == Wants::to_read);
        send_split(world, request, at);
        REQUIRE(world.wants == Wants::to_read);
        REQUIRE(statuses(world.stream.arrived()) == Statuses{200, 200});
        REQUIRE(world.calls == 2);
    }
}

TEST_CASE("Connection: requests that come together are answered in order") {
    World world;
    world.send(get("/one") + get("/two") + get("/three") + "GET /half");
    CHECK(world.wants == Wants::to_read);
    const std::string received = world.receive();
    CHECK(statuses(received) == Statuses{200, 200, 200});
    CHECK(received.find("\r\n\r\n/one") < received.find("\r\n\r\n/two"));
    CHECK(received.find("\r\n\r\n/two") < received.find("\r\n\r\n/three"));
    world.send(" HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(contains(world.receive(), "\r\n\r\n/half"));
}

TEST_CASE("Connection: behind an answer that ends it, no request is looked at") {
    World world;
    SECTION("the client's end") {
        world.send(get("/one", "Connection: close\r\n") + get("/two"));
    }
    SECTION("a refusal") {
        world.send(get("/one") + "\x16" + get("/two"));
    }
    SECTION("no keep-alive") {
        world.settings.keep_alive = 0ms;
        world.send(get("/one") + get("/two"));
    }
    CHECK(world.calls == 1);
    CHECK(world.stream.is_write_closed());
}

TEST_CASE("Connection: what the app leaves of a body is dropped, and the next request is answered") {
    World world;
    world.settings.body_buffer = 10;
    world.send(post_head + std::string(1000, 'x'));
    CHECK(statuses(world.receive()) == Statuses{200});
    world.send(std::string(199'000, 'x') + get("/next"));
    CHECK(contains(world.receive(), "\r\n\r\n/next"));
}

// ---- Clients that leave

TEST_CASE("Connection: a client that leaves is not answered, wherever it was") {
    World world;
    SECTION("before its first byte") {
        world.come();
    }
    SECTION("in a head") {
        world.send("GET / HTTP/1.1\r\n");
    }
    SECTION("in a body") {
        world.send(post_head + "x");
    }
    SECTION("in a body that the app reads") {
        world.settings.body_buffer = 10;
        world.stream.while_waiting = [&](SteadyTime) {
            world.stream.close();
            return true;
        };
        world.app = [](const cppcorn_request* request) {
            CHECK(read_body(request).error == -ECONNRESET);
            return 0;
        };
        world.send(post_head + "0123456789");
        CHECK(world.calls == 1);
        CHECK_FALSE(world.is_open());
    }
    SECTION("after an answer") {
        world.send(get("/"));
        CHECK(statuses(world.receive()) == Statuses{200});
    }
    world.stream.close();
    world.run();
    CHECK_FALSE(world.is_open());
    CHECK(world.stream.arrived().empty());
}

TEST_CASE("Connection: a response that only its end would have marked as whole is reset where it is cut") {
    World world;
    bool whole = false;
    world.app = [&](const cppcorn_request* request) {
        begin(request, 200, std::nullopt);
        write(request, "some");
        return whole ? 0 : -1;
    };
    SECTION("cut") {
        world.send("GET / HTTP/1.0\r\n\r\n");
    }
    SECTION("whole") {
        whole = true;
        world.send("GET / HTTP/1.0\r\n\r\n");
    }
    CHECK_FALSE(world.is_open());
    CHECK(contains(world.stream.arrived(), "some"));
    CHECK(world.stream.is_reset() == !whole);
}

TEST_CASE("Connection: a response that shows where it is cut is not reset") {
    World world;
    world.app = [&](const cppcorn_request* request) {
        begin(request, 200, 10);
        return write(request, "some");
    };
    world.send(get("/"));
    CHECK_FALSE(world.is_open());
    CHECK_FALSE(world.stream.is_reset());
}

// ---- Slow readers

TEST_CASE("Connection: who does not read the answers gets no more of them, until it does") {
    World world;
    const std::string body(100'000, 'x');
    world.app = [&](const cppcorn_request* request) { return respond(request, body); };
    world.stream.set_capacity(1000);
    std::string requests;
    for (int i = 0; i < 10; ++i) requests += get("/");
    world.send(requests);
    CHECK(world.wants == Wants::to_write);
    CHECK(world.calls == 3); // of 100'000 bytes each, where 256 KiB may wait
    std::string received;
    int calls = world.calls;
    while (world.wants == Wants::to_write) {
        received += world.receive();
        REQUIRE(world.calls <= calls + 3); // and no more are called before those have gone
        calls = world.calls;
    }
    CHECK(world.calls == 10);
    received += world.receive();
    CHECK(statuses(received) == Statuses(10, 200));
    CHECK(world.wants == Wants::to_read);
    CHECK(world.time_left() == world.settings.keep_alive);
}
