#include "workers/connection/proxy_preamble.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/unit/workers/connection/one_client.hpp"

using namespace one_client;

namespace {

const std::string preamble = "PROXY TCP4 203.0.113.9 198.51.100.1 5678 80\r\n";

struct ProxiedWorld : World {
    ProxiedWorld() {
        settings.proxy_protocol = http::ProxyProtocol::v1;
        peer.may_send_preamble = true;
        app = [](const cppcorn_request* request) {
            return respond(request, {request->remote_address.data, request->remote_address.size});
        };
    }
};

} // namespace

TEST_CASE("Connection: takes a PROXY header, wherever it is split, once") {
    const std::string bytes = preamble + get("/");
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        ProxiedWorld world;
        world.come();
        send_split(world, bytes, at);
        REQUIRE(world.wants == Wants::to_read);
        REQUIRE(contains(world.stream.arrived(), "\r\n\r\n203.0.113.9"));
        world.send(get("/"));
        REQUIRE(statuses(world.receive()) == Statuses{200, 200});
        world.send(preamble);
        REQUIRE(statuses(world.receive()) == Statuses{400});
    }
}

TEST_CASE("Connection: a PROXY header that is missing or may not be sent closes without an answer") {
    ProxiedWorld world;
    SECTION("missing") {
        world.send(get("/"));
    }
    SECTION("broken") {
        world.send("PROXY TCP4 x\r\n");
    }
    SECTION("from a stranger") {
        world.peer.may_send_preamble = false;
        world.send(preamble + get("/"));
    }
    CHECK_FALSE(world.is_open());
    CHECK(world.stream.arrived().empty());
    CHECK(world.calls == 0);
}

TEST_CASE("Connection: a PROXY header and the head behind it have one deadline together") {
    ProxiedWorld world;
    world.come();
    world.wait(10s);
    world.send(preamble.substr(0, 9));
    CHECK(world.time_left() == world.settings.header_timeout - 10s);
    SECTION("a header that is late is not answered") {
        world.wait(world.settings.header_timeout - 10s);
        CHECK_FALSE(world.is_open());
        CHECK(world.stream.arrived().empty());
    }
    SECTION("nor is one that nothing follows") {
        world.send(preamble.substr(9));
        CHECK(world.time_left() == world.settings.header_timeout - 10s);
        world.wait(world.settings.header_timeout - 10s);
        CHECK_FALSE(world.is_open());
        CHECK(world.stream.arrived().empty());
    }
    SECTION("a head that is late is") {
        world.send(preamble.substr(9) + "GET /");
        CHECK(world.time_left() == world.settings.header_timeout - 10s);
        world.wait(world.settings.header_timeout - 10s);
        CHECK(statuses(world.receive()) == Statuses{408});
    }
    SECTION("the head after the first answer has its own") {
        world.send(preamble.substr(9) + get("/") + "GET /");
        CHECK(world.time_left() == world.settings.header_timeout);
    }
}

TEST_CASE("Connection: retiring, one in the middle of its PROXY header has the time for it") {
    ProxiedWorld world;
    world.send(preamble.substr(0, 9));
    world.pass(5s);
    world.retire();
    CHECK(world.wants == Wants::to_read);
    CHECK(world.time_left() == world.settings.header_timeout - 5s);
    world.send(preamble.substr(9) + get("/"));
    CHECK(statuses(world.receive()) == Statuses{200});
}
