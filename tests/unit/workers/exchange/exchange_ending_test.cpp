#include <string>

#include "tests/catch.hpp"
#include "tests/unit/workers/exchange/one_exchange.hpp"
#include "workers/exchange/exchange.hpp"

using namespace one_exchange;

// ---- The ending

TEST_CASE("Exchange: behind a whole answer") {
    World world;
    SECTION("the connection is kept") {
        world.answer(get);
        CHECK(world.ending() == Ending::keep);
    }
    SECTION("a client that asked for the end, and has nothing more to say, is taken at its word") {
        world.answer(get_and_close);
        CHECK(world.ending() == Ending::close);
    }
    SECTION("it may still be sending if there was a body") {
        world.answer(post(1, "Connection: close\r\n") + "x");
        CHECK(world.ending() == Ending::linger);
    }
    SECTION("or something is here behind the request") {
        world.answer(get_and_close + "\r\n");
        CHECK(world.ending() == Ending::linger);
    }
    SECTION("or we end the connection, and it does not know: without keep-alive") {
        world.settings.keep_alive = Milliseconds(0);
        world.answer(get);
        CHECK(world.ending() == Ending::linger);
    }
    SECTION("or because the worker is retiring, even if only since the app was called") {
        world.app = [&](const cppcorn_request* request) {
            world.context.retire();
            return respond(request, "answer");
        };
        world.answer(get);
        CHECK(world.ending() == Ending::linger);
        CHECK(contains(world.queued(), "Connection: close\r\n"));
    }
    SECTION("or because the master has asked for its end since the app was called") {
        const auto order = GENERATE(WorkerOrder::retire, WorkerOrder::exit);
        world.app = [&](const cppcorn_request* request) {
            world.context.slot.orders().give(order);
            return respond(request, "answer");
        };
        world.answer(get);
        CHECK(world.ending() == Ending::linger);
        CHECK(contains(world.queued(), "Connection: close\r\n"));
    }
    SECTION("or it has HTTP/1.0, and the end of the body is the connection's") {
        world.app = [](const cppcorn_request* request) {
            begin(request, 200, std::nullopt);
            return write(request, "answer");
        };
        world.answer("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        CHECK(world.ending() == Ending::linger);
    }
    CHECK(world.exchange->stage() == Stage::answered);
}

TEST_CASE("Exchange: behind an answer that is cut") {
    World world;
    SECTION("the client sees that it is by its length: a plain close") {
        world.app = [](const cppcorn_request* request) {
            begin(request, 200, 10);
            return write(request, "short");
        };
        world.answer(get);
        CHECK(world.ending() == Ending::close);
    }
    SECTION("or by the missing last chunk") {
        world.app = [](const cppcorn_request* request) {
            begin(request, 200, std::nullopt);
            write(request, "some");
            return host_table().fail(request, "reason", 6);
        };
        world.answer(get);
        CHECK(world.ending() == Ending::close);
        CHECK_FALSE(contains(world.queued(), "\r\n0\r\n\r\n"));
    }
    SECTION("or could not see it: a reset") {
        world.app = [](const cppcorn_request* request) {
            begin(request, 200, std::nullopt);
            write(request, "some");
            return -1;
        };
        world.answer("GET / HTTP/1.0\r\n\r\n");
        CHECK(world.ending() == Ending::reset);
    }
    CHECK(world.exchange->stage() == Stage::answered);
}

// ---- Answers in the app's place

TEST_CASE("Exchange: an app that fails before it has begun gets a 500, and the connection is kept") {
    World world;
    SECTION("returns an error") {
        world.app = [](const cppcorn_request*) { return 1; };
    }
    SECTION("returns without a response") {
        world.app = [](const cppcorn_request*) { return 0; };
    }
    SECTION("says so") {
        world.app = [](const cppcorn_request* request) { return host_table().fail(request, "reason", 6); };
    }
    SECTION("begins with what cannot be sent") {
        world.app = [](const cppcorn_request* request) { return begin(request, 99, 0) == -EINVAL ? 0 : 1; };
    }
    CHECK(world.answer(get) == Stage::answered);
    CHECK(world.ending() == Ending::keep);
    CHECK(world.status() == 500);
}

TEST_CASE("Exchange: a call that breaks off half-way cuts the answer") {
    World world;
    world.app = [&](const cppcorn_request*) {
        world.exchange->break_off(-ENOMEM);
        return 0;
    };
    world.answer(get);
    CHECK(world.ending() == Ending::close);
    CHECK(world.exchange->output().empty());
}

TEST_CASE("Exchange: a response is begun once, and written to once it is begun") {
    World world;
    world.app = [](const cppcorn_request* request) {
        CHECK(write(request, "x") == -EPROTO);
        CHECK(host_table().send_file(request, 0, 0, 1) == -EPROTO);
        CHECK(host_table().flush(request) == 0);
        CHECK(begin(request, 200, 6) == 0);
        CHECK(begin(request, 200, 6) == -EALREADY);
        CHECK(host_table().send_file(request, 0, -1, 1) == -EINVAL);
        CHECK(host_table().send_file(request, 0, 0, -1) == -EINVAL);
        CHECK(host_table().send_file(request, -1, 0, 1) == -EBADF);
        CHECK(write(request, "answer and more") == -EMSGSIZE);
        return 0;
    };
    world.answer(get);
    CHECK(world.ending() == Ending::keep);
    const std::string queued = world.queued();
    CHECK(queued.substr(queued.find("\r\n\r\n")) == "\r\n\r\nanswer");
}

// ---- Expect: 100-continue

TEST_CASE("Exchange: a client with a small body is told to continue as soon as its head is here") {
    World world;
    world.app = [](const cppcorn_request* request) { return respond(request, read_body(request).bytes); };
    const std::string head = post(5, "Expect: 100-continue\r\n");
    SECTION("once") {
        CHECK(world.feed(head) == Stage::body);
        CHECK(world.queued() == hundred_continue);
        CHECK(world.answer("12345") == Stage::answered);
    }
    SECTION("not if the body comes already") {
        CHECK(world.feed(head + "1") == Stage::body);
        CHECK(world.exchange->output().empty());
        CHECK(world.answer("2345") == Stage::answered);
    }
    CHECK(world.ending() == Ending::keep);
    CHECK(world.queued().substr(0, 15) == "HTTP/1.1 200 OK");
}

TEST_CASE("Exchange: a client with a large body is told to continue when the app reads it") {
    World world;
    world.settings.body_buffer = 4;
    const std::string head = post(5, "Expect: 100-continue\r\n");
    SECTION("the app reads") {
        world.stream.while_waiting = [&](SteadyTime) {
            CHECK(world.stream.receive() == hundred_continue);
            world.stream.send("12345");
            return true;
        };
        world.app = [](const cppcorn_request* request) { return respond(request, read_body(request).bytes); };
        CHECK(world.answer(head) == Stage::answered);
        CHECK(world.ending() == Ending::keep);
        CHECK(contains(world.queued(), "\r\n\r\n12345"));
    }
    SECTION("the app does not: nobody knows what comes next on the connection") {
        CHECK(world.answer(head) == Stage::answered);
        CHECK(world.ending() == Ending::linger);
        const std::string queued = world.queued();
        CHECK_FALSE(contains(queued, hundred_continue));
        CHECK(contains(queued, "Connection: close\r\n"));
    }
    SECTION("the app reads once it has begun to answer: too late to be told") {
        world.stream.while_waiting = [&](SteadyTime) {
            world.stream.send("12345");
            return true;
        };
        world.app = [](const cppcorn_request* request) {
            begin(request, 200, 5);
            return write(request, read_body(request).bytes);
        };
        world.answer(head);
        CHECK(world.ending() == Ending::linger);
        CHECK_FALSE(contains(world.stream.receive() + world.queued(), hundred_continue));
    }
}
