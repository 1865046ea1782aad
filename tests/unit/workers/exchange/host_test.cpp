// What the host table has since ABI 1.1.
#include <string>
#include <string_view>

#include "tests/catch.hpp"
#include "tests/unit/log_text.hpp"
#include "tests/unit/workers/exchange/one_exchange.hpp"
#include "workers/exchange/exchange.hpp"

using namespace one_exchange;

namespace {

int start_with_reason(const cppcorn_request* request, int status, std::string_view reason) {
    const cppcorn_field length{{"Content-Length", 14}, {"2", 1}};
    return host_table().start_with_reason(request, status, reason.data(), reason.size(), &length, 1);
}

int hint(const cppcorn_request* request, std::string_view name, std::string_view value) {
    const cppcorn_field field{{name.data(), name.size()}, {value.data(), value.size()}};
    return host_table().early_hints(request, &field, 1);
}

} // namespace

TEST_CASE("host: the reason phrase is the app's, or the usual one") {
    World world;
    int result = 0;
    const auto answer_with = [&](int status, std::string_view reason) {
        world.app = [&result, status, reason](const cppcorn_request* request) {
            result = start_with_reason(request, status, reason);
            return result != 0 ? result : write(request, "ok");
        };
        world.answer(get);
        const std::string answer = world.queued();
        return answer.substr(0, answer.find("\r\n"));
    };
    SECTION("its own") {
        CHECK(answer_with(404, "Nicht da") == "HTTP/1.1 404 Nicht da");
    }
    SECTION("its own of a 200") {
        CHECK(answer_with(200, "Fine") == "HTTP/1.1 200 Fine");
    }
    SECTION("none") {
        CHECK(answer_with(404, "") == "HTTP/1.1 404 Not Found");
    }
    SECTION("one that would end the line is refused, and nothing has begun") {
        CHECK(answer_with(200, "OK\r\nX: y").find("HTTP/1.1 500 ") == 0);
        CHECK(result == -EINVAL);
    }
}

TEST_CASE("host: a finished response is out before the app returns, and nothing can be added") {
    World world;
    world.app = [&](const cppcorn_request* request) {
        CHECK(host_table().finish(request) == -EPROTO);
        begin(request, 200, std::nullopt);
        write(request, "answer");
        CHECK(host_table().finish(request) == 0);
        CHECK(contains(world.stream.arrived(), "6\r\nanswer\r\n0\r\n\r\n"));
        CHECK(host_table().finish(request) == 0);
        CHECK(write(request, "more") == -EPROTO);
        CHECK(host_table().send_file(request, 0, 0, 1) == -EPROTO);
        return 0;
    };
    world.answer(get);
    CHECK(world.ending() == Ending::keep);
    CHECK(world.queued().empty());
}

TEST_CASE("host: a failure behind a finished response cuts nothing") {
    World world;
    world.app = [](const cppcorn_request* request) {
        respond(request, "answer");
        host_table().finish(request);
        return host_table().fail(request, "close() raised", 14);
    };
    world.answer(get);
    CHECK(world.ending() == Ending::keep);
}

TEST_CASE("host: a response that is finished too early is cut") {
    World world;
    world.app = [](const cppcorn_request* request) {
        begin(request, 200, 10);
        write(request, "short");
        CHECK(host_table().finish(request) == -EBADMSG);
        return 0;
    };
    world.answer(get);
    CHECK(world.ending() == Ending::close);
}

TEST_CASE("host: whether the client is gone") {
    World world;
    int before = -1;
    int after = -1;
    world.app = [&](const cppcorn_request* request) {
        before = host_table().client_gone(request);
        world.stream.close();
        after = host_table().client_gone(request);
        return respond(request, "answer");
    };
    world.answer(get);
    CHECK(before == 0);
    CHECK(after == 1);
}

TEST_CASE("host: early hints") {
    World world;
    SECTION("are sent at once, before the response") {
        world.app = [&](const cppcorn_request* request) {
            CHECK(hint(request, "Link", "</a.css>; rel=preload") == 0);
            CHECK(world.stream.arrived() == "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
            respond(request, "answer");
            CHECK(hint(request, "Link", "</b.css>") == -EALREADY);
            return 0;
        };
        world.answer(get);
        CHECK(world.status() == 200);
    }
    SECTION("of fields that cannot be sent are refused; those about the body are left out") {
        world.app = [&](const cppcorn_request* request) {
            CHECK(hint(request, "Link", "a\r\nb") == -EINVAL);
            CHECK(hint(request, "Content-Length", "5") == 0);
            return respond(request, "answer");
        };
        world.answer(get);
        CHECK(world.stream.arrived() == "HTTP/1.1 103 Early Hints\r\n\r\n");
    }
    SECTION("are nothing to a client of HTTP/1.0") {
        world.app = [&](const cppcorn_request* request) {
            CHECK(hint(request, "Link", "</a.css>") == 0);
            return respond(request, "answer");
        };
        world.answer("GET / HTTP/1.0\r\n\r\n");
        CHECK(world.stream.arrived().empty());
    }
}

TEST_CASE("host: text for people is one record, in its own alphabet") {
    World world;
    const auto logged = [&](std::string_view text, bool of_request) {
        world.app = [text, of_request](const cppcorn_request* request) {
            host_table().log_text(of_request ? request : nullptr, CPPCORN_LOG_ERROR, text.data(), text.size());
            return respond(request, "answer");
        };
        const LogText log;
        world.answer(get);
        return log.text();
    };
    SECTION("lines") {
        CHECK(logged("Gr\u00fc\u00dfe\n\tat x\n\n", false) == "error Gr\u00fc\u00dfe\n\tat x\n");
    }
    SECTION("its request") {
        CHECK(logged("one\ntwo", true) == "error one (GET /)\ntwo\n");
    }
    SECTION("what is not for terminals") {
        CHECK(logged("\x1b[1m \xff \u0085\r.", false) == "error \\x1b[1m \\xff \\xc2\\x85\\x0d.\n");
    }
}

TEST_CASE("host: the bridge's table is there once it is offered") {
    CHECK(host_table().extension(CPPCORN_BRIDGE_EXTENSION) == nullptr);
    const cppcorn_bridge bridge{};
    offer_bridge(&bridge);
    CHECK(host_table().extension(CPPCORN_BRIDGE_EXTENSION) == &bridge);
    CHECK(host_table().extension("cppcorn.bridge/2") == nullptr);
    offer_bridge(nullptr);
}
