#include "workers/transport/input_buffer.hpp"

#include <cstring>
#include <string>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

void feed(InputBuffer& buffer, const std::string& text) {
    const auto room = buffer.room(text.size());
    REQUIRE(room.size >= text.size());
    std::memcpy(room.data, text.data(), text.size());
    buffer.commit(text.size());
}

} // namespace

TEST_CASE("InputBuffer: bytes come out as they went in, whatever was consumed between") {
    InputBuffer buffer;
    std::string expected;
    for (int i = 0; i < 2000; ++i) {
        const std::string piece(static_cast<std::size_t>(i % 97 + 1), static_cast<char>('a' + i % 26));
        feed(buffer, piece);
        expected += piece;
        const auto consumed = std::min<std::size_t>(expected.size(), static_cast<std::size_t>(i % 89));
        buffer.consume(consumed);
        expected.erase(0, consumed);
        REQUIRE(buffer.unconsumed() == expected);
    }
}

TEST_CASE("InputBuffer: memory does not grow where all is consumed") {
    InputBuffer buffer;
    feed(buffer, "x");
    const char* place = buffer.unconsumed().data();
    for (int i = 0; i < 1000; ++i) {
        buffer.consume(buffer.unconsumed().size());
        feed(buffer, std::string(4000, 'y'));
        CHECK(buffer.unconsumed().data() == place);
    }
}

TEST_CASE("InputBuffer: pinned bytes stay where they are while the rest moves and grows") {
    InputBuffer buffer;
    feed(buffer, "before" + std::string(9000, 'h') + "rest");
    buffer.consume(6);
    const std::string_view head = buffer.unconsumed().substr(0, 9000);
    buffer.consume(9000);
    buffer.pin();
    for (int i = 0; i < 5; ++i) {
        feed(buffer, std::string(40'000, 'b'));
        CHECK(buffer.unconsumed().size() == 4 + 40'000u * static_cast<unsigned>(i + 1));
        CHECK(buffer.unconsumed().substr(0, 5) == "restb");
        CHECK(head == std::string(9000, 'h'));
    }
    buffer.consume(buffer.unconsumed().size());
    buffer.unpin();
    feed(buffer, "next");
    CHECK(buffer.unconsumed() == "next");
}

TEST_CASE("InputBuffer: the place that pinned bytes have outgrown is given back with them") {
    InputBuffer buffer;
    feed(buffer, std::string(100'000, 'h'));
    buffer.consume(100'000);
    buffer.pin();
    feed(buffer, std::string(400'000, 'b'));
    const std::size_t with_both = buffer.capacity();
    buffer.unpin();
    CHECK(buffer.capacity() + 100'000 <= with_both);
}
