// One client's pipeline beside the others: when its turn is over, and which answers wait for which.
#include <map>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/workers/connection/one_client.hpp"
#include "workers/connection/connection.hpp"

using namespace one_client;

namespace {

// Its app takes as long as is said for the path, and notes what the client has got when it is called.
struct Pipelining : World {
    Pipelining() {
        come();
        app = [this](const cppcorn_request* request) {
            const std::string path(path_of(request));
            got_before.push_back(statuses(stream.arrived()).size());
            FakeClock::now += takes[path];
            return respond(request, path);
        };
    }
    // One call, as the worker makes it.
    void serve(std::string_view bytes = "") {
        stream.send(bytes);
        wants = connection->serve(turn());
    }
    void make_known(std::string_view path) {
        for (std::uint32_t i = 0; i <= QuickRequests::enough_in_a_row; ++i) serve(get(path) + get(path));
        REQUIRE(wants == Wants::to_read);
        stream.receive();
        got_before.clear();
        stream.writes = calls = 0;
    }

    std::map<std::string, Milliseconds> takes;
    std::vector<std::size_t> got_before; // answers, at each call
};

} // namespace

TEST_CASE("Connection: a request that takes long ends the client's turn, its answer being sent") {
    Pipelining world;
    world.takes["/slow"] = 50ms;
    world.serve(get("/slow") + get("/slow") + get("/slow") + "GET /half");
    for (int answered = 1; answered <= 3; ++answered) {
        CHECK(world.wants == Wants::to_go_on);
        CHECK(world.calls == answered);
        CHECK(statuses(world.stream.arrived()) == Statuses(static_cast<std::size_t>(answered), 200));
        world.serve();
    }
    CHECK(world.wants == Wants::to_read);
    CHECK(world.time_left() == world.settings.header_timeout);
    world.serve(" HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(contains(world.stream.arrived(), "\r\n\r\n/half"));
}

TEST_CASE("Connection: many that are quick end it as well, when they have taken as long together") {
    Pipelining world;
    world.takes["/"] = 1ms;
    std::string requests;
    for (int i = 0; i < 12; ++i) requests += get("/");
    world.serve(requests);
    CHECK(world.wants == Wants::to_go_on);
    CHECK(world.calls == 5);
    world.serve();
    CHECK(world.calls == 10);
    world.serve();
    CHECK(world.calls == 12);
    CHECK(world.wants == Wants::to_read);
    CHECK(world.time_left() == world.settings.keep_alive);
}

TEST_CASE("Connection: what the client sends while it waits for its turn is read after that") {
    Pipelining world;
    world.takes["/slow"] = 50ms;
    world.serve(get("/slow") + get("/slow"));
    CHECK(world.wants == Wants::to_go_on);
    world.serve(get("/next"));
    CHECK(world.wants == Wants::to_read);
    CHECK(world.calls == 2);
    world.serve();
    CHECK(world.calls == 3);
}

TEST_CASE("Connection: waiting for its turn, it is not late") {
    Pipelining world;
    world.takes["/slow"] = 50ms;
    world.serve(get("/slow") + get("/slow") + get("/slow"));
    world.wait(world.settings.keep_alive + world.settings.header_timeout);
    CHECK(world.calls == 2);
    CHECK(world.wants == Wants::to_go_on);
    world.serve();
    CHECK(statuses(world.stream.arrived()) == Statuses{200, 200, 200});
}

TEST_CASE("Connection: waiting for its turn, its next answer is the last one when the worker retires") {
    Pipelining world;
    world.takes["/slow"] = 50ms;
    world.serve(get("/slow") + get("/slow") + get("/slow"));
    world.retire();
    CHECK(world.wants == Wants::to_go_on);
    world.serve();
    CHECK(statuses(world.stream.arrived()) == Statuses{200, 200});
    CHECK(contains(world.stream.arrived(), "Connection: close\r\n"));
    CHECK(world.stream.is_write_closed());
}

TEST_CASE("Connection: no answer waits for a request of which it is not known that it is quick") {
    Pipelining world;
    world.takes["/slow"] = 50ms;
    SECTION("seen for the first time") {
        world.serve(get("/quick") + get("/slow"));
    }
    SECTION("or slow as ever") {
        world.make_known("/quick");
        world.takes["/slow"] = 0ms;
        world.make_known("/slow");
        world.takes["/slow"] = 50ms;
        world.serve(get("/slow"));
        world.stream.receive();
        world.got_before.clear();
        world.serve(get("/quick") + get("/slow"));
    }
    CHECK(world.got_before == std::vector<std::size_t>{0, 1});
}

TEST_CASE("Connection: answers leave together where the requests behind them are known to be quick") {
    Pipelining world;
    world.make_known("/quick");
    world.serve(get("/quick") + get("/quick") + get("/quick"));
    CHECK(world.stream.writes == 1);
    CHECK(world.got_before == std::vector<std::size_t>{0, 0, 0});
    SECTION("and are sent before one that is not") {
        world.serve(get("/quick") + get("/quick") + get("/other") + get("/quick"));
        CHECK(world.got_before == std::vector<std::size_t>{0, 0, 0, 3, 3, 5, 5});
    }
}

TEST_CASE("Connection: the app is not called any more for a client that has gone") {
    Pipelining world;
    world.app = [&](const cppcorn_request* request) {
        world.stream.vanish();
        return respond(request, "x");
    };
    world.serve(get("/one") + get("/two"));
    CHECK(world.calls == 1);
    CHECK_FALSE(world.is_open());
}
