#include "workers/exchange/exchange.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/unit/workers/exchange/one_exchange.hpp"

using namespace one_exchange;

// ---- The stages

TEST_CASE("Exchange: fresh until a request begins, which a line end does not") {
    World world;
    CHECK(world.feed("") == Stage::fresh);
    CHECK(world.feed("\r\n") == Stage::fresh);
    CHECK(world.feed("\r") == Stage::fresh);
    CHECK(world.feed("\nG") == Stage::head);
    CHECK(world.feed("ET / HTTP/1.1\r\nHost: a\r\n\r") == Stage::head);
    CHECK(world.feed("\n") == Stage::ready);
}

TEST_CASE("Exchange: from head to body, ready, answered, and fresh again") {
    World world;
    std::string body;
    world.app = [&](const cppcorn_request* request) {
        CHECK(request->content_length == 10);
        body = read_body(request).bytes;
        return respond(request, "answer");
    };
    CHECK(world.feed("POST / HT") == Stage::head);
    CHECK(world.feed("TP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n") == Stage::body);
    CHECK(world.feed("01234") == Stage::body);
    CHECK(world.exchange->body_received() == 5);
    CHECK(world.answer("56789GET") == Stage::answered);
    CHECK(body == "0123456789");
    CHECK(world.ending() == Ending::keep);
    CHECK(contains(world.queued(), "\r\n\r\nanswer"));
    world.exchange->next_request();
    CHECK(world.exchange->stage() == Stage::fresh);
    CHECK(world.feed(" / HTTP/1.1\r\nHost: a\r\n\r\n") == Stage::ready);
}

TEST_CASE("Exchange: the size of a chunked body is known once it has been gathered") {
    World world;
    world.settings.body_buffer = 10;
    std::int64_t size = 0;
    world.app = [&](const cppcorn_request* request) {
        size = request->content_length;
        return respond(request, "");
    };
    SECTION("small") {
        world.answer(post_chunked + chunk("12345") + "0\r\n\r\n");
        CHECK(size == 5);
    }
    SECTION("large") {
        world.answer(post_chunked + chunk("1234567890"));
        CHECK(size == -1);
    }
}

TEST_CASE("Exchange: refused in its first byte, its head or its body") {
    World world;
    int status = 400;
    SECTION("fresh") {
        CHECK(world.feed("\x16") == Stage::answered);
    }
    SECTION("head") {
        CHECK(world.feed("GET / HTTP/1.1\r\n") == Stage::head);
        CHECK(world.feed(" x") == Stage::answered);
    }
    SECTION("body") {
        CHECK(world.feed(post_chunked) == Stage::body);
        CHECK(world.feed("x") == Stage::answered);
    }
    SECTION("what a proxy says of it, whatever the client wants next") {
        world.peer.trusted = true;
        CHECK(world.feed("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-Proto: https\r\n"
                         "X-Forwarded-Ssl: off\r\n\r\n") == Stage::answered);
    }
    SECTION("announces a body over the limit") {
        world.settings.limits.body = 9;
        status = 413;
        CHECK(world.feed(post(10)) == Stage::answered);
    }
    SECTION("sends a body over the limit") {
        world.settings.limits.body = 9;
        status = 413;
        CHECK(world.feed(post_chunked + chunk("12345")) == Stage::body);
        CHECK(world.feed("5\r\n") == Stage::answered);
    }
    CHECK(world.ending() == Ending::linger);
    CHECK(world.calls == 0);
    const std::string queued = world.queued();
    CHECK(status_of(queued) == status);
    CHECK(contains(queued, "Connection: close\r\n"));
}

TEST_CASE("Exchange: a large body is the app's to read, and what it leaves is drained") {
    World world;
    world.settings.body_buffer = 10;
    world.app = [&](const cppcorn_request* request) {
        CHECK(read_body(request, 5).bytes == "12345");
        return respond(request, "answer");
    };
    CHECK(world.feed(post(100) + "123456789") == Stage::body);
    CHECK(world.answer("0") == Stage::draining);
    CHECK(world.ending() == Ending::keep);
    CHECK(world.feed(std::string(89, 'x')) == Stage::draining);
    CHECK(world.feed("xGET") == Stage::answered);
    CHECK(world.ending() == Ending::keep);
    CHECK(world.exchange->input().unconsumed() == "GET");
    CHECK(contains(world.queued(), "200 OK"));
    CHECK(world.calls == 1);
}

// ---- Drained, but not without bounds

TEST_CASE("Exchange: of a counted body, 256 KiB are drained, and with one byte more nothing is") {
    World world;
    world.settings.body_buffer = 10;
    SECTION("256 KiB") {
        CHECK(world.answer(post(10 + drain_size) + "1234567890") == Stage::draining);
        CHECK(world.feed(std::string(drain_size - 1, 'x')) == Stage::draining);
        CHECK(world.feed("x") == Stage::answered);
        CHECK(world.ending() == Ending::keep);
    }
    SECTION("one more") {
        CHECK(world.answer(post(11 + drain_size) + "1234567890") == Stage::answered);
        CHECK(world.ending() == Ending::linger);
    }
}

TEST_CASE("Exchange: of a chunked body, 256 KiB are drained and not a byte more") {
    World world;
    world.settings.body_buffer = 10;
    CHECK(world.answer(post_chunked + chunk("1234567890")) == Stage::draining);
    CHECK(world.feed(chunk(std::string(drain_size - 1, 'x'))) == Stage::draining);
    SECTION("256 KiB") {
        CHECK(world.feed(chunk("x")) == Stage::draining);
        SECTION("and the end") {
            CHECK(world.feed("0\r\n\r\n") == Stage::answered);
            CHECK(world.ending() == Ending::keep);
        }
        SECTION("and one more") {
            CHECK(world.feed(chunk("x")) == Stage::answered);
            CHECK(world.ending() == Ending::linger);
        }
    }
    SECTION("one more, the end with it") {
        CHECK(world.feed(chunk("xx") + "0\r\n\r\n") == Stage::answered);
        CHECK(world.ending() == Ending::linger);
    }
}

TEST_CASE("Exchange: a body that is broken where it is drained ends the connection, and has no second answer") {
    World world;
    world.settings.body_buffer = 10;
    CHECK(world.answer(post_chunked + chunk("1234567890")) == Stage::draining);
    CHECK(world.feed("x") == Stage::answered);
    CHECK(world.ending() == Ending::linger);
    const std::string queued = world.queued();
    CHECK(contains(queued, "200 OK"));
    CHECK_FALSE(contains(queued, "400"));
}
