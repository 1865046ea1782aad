#include "workers/connection/connection_table.hpp"

#include <string>
#include <vector>

#include <sys/socket.h>

#include "tests/catch.hpp"
#include "tests/unit/workers/exchange/test_worker.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

namespace {

struct World : TestWorker {
    World() {
        app = [](const cppcorn_request* request) { return respond(request, "answer"); };
    }

    Epoll epoll{64};
    ConnectionTable table{context, epoll};

    // Comes with these bytes. Its end of the connection is closed with what is returned.
    UniqueFd come(std::string_view bytes = "") {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        UniqueFd client(ends[0]);
        send(client, bytes);
        admitted = table.admit(SocketStream(UniqueFd(ends[1])), peer);
        return client;
    }
    bool admitted = false;

    static void send(const UniqueFd& client, std::string_view bytes) {
        REQUIRE(::send(client.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    }
    static std::string receive(const UniqueFd& client) {
        char bytes[4096];
        const ssize_t got = ::recv(client.get(), bytes, sizeof bytes, 0);
        return {bytes, got > 0 ? static_cast<std::size_t>(got) : 0};
    }

    std::vector<std::uint64_t> ready() {
        std::vector<std::uint64_t> tags;
        const int count = epoll.wait(0);
        for (int i = 0; i < count; ++i) tags.push_back(epoll.tag(i));
        return tags;
    }
    void serve_ready() {
        for (const auto tag : ready()) {
            REQUIRE(ConnectionTable::is_connection(tag));
            table.serve(tag);
        }
    }
};

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string get_and_close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

} // namespace

TEST_CASE("ConnectionTable: a client that wants one answer is served and not kept") {
    World world;
    const UniqueFd client = world.come(get_and_close);
    CHECK_FALSE(world.admitted);
    CHECK(world.table.count() == 0);
    CHECK(world.table.due() == SteadyTime::max());
    CHECK(world.receive(client).substr(0, 15) == "HTTP/1.1 200 OK");
}

TEST_CASE("ConnectionTable: the others are kept, served when they are ready, and forgotten when they close") {
    World world;
    world.settings.worker_connections = 2;
    const UniqueFd one = world.come();
    UniqueFd two = world.come(get);
    CHECK(world.admitted);
    CHECK(world.table.count() == 2);
    CHECK(world.ready().empty());
    world.send(one, get);
    world.serve_ready();
    CHECK(world.receive(one).substr(0, 15) == "HTTP/1.1 200 OK");
    two.reset();
    world.serve_ready();
    CHECK(world.table.count() == 1);
    CHECK(world.calls == 2);
}

TEST_CASE("ConnectionTable: when it is full, the one that has been idle longest makes place") {
    World world;
    world.settings.worker_connections = 3;
    const UniqueFd one = world.come(get);
    const UniqueFd two = world.come(get);
    const UniqueFd silent = world.come();
    CHECK(world.receive(one).substr(0, 15) == "HTTP/1.1 200 OK");
    world.send(one, get); // has been idle for less time than `two` from here on
    world.serve_ready();
    CHECK_FALSE(world.table.is_full());
    const UniqueFd four = world.come(get);
    CHECK(world.table.count() == 3);
    CHECK(world.receive(two).substr(0, 15) == "HTTP/1.1 200 OK"); // nothing is lost
    CHECK(world.receive(two).empty());
    SECTION("before one that has not sent anything yet") {
        world.come(get).release();
        world.send(silent, get);
        world.serve_ready();
        CHECK(world.receive(silent).substr(0, 15) == "HTTP/1.1 200 OK");
    }
    SECTION("and who has sent a request meanwhile is served, and another one closed") {
        world.send(one, get);
        world.receive(one);
        world.come(get).release();
        CHECK(world.receive(one).substr(0, 15) == "HTTP/1.1 200 OK");
        CHECK(world.receive(four).substr(0, 15) == "HTTP/1.1 200 OK");
        CHECK(world.receive(four).empty());
    }
}

TEST_CASE("ConnectionTable: it is full where all are in the middle of a request") {
    World world;
    world.settings.worker_connections = 2;
    const UniqueFd one = world.come("GET / HT");
    const UniqueFd two = world.come("GET / HT");
    CHECK(world.table.is_full());
    CHECK_FALSE(world.table.make_place());
    world.send(one, "TP/1.1\r\nHost: a\r\n\r\n");
    world.serve_ready();
    CHECK_FALSE(world.table.is_full());
}

TEST_CASE("ConnectionTable: one that is gone is not served, not even where another has its descriptor") {
    World world;
    UniqueFd client = world.come();
    client.reset();
    const auto tags = world.ready();
    REQUIRE(tags.size() == 1);
    world.table.serve(tags[0]);
    CHECK(world.table.count() == 0);
    world.table.serve(tags[0]);
    CHECK(world.table.count() == 0);
    client = world.come();
    world.send(client, get_and_close);
    world.table.serve(tags[0]);
    CHECK(world.calls == 0);
    world.serve_ready();
    CHECK(world.calls == 1);
}

TEST_CASE("ConnectionTable: closes those whose deadline has passed, and no others") {
    World world;
    const UniqueFd mute = world.come();
    const SteadyTime first = FakeClock::now + world.settings.header_timeout;
    CHECK(world.table.due() == first);
    world.pass(1s);
    const UniqueFd idle = world.come(get);
    const UniqueFd later = world.come();
    CHECK(world.table.due() == first);
    world.pass(world.settings.header_timeout - 1s);
    world.table.expire_overdue();
    CHECK(world.table.count() == 2);
    CHECK(world.receive(mute).empty());
    world.send(later, get); // its deadline moves: its entry is put right when it comes
    world.serve_ready();
    CHECK(world.table.due() == first + 1s);
    world.pass(1s);
    world.table.expire_overdue();
    CHECK(world.table.count() == 2);
    world.pass(world.settings.keep_alive);
    world.table.expire_overdue();
    CHECK(world.table.count() == 0);
}

TEST_CASE("ConnectionTable: those whose bytes wait when their deadline has passed are served, not closed") {
    World world;
    const UniqueFd mute = world.come();
    const UniqueFd one = world.come(get);
    const UniqueFd other = world.come(get);
    world.receive(one);
    world.receive(other);
    world.pass(world.settings.keep_alive); // the worker is busy meanwhile
    world.send(one, get);
    world.send(other, get);
    SECTION("at once") {
        world.table.expire_overdue();
    }
    SECTION("one after the other where the app takes its time: first those that wait for the worker") {
        world.app = [](const cppcorn_request* request) {
            FakeClock::now += 100ms;
            return respond(request, "answer");
        };
        world.table.expire_overdue();
        CHECK(world.calls == 3);
        CHECK(world.table.due() <= FakeClock::now);
        world.serve_ready();
        world.table.expire_overdue();
    }
    CHECK(world.calls == 4);
    CHECK(world.table.count() == 2);
    CHECK(world.receive(mute).empty());
    CHECK(world.receive(one).substr(0, 15) == "HTTP/1.1 200 OK");
    CHECK(world.receive(other).substr(0, 15) == "HTTP/1.1 200 OK");
}

TEST_CASE("ConnectionTable: those with requests left wait for another turn, in order, whatever they send meanwhile") {
    World world;
    std::vector<std::string> served;
    world.app = [&](const cppcorn_request* request) {
        served.emplace_back(path_of(request));
        FakeClock::now += 50ms;
        return respond(request, "");
    };
    const auto ask = [](const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"; };
    UniqueFd one = world.come(ask("/1a") + ask("/1b") + ask("/1c"));
    const UniqueFd two = world.come(ask("/2a") + ask("/2b"));
    CHECK(world.table.waiting() == 2);
    world.send(two, ask("/2c"));
    world.serve_ready(); // it does not jump the queue
    CHECK(served == std::vector<std::string>{"/1a", "/2a"});
    SECTION("each once a turn") {
        world.table.serve_next_waiting();
        world.table.serve_next_waiting();
        CHECK(served == std::vector<std::string>{"/1a", "/2a", "/1b", "/2b"});
        CHECK(world.table.waiting() == 1);
        world.serve_ready();
        world.table.serve_next_waiting();
        CHECK(served == std::vector<std::string>{"/1a", "/2a", "/1b", "/2b", "/2c", "/1c"});
        CHECK(world.table.waiting() == 0);
    }
    SECTION("but one that is gone is passed over") {
        one.reset();
        world.table.serve_next_waiting(); // cannot be told anything: it is closed
        world.table.serve_next_waiting();
        CHECK(world.table.count() == 1);
        CHECK(world.table.waiting() == 0);
    }
}

TEST_CASE("ConnectionTable: when the worker retires, those that were idle for long go") {
    World world;
    const UniqueFd idle = world.come(get);
    world.pass(10s);
    const UniqueFd fresh = world.come(get);
    world.context.retire();
    world.table.retire();
    world.table.expire_overdue();
    CHECK(world.table.count() == 1);
    CHECK(world.table.due() == FakeClock::now + 1s);
    const UniqueFd late = world.come(); // was on its way
    CHECK(world.table.count() == 2);
    world.pass(1s);
    world.table.expire_overdue();
    CHECK(world.table.count() == 0);
}

TEST_CASE("ConnectionTable: deadlines of those that are gone are forgotten many at a time") {
    World world;
    const SteadyTime first = FakeClock::now + world.settings.header_timeout;
    world.come();
    world.serve_ready();
    CHECK(world.table.count() == 0);
    CHECK(world.table.due() == first); // not at each close, which would be a look at all of them
    world.pass(1s);
    for (int i = 0; i < 1023; ++i) {
        REQUIRE(world.table.due() == first);
        world.come();
        world.serve_ready();
    }
    CHECK(world.table.count() == 0);
    CHECK(world.table.due() == SteadyTime::max());
}
