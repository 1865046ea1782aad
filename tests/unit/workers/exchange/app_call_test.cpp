#include "workers/exchange/app_call.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/unit/workers/exchange/one_exchange.hpp"

using namespace one_exchange;

namespace {

// The app reads all that it can of a chunked body, and leaves the answer to us.
std::int64_t read_only(World& world) {
    world.settings.body_buffer = 10;
    std::int64_t error = 0;
    world.app = [&](const cppcorn_request* request) {
        error = read_body(request).error;
        CHECK(read_body(request).error == error); // for good
        return 0;
    };
    world.answer(post_chunked + chunk("1234567890"));
    return error;
}

} // namespace

TEST_CASE("Exchange: a body that grows over the limit while the app reads it gets a 413") {
    World world;
    world.settings.limits.body = 19;
    world.stream.send(chunk("1234567890"));
    CHECK(read_only(world) == -EFBIG);
    CHECK(world.status() == 413);
    CHECK(world.ending() == Ending::linger);
}

TEST_CASE("Exchange: a body that is broken where the app reads it gets a 400") {
    World world;
    world.stream.send("x");
    CHECK(read_only(world) == -EBADMSG);
    CHECK(world.status() == 400);
    CHECK(world.ending() == Ending::linger);
}

TEST_CASE("Exchange: a client that leaves in the middle of its body is answered nothing") {
    World world;
    SECTION("closes") {
        world.stream.close();
    }
    SECTION("resets") {
        world.stream.vanish();
    }
    CHECK(read_only(world) == -ECONNRESET);
    CHECK(world.exchange->output().empty());
    CHECK(world.ending() == Ending::close);
}

TEST_CASE("Exchange: a client that keeps the app waiting for the body gets a 408") {
    World world;
    world.stream.while_waiting = [&](SteadyTime deadline) {
        FakeClock::now = deadline;
        return false;
    };
    const SteadyTime begin = FakeClock::now;
    SECTION("after the body's timeout") {
        world.settings.timeout = Milliseconds(0);
        CHECK(read_only(world) == -ETIMEDOUT);
        CHECK(FakeClock::now == begin + world.settings.body_timeout);
    }
    SECTION("a moment before an app of that kind would be taken for stuck") {
        world.settings.timeout = Milliseconds(20'000);
        CHECK(read_only(world) == -ETIMEDOUT);
        CHECK(FakeClock::now == begin + Milliseconds(19'000));
    }
    CHECK(world.status() == 408);
    CHECK(world.ending() == Ending::linger);
}

TEST_CASE("Exchange: the time that an app waits for its client is not the app's") {
    World world;
    world.settings.timeout = Milliseconds(20'000);
    int seconds = 0;
    world.stream.while_waiting = [&](SteadyTime deadline) {
        FakeClock::now += std::chrono::seconds(1);
        CHECK(deadline <= FakeClock::now);
        world.stream.send(++seconds == 100 ? "0\r\n\r\n" : chunk(std::string(1200, 'x')));
        return true;
    };
    const SteadyTime begin = FakeClock::now;
    world.app = [&](const cppcorn_request* request) {
        FakeClock::now += std::chrono::seconds(5);
        CHECK(read_body(request).error == 0);
        CHECK(world.context.slot.deadline() == begin + Milliseconds(120'000));
        return respond(request, "answer");
    };
    world.feed(post_chunked + chunk(std::string(70'000, 'x')));
    world.exchange->run_app(world.stream, world.peer, world.context);
    CHECK(seconds == 100);
    CHECK(world.status() == 200);
}

TEST_CASE("Exchange: bytes now and then do not give a body more time, 1 KiB a second does") {
    World world;
    world.settings.timeout = Milliseconds(0);
    world.settings.body_timeout = Milliseconds(10'000);
    std::size_t a_second = 0;
    int seconds = 0;
    world.stream.while_waiting = [&](SteadyTime) {
        FakeClock::now += std::chrono::seconds(1);
        if (++seconds == 100) {
            world.stream.send("0\r\n\r\n");
        } else {
            world.stream.send(chunk(std::string(a_second, 'x')));
        }
        return true;
    };
    SECTION("1 byte a second") {
        a_second = 1;
        CHECK(read_only(world) == -ETIMEDOUT);
        CHECK(seconds == 10);
    }
    SECTION("a little over 1 KiB a second") {
        a_second = 1200;
        CHECK(read_only(world) == 0);
        CHECK(seconds == 100);
    }
}

TEST_CASE("Exchange: an app that writes faster than the client reads waits, and gives it up in the end") {
    World world;
    world.settings.timeout = Milliseconds(0);
    world.stream.set_capacity(1000);
    const std::string piece(100'000, 'x');
    int error = 0;
    int pieces = 0;
    world.app = [&](const cppcorn_request* request) {
        begin(request, 200, 20 * piece.size());
        while (pieces < 20 && error == 0) {
            error = write(request, piece);
            if (error == 0) ++pieces;
            CHECK(world.exchange->output().waiting_bytes() < ResponseStream::high_water + piece.size());
        }
        return 0;
    };
    SECTION("a client that takes its time") {
        world.stream.while_waiting = [&](SteadyTime deadline) {
            CHECK(deadline == FakeClock::now + world.settings.write_timeout);
            world.stream.receive();
            return true;
        };
        world.answer(get);
        CHECK(error == 0);
        CHECK(pieces == 20);
        CHECK(world.ending() == Ending::keep);
    }
    SECTION("one that reads nothing") {
        world.answer(get);
        CHECK(error == -ETIMEDOUT);
        CHECK(pieces < 5);
        CHECK(world.ending() == Ending::close);
    }
    SECTION("one that leaves") {
        world.stream.while_waiting = [&](SteadyTime) {
            world.stream.vanish();
            return true;
        };
        world.answer(get);
        CHECK(error == -EPIPE);
        CHECK(world.ending() == Ending::close);
    }
}

TEST_CASE("Exchange: the time that the app takes is not the client's") {
    World world;
    world.settings.timeout = Milliseconds(0);
    world.settings.body_timeout = Milliseconds(10'000);
    world.settings.body_buffer = 10;
    const auto is_late = [](Milliseconds took) {
        FakeClock::now += took;
        return false;
    };
    std::vector<Milliseconds> waited;
    std::function<bool()> client_goes_on;
    world.stream.while_waiting = [&](SteadyTime deadline) {
        const auto left = std::chrono::duration_cast<Milliseconds>(deadline - FakeClock::now);
        waited.push_back(left);
        return client_goes_on() || is_late(left);
    };
    std::int64_t error = 0;
    world.app = [&](const cppcorn_request* request) {
        FakeClock::now += std::chrono::seconds(30);
        read_body(request, 15);
        FakeClock::now += std::chrono::seconds(30);
        error = read_body(request).error;
        return 0;
    };
    SECTION("who sends each time that the app reads is in time") {
        client_goes_on = [&] {
            FakeClock::now += std::chrono::seconds(4);
            world.stream.send("12345");
            return true;
        };
        world.answer(post(20) + "1234567890");
        CHECK(error == 0);
        CHECK(waited == std::vector<Milliseconds>{Milliseconds(10'000), Milliseconds(6'000)});
    }
    SECTION("who does not is late after the timeout") {
        client_goes_on = [] { return false; };
        world.answer(post(20) + "1234567890");
        CHECK(error == -ETIMEDOUT);
        CHECK(waited == std::vector<Milliseconds>{Milliseconds(10'000)});
        CHECK(world.status() == 408);
    }
    SECTION("who is told to continue only then has its time from there") {
        client_goes_on = [&] {
            CHECK(contains(world.stream.receive(), "100 Continue"));
            world.stream.send("12345678901234567890");
            return true;
        };
        world.answer(post(20, "Expect: 100-continue\r\n"));
        CHECK(error == 0);
        CHECK(waited == std::vector<Milliseconds>{Milliseconds(10'000)});
    }
}

TEST_CASE("Exchange: a client that takes 1 KiB a second of what the app writes is not given up, a slower one is") {
    World world;
    world.settings.timeout = Milliseconds(0);
    world.settings.write_timeout = Milliseconds(10'000);
    world.stream.set_capacity(1000);
    std::size_t a_second = 0;
    int seconds = 0;
    world.stream.while_waiting = [&](SteadyTime) {
        FakeClock::now += std::chrono::seconds(1);
        ++seconds;
        world.stream.receive(a_second);
        return true;
    };
    int error = 0;
    world.app = [&](const cppcorn_request* request) {
        begin(request, 200, 410'000);
        error = write(request, std::string(400'000, 'x'));                // is kept as a whole
        if (error == 0) error = write(request, std::string(10'000, 'x')); // waits for its room
        return 0;
    };
    SECTION("a little over 1 KiB") {
        a_second = 1200;
        world.stream.set_capacity(1200);
        world.answer(get);
        CHECK(error == 0);
        CHECK(seconds > 100);
    }
    SECTION("less") {
        a_second = 900;
        world.answer(get);
        CHECK(error == -ETIMEDOUT);
        CHECK(seconds == 10);
        CHECK(world.ending() == Ending::close);
    }
}

TEST_CASE("Exchange: cleared in whatever stage, it serves another client as a new one does") {
    World world;
    world.settings.body_buffer = 10;
    SECTION("fresh, with a line end") {
        world.feed("\r\n");
    }
    SECTION("head") {
        world.feed("POST /x");
    }
    SECTION("body") {
        world.feed(post(10) + "123");
    }
    SECTION("draining") {
        world.answer(post(100) + "1234567890");
    }
    SECTION("refused") {
        world.feed("\x16");
    }
    world.exchange->clear();
    CHECK(world.exchange->stage() == Stage::fresh);
    CHECK(world.exchange->output().empty());
    CHECK(world.answer(get) == Stage::answered);
    CHECK(world.ending() == Ending::keep);
    CHECK(world.status() == 200);
}
