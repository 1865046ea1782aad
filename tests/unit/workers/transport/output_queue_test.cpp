#include "workers/transport/output_queue.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/memory_stream.hpp"
#include "tests/unit/workers/transport/descriptors.hpp"

using namespace cppcorn;
using Result = OutputQueue::Result;

namespace {

// Takes so much of each write, and remembers where the bytes of the second part were.
class PickyStream final : public Stream {
  public:
    explicit PickyStream(std::size_t most) : most_(most) {}

    std::string taken;
    std::vector<const char*> seconds;

    std::int64_t write(std::string_view first, std::string_view second) override {
        seconds.push_back(second.data());
        const std::string both = std::string(first) + std::string(second);
        taken += both.substr(0, most_);
        return static_cast<std::int64_t>(std::min(most_, both.size()));
    }
    std::int64_t send_file(int file, std::int64_t offset, std::size_t size) override {
        std::string bytes(std::min(most_, size), '\0');
        const ssize_t got = ::pread(file, bytes.data(), bytes.size(), offset);
        if (got > 0) taken.append(bytes, 0, static_cast<std::size_t>(got));
        return got;
    }
    std::int64_t read(char*, std::size_t) override { return -EAGAIN; }
    std::uint64_t untaken() override { return 0; }
    void close_write() override {}
    void set_reset_on_close(bool) override {}
    bool is_closed_by_client() override { return false; }
    bool wait_until(Interest, SteadyTime) override { return true; }

  private:
    std::size_t most_;
};

} // namespace

TEST_CASE("OutputQueue: bytes and parts of files go out in the order they were queued") {
    OutputQueue queue;
    queue.tail() += "one ";
    queue.append_file(file_of("0123456789"), 2, 5);
    queue.tail() += " two ";
    queue.tail() += "three ";
    queue.append_file(file_of("abcdef"), 0, 3);
    queue.append_file(file_of("ghi"), 1, 2);
    queue.tail() += " end";
    const std::string expected = "one 23456 two three abchi end and more";
    SECTION("at once") {
        MemoryStream stream;
        CHECK(queue.flush_with(stream, " and more") == Result::drained);
        CHECK(stream.arrived() == expected);
    }
    SECTION("a byte a call") {
        PickyStream stream(1);
        CHECK(queue.flush_with(stream, " and more") == Result::drained);
        CHECK(stream.taken == expected);
    }
    SECTION("to a client that makes us wait after each byte") {
        MemoryStream stream;
        stream.set_capacity(1);
        CHECK(queue.flush_with(stream, " and more") == Result::waiting);
        std::string received;
        for (std::size_t i = 1; i < expected.size(); ++i) {
            received += stream.receive();
            REQUIRE(received.size() == i);
            queue.flush(stream);
        }
        CHECK(received + stream.receive() == expected);
        CHECK(queue.flush(stream) == Result::drained);
    }
    CHECK(queue.empty());
    CHECK(queue.waiting_bytes() == 0);
    CHECK(queue.sent_total() == expected.size());
}

TEST_CASE("OutputQueue: what is behind the queue goes out with it in one write, from where it is") {
    OutputQueue queue;
    queue.tail() += "head ";
    const std::string body(100'000, 'b');
    MemoryStream stream;
    CHECK(queue.flush_with(stream, body) == Result::drained);
    CHECK(stream.writes == 1);
    CHECK(stream.arrived() == "head " + body);

    queue.tail() += "head ";
    PickyStream picky(3);
    CHECK(queue.flush_with(picky, body.substr(0, 7)) == Result::drained);
    CHECK(picky.taken == "head bbbbbbb");

    PickyStream whole(SIZE_MAX);
    queue.tail() += "head ";
    CHECK(queue.flush_with(whole, body) == Result::drained);
    REQUIRE(whole.seconds.size() == 1);
    CHECK(whole.seconds[0] == body.data());
}

TEST_CASE("OutputQueue: of what is behind the queue, only what the stream leaves is kept") {
    OutputQueue queue;
    MemoryStream stream;
    stream.set_capacity(10);
    queue.tail() += "head ";
    CHECK(queue.flush_with(stream, "body that is longer") == Result::waiting);
    CHECK(stream.receive() == "head body ");
    CHECK(queue.waiting_bytes() == std::string_view("that is longer").size());
    queue.tail() += "!";
    CHECK(queue.flush(stream) == Result::waiting);
    CHECK(stream.receive() == "that is lo");
    CHECK(queue.flush(stream) == Result::drained);
    CHECK(stream.receive() == "nger!");
}

TEST_CASE("OutputQueue: a client that is gone fails it") {
    OutputQueue queue;
    queue.tail() += "x";
    MemoryStream stream;
    stream.vanish();
    CHECK(queue.flush(stream) == Result::failed);
    CHECK_FALSE(queue.file_failed());
    CHECK(OutputQueue().flush(stream) == Result::drained); // nothing was to be sent
}

TEST_CASE("OutputQueue: a file that is shorter than announced fails it, what there is of it having been sent") {
    MemoryStream stream;
    OutputQueue queue;
    queue.append_file(file_of("short"), 0, 6);
    queue.tail() += "behind";
    CHECK(queue.bytes_left() == 12);
    CHECK(queue.flush(stream) == Result::failed);
    CHECK(stream.arrived() == "short");
    CHECK(queue.file_failed());
    CHECK(queue.bytes_left() == 7);
    queue.clear();
    CHECK_FALSE(queue.file_failed());
    CHECK(queue.bytes_left() == 0);
}

TEST_CASE("OutputQueue: the descriptor of a file is closed once its bytes are sent") {
    const auto before = open_descriptors();
    OutputQueue queue;
    MemoryStream stream;
    stream.set_capacity(4);
    queue.append_file(file_of("abc"), 0, 3);
    queue.append_file(file_of("def"), 0, 3);
    CHECK(open_descriptors() == before + 2);
    CHECK(queue.flush(stream) == Result::waiting);
    CHECK(open_descriptors() == before + 1);
    stream.receive();
    CHECK(queue.flush(stream) == Result::drained);
    CHECK(open_descriptors() == before);

    queue.append_file(file_of("abc"), 0, 3);
    queue.clear();
    CHECK(open_descriptors() == before);
    CHECK(queue.empty());
}

TEST_CASE("OutputQueue: what is cleared keeps no more memory than a usual answer takes") {
    OutputQueue queue;
    queue.tail() += std::string(10'000'000, 'x');
    CHECK(queue.capacity() >= 10'000'000);
    queue.clear();
    CHECK(queue.capacity() <= 64 * 1024);
}

TEST_CASE("OutputQueue: waiting bytes are those in memory, and some for each open file") {
    OutputQueue queue;
    CHECK(queue.waiting_bytes() == 0);
    queue.tail() += "12345";
    CHECK(queue.waiting_bytes() == 5);
    queue.append_file(file_of("abc"), 0, 1 << 30);
    const std::size_t with_file = queue.waiting_bytes();
    CHECK(with_file > 1000);
    CHECK(with_file < 100'000); // the file is not in memory
    queue.tail() += "6789";
    CHECK(queue.waiting_bytes() == with_file + 4);
    CHECK_FALSE(queue.empty());

    MemoryStream stream;
    stream.set_capacity(2);
    queue.flush(stream);
    CHECK(queue.waiting_bytes() == with_file + 4 - 2);
    queue.clear();
    CHECK(queue.waiting_bytes() == 0);
}

TEST_CASE("OutputQueue: gives the memory of a large response back") {
    OutputQueue queue;
    queue.tail().append(4 << 20, 'x');
    MemoryStream stream;
    stream.set_capacity(SIZE_MAX);
    CHECK(queue.flush(stream) == Result::drained);
    CHECK(queue.tail().capacity() <= 64 * 1024);
}

TEST_CASE("OutputQueue: one that is never quite drained does not grow") {
    OutputQueue queue;
    MemoryStream stream;
    stream.set_capacity(8000);
    std::string expected;
    std::string received;
    for (int i = 0; i < 300; ++i) {
        const std::string piece(i == 0 ? 9000 : 8000, static_cast<char>('a' + i % 26));
        queue.tail() += piece;
        expected += piece;
        REQUIRE(queue.flush(stream) == Result::waiting);
        received += stream.receive();
        REQUIRE(queue.waiting_bytes() == 1000);
        REQUIRE(queue.tail().size() < 128 * 1024); // what is sent and not forgotten is in it, too
    }
    CHECK(queue.flush(stream) == Result::drained);
    CHECK(received + stream.receive() == expected);
}
