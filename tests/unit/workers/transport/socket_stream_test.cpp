#include "workers/transport/socket_stream.hpp"

#include <cstdint>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>

#include "tests/catch.hpp"
#include "tests/unit/workers/transport/descriptors.hpp"

using namespace cppcorn;
using Interest = Stream::Interest;

namespace {

// The two ends of one connection.
struct Pair {
    explicit Pair(bool use_sendfile = true) : Pair(make(), use_sendfile) {}
    SocketStream stream;
    UniqueFd client;

    std::string receive() {
        std::string bytes(1 << 20, '\0');
        const ssize_t got = ::recv(client.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }

    // Until the client's side is full.
    void fill() {
        while (stream.write(std::string(10'000, 'f'), {}) > 0) continue;
    }

  private:
    struct Ends {
        int server;
        int client;
    };
    static Ends make() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        return {ends[0], ends[1]};
    }
    Pair(Ends ends, bool use_sendfile) : stream(UniqueFd(ends.server), use_sendfile), client(ends.client) {}
};

std::int64_t send_all(SocketStream& stream, int file, std::int64_t offset, std::size_t size) {
    const auto sent = stream.send_file(file, offset, size);
    REQUIRE(sent != -EAGAIN);
    return sent;
}

} // namespace

TEST_CASE("SocketStream: reads what has come, then nothing, then the end") {
    Pair pair;
    char buffer[4];
    CHECK(pair.stream.read(buffer, sizeof buffer) == -EAGAIN);
    REQUIRE(::send(pair.client.get(), "hello", 5, 0) == 5);
    CHECK(pair.stream.read(buffer, sizeof buffer) == 4);
    CHECK(std::string(buffer, 4) == "hell");
    CHECK(pair.stream.read(buffer, sizeof buffer) == 1);
    CHECK(pair.stream.read(buffer, sizeof buffer) == -EAGAIN);
    pair.client.reset();
    CHECK(pair.stream.read(buffer, sizeof buffer) == 0);
}

TEST_CASE("SocketStream: writes one part or two, and tells a full socket from a client that is gone") {
    Pair pair;
    CHECK(pair.stream.write("one", {}) == 3);
    CHECK(pair.stream.write("two", "three") == 8);
    CHECK(pair.receive() == "onetwothree");
    pair.fill();
    CHECK(pair.stream.write("x", {}) == -EAGAIN);
    CHECK(pair.stream.write("x", "y") == -EAGAIN);
    pair.client.reset();
    CHECK(pair.stream.write("x", {}) == -EPIPE); // and no SIGPIPE
    CHECK(pair.stream.write("x", "y") == -EPIPE);
}

TEST_CASE("SocketStream: sends parts of files") {
    const bool use_sendfile = GENERATE(true, false);
    Pair pair(use_sendfile);
    const UniqueFd file = file_of("0123456789");
    CHECK(send_all(pair.stream, file.get(), 3, 4) == 4);
    CHECK(pair.receive() == "3456");
    CHECK(send_all(pair.stream, file.get(), 8, 100) == 2);
    CHECK(pair.receive() == "89");
    CHECK(send_all(pair.stream, file.get(), 10, 1) == 0);
    pair.fill();
    CHECK(pair.stream.send_file(file.get(), 0, 5) == -EAGAIN);
    CHECK(pair.stream.send_file(-1, 0, 5) < 0);
    CHECK(pair.stream.send_file(-1, 0, 5) != -EAGAIN); // nothing to wait for
}

TEST_CASE("SocketStream: a file that sendfile does not serve is copied") {
    Pair pair;
    const UniqueFd file(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
    REQUIRE(file.is_open());
    CHECK(send_all(pair.stream, file.get(), 0, 3) == 3);
    CHECK(pair.receive().size() == 3);
}

TEST_CASE("SocketStream: after close_write the client reads the end, and can still be read") {
    Pair pair;
    pair.stream.write("last", {});
    pair.stream.close_write();
    char buffer[10];
    CHECK(::recv(pair.client.get(), buffer, sizeof buffer, 0) == 4);
    CHECK(::recv(pair.client.get(), buffer, sizeof buffer, 0) == 0);
    REQUIRE(::send(pair.client.get(), "late", 4, 0) == 4);
    CHECK(pair.stream.read(buffer, sizeof buffer) == 4);
}

TEST_CASE("SocketStream: waits for what it is asked to wait for, or the deadline") {
    Pair pair;
    const SteadyTime past = SteadyClock::now();
    const SteadyTime far = past + std::chrono::hours(1);
    CHECK_FALSE(pair.stream.wait_until(Interest::to_read, past));
    const SteadyTime soon = SteadyClock::now() + Milliseconds(2);
    CHECK_FALSE(pair.stream.wait_until(Interest::to_read, soon));
    CHECK(SteadyClock::now() >= soon);
    CHECK(pair.stream.wait_until(Interest::to_write, far));
    CHECK(pair.stream.wait_until(Interest::either, SteadyTime::max()));
    pair.fill();
    CHECK_FALSE(pair.stream.wait_until(Interest::to_write, past));
    CHECK_FALSE(pair.stream.wait_until(Interest::either, past));
    REQUIRE(::send(pair.client.get(), "x", 1, 0) == 1);
    CHECK(pair.stream.wait_until(Interest::to_read, far));
    CHECK(pair.stream.wait_until(Interest::either, far));
    CHECK_FALSE(pair.stream.wait_until(Interest::to_write, past));
    pair.client.reset();
    CHECK(pair.stream.wait_until(Interest::to_write, far)); // to be told that it is gone
}
