// A worker with one exchange, for tests that are the connection around it.
#pragma once

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "tests/catch.hpp"
#include "tests/unit/workers/exchange/test_worker.hpp"
#include "workers/exchange/exchange.hpp"

namespace one_exchange {

using namespace cppcorn;

inline constexpr std::size_t drain_size = 256 * 1024;

// Of the first answer.
inline int status_of(const std::string& answers) {
    return answers.size() < 12 ? 0 : std::stoi(answers.substr(9, 3));
}

struct World : TestWorker {
    World() {
        app = [](const cppcorn_request* request) { return respond(request, "answer"); };
    }

    MemoryStream stream;
    std::unique_ptr<Exchange> exchange;

    // Bytes that the connection has read.
    Stage feed(std::string_view bytes) {
        if (!exchange) exchange = pool.take();
        const auto room = exchange->input().room(bytes.size() + 1); // a place even for none
        std::memcpy(room.data, bytes.data(), bytes.size());
        exchange->input().commit(bytes.size());
        return exchange->advance(peer, context);
    }

    // Feeds a request that the app can be called with, and calls it.
    Stage answer(std::string_view bytes) {
        REQUIRE(feed(bytes) == Stage::ready);
        exchange->run_app(stream, peer, context);
        return exchange->stage();
    }
    Ending ending() const { return exchange->ending(); }

    std::string queued() {
        MemoryStream client;
        client.set_capacity(SIZE_MAX);
        CHECK(exchange->output().flush(client) == OutputQueue::Result::drained);
        return client.receive();
    }
    int status() { return status_of(queued()); }
};

inline std::string post(std::size_t length, std::string_view fields = "") {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "Content-Length: " + std::to_string(length) +
           "\r\n\r\n";
}

inline std::string chunk(std::string_view data) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    return size + std::string(data) + "\r\n";
}

inline const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
inline const std::string get_and_close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
inline const std::string post_chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
inline const std::string hundred_continue = "HTTP/1.1 100 Continue\r\n\r\n";

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

} // namespace one_exchange
