// A worker with one client in memory, and the worker's loop, for tests of connections.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/workers/exchange/test_worker.hpp"
#include "workers/connection/connection.hpp"

namespace one_client {

using namespace cppcorn;
using namespace std::chrono_literals;
using Wants = Connection::Wants;

struct World : TestWorker {
    World() {
        app = [](const cppcorn_request* request) { return respond(request, path_of(request)); };
        stream.set_capacity(10'000'000);
    }

    MemoryStream stream;
    QuickRequests quick;
    std::optional<Connection> connection;
    Wants wants = Wants::to_read;

    Turn turn() { return {stream, context, pool, quick}; }
    bool is_open() const { return wants != Wants::to_close; }

    // The client has just come.
    void come() {
        connection.emplace(peer, context.settings, context.now());
        wants = connection->serve(turn());
    }
    // As long as the stream is ready for what the connection wants.
    void run() {
        if (!connection) return come();
        while (is_open() && is_ready()) wants = connection->serve(turn());
    }
    void send(std::string_view bytes) {
        stream.send(bytes);
        run();
    }
    std::string receive(std::size_t most = SIZE_MAX) {
        std::string bytes = stream.receive(most);
        if (connection) run();
        return bytes;
    }
    // Time passes, the deadline with it if it comes.
    void wait(Milliseconds time) {
        pass(time);
        while (is_open() && FakeClock::now >= connection->deadline()) wants = connection->overdue(turn());
    }
    void retire() {
        context.retire();
        wants = connection->retire(turn());
        wait(0ms); // it may be overdue
    }
    Milliseconds time_left() const {
        return std::chrono::duration_cast<Milliseconds>(connection->deadline() - FakeClock::now);
    }

  private:
    bool is_ready() const {
        if (wants == Wants::to_go_on) return true;
        return stream.is_ready(wants == Wants::to_write ? Stream::Interest::to_write : Stream::Interest::to_read);
    }
};

inline std::string get(std::string_view path, std::string_view fields = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

inline const std::string post_head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n";

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// The statuses in what has arrived, in order.
inline std::vector<int> statuses(const std::string& received) {
    std::vector<int> found;
    for (auto at = received.find("HTTP/1.1 "); at != std::string::npos; at = received.find("HTTP/1.1 ", at + 1)) {
        found.push_back(std::stoi(received.substr(at + 9, 3)));
    }
    return found;
}

using Statuses = std::vector<int>;

// For a test of each place where bytes can be split.
inline void send_split(World& world, const std::string& bytes, std::size_t at) {
    world.send(bytes.substr(0, at));
    world.send(bytes.substr(at));
}

} // namespace one_client
