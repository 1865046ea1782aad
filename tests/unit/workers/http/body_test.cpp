#include "tests/unit/workers/http/feeding.hpp"

using namespace http_feeding;
using namespace std::string_literals;

namespace {

const std::string chunked_head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string counted(std::size_t length) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

struct ChunkCase {
    std::string_view bytes;
    int status; // 0: accepted
};

} // namespace

TEST_CASE("http body: by Content-Length") {
    Outcome outcome = parse(counted(5) + "ab\0\r\nGET"s);
    CHECK(outcome.complete());
    CHECK(outcome.content_length == 5);
    CHECK(outcome.body == "ab\0\r\n"s);
    CHECK(outcome.end == counted(5).size() + 5);
    CHECK(parse(counted(0) + "GET").end == counted(0).size());
    CHECK(refusal_of(counted(5) + "abcd") == -1);
}

TEST_CASE("http body: a GET may have one, and none needs none") {
    Outcome outcome = parse(get_with("Content-Length: 2\r\n") + "ab");
    CHECK(outcome.body == "ab");
    Outcome bare = parse(get_with("") + "ab");
    CHECK(bare.complete());
    CHECK(bare.content_length == 0);
    CHECK(bare.end == get_with("").size());
}

TEST_CASE("http body: chunks") {
    const std::string chunks = "3\r\nabc\r\nA;x=y\r\n0123456789\r\n00b\r\nhello\r\nyou!\r\n0\r\n\r\n";
    Outcome outcome = parse(chunked_head + chunks + "GET / HTTP");
    REQUIRE(outcome.complete());
    CHECK(outcome.content_length == -1);
    CHECK(outcome.body == "abc0123456789hello\r\nyou!");
    CHECK(outcome.end == chunked_head.size() + chunks.size());
    CHECK(refusal_of(chunked_head + "0\r\n") == -1);
    CHECK(refusal_of(chunked_head + "0\r\n\r") == -1);
    CHECK(refusal_of(chunked_head + "3\r\nab") == -1);
}

TEST_CASE("http body: chunks that are refused") {
    auto [bytes, status] = GENERATE(values<ChunkCase>({
        {"3\r\nabc\r\n0\r\n\r\n", 0},
        {"3;a\r\nabc\r\n0;b=\"c d\"\r\n\r\n", 0},
        {"\r\n", 400},
        {"3\nabc\r\n", 400},
        {"3\rabc\r\n", 400},
        {"3;a\n", 400},
        {"3;a\rb\r\n", 400},
        {"3;a=\"\n\"\r\n", 400},
        {"3\r\r\n", 400},
        {"3 \n", 400},
        {"3\r\nabc\n", 400},
        {"3\r\nabc\r\r\n", 400},
        {"3\r\nabcd\r\n", 400},
        {"3\r\nab\r\n0\r\n", 400},
        {"3\r\nabc0\r\n\r\n", 400},
        {"-3\r\nabc\r\n", 400},
        {"+3\r\nabc\r\n", 400},
        {"0x3\r\nabc\r\n", 400},
        {"g\r\n", 400},
        {" 3\r\nabc\r\n", 400},
        {"3\x01\r\n", 400},
        {";a\r\nabc\r\n", 400},
        {"0\n\n", 400},
        {"0\r\n\n", 400},
        {"0\r\n\r\r\n", 400},
    }));
    CAPTURE(bytes);
    CHECK(refusal_of(chunked_head + std::string(bytes)) == status);
}

TEST_CASE("http body: a flood of small chunks is cut off") {
    auto ones = [](std::size_t count) {
        std::string chunks;
        for (std::size_t i = 0; i < count; ++i) chunks += "1\r\nx\r\n";
        return chunks + "0\r\n\r\n";
    };
    Limits limits;
    RequestParser parser(limits);
    auto status_of = [&](const std::string& input) { // at random only: byte by byte, these take long
        parser.reset();
        std::mt19937 random(1);
        Outcome outcome = feed(parser, chunked_head + input, [&] { return 1 + random() % 5000; });
        return outcome.complete() ? 0 : outcome.status;
    };
    CHECK(status_of(ones(8000)) == 0);
    CHECK(status_of(ones(8300)) == 400);

    std::string large;
    for (int i = 0; i < 8300; ++i) large += "8\r\n01234567\r\n";
    CHECK(status_of(large + "0\r\n\r\n") == 0);
}

TEST_CASE("http body: an endless chunk extension is cut off") {
    auto line = [](std::size_t size) { return "1;" + std::string(size - 4, 'a') + "\r\n"; };
    CHECK(refusal_of(chunked_head + line(16384 - 3) + "x\r\n0\r\n\r\n") == 0);
    CHECK(refusal_of(chunked_head + line(16384) + "x\r\n0\r\n\r\n") == 400);
    CHECK(refusal_of(chunked_head + line(16385)) == 400);
    CHECK(refusal_of(chunked_head + "1;" + std::string(16383, 'a')) == 400);
}

TEST_CASE("http body: trailers are checked and forgotten") {
    const std::string end = "0\r\nA: b\r\nConnection: close\r\nX_y: z\r\n\r\n";
    Outcome outcome = parse(chunked_head + "1\r\nx\r\n" + end + "GET");
    REQUIRE(outcome.complete());
    CHECK(outcome.fields.size() == 2);
    CHECK(outcome.keep_alive);
    CHECK(outcome.end == chunked_head.size() + 6 + end.size());
}

TEST_CASE("http body: trailers that are refused") {
    auto [bytes, status] = GENERATE(values<ChunkCase>({
        {"A: b\r\n\r\n", 0},
        {"Content-Length: 5\r\n\r\n", 400},
        {"transfer-encoding: chunked\r\n\r\n", 400},
        {"HOST: b\r\n\r\n", 400},
        {"A: b\n\r\n", 400},
        {"A: b\r\n\n", 400},
        {"A: b\rc\r\n\r\n", 400},
        {" A: b\r\n\r\n", 400},
        {"A: b\r\n c\r\n\r\n", 400},
        {"A : b\r\n\r\n", 400},
        {": b\r\n\r\n", 400},
        {"A\r\n\r\n", 400},
        {"A: \x01\r\n\r\n", 400},
    }));
    CAPTURE(bytes);
    CHECK(refusal_of(chunked_head + "0\r\n" + std::string(bytes)) == status);
}

TEST_CASE("http body: trailers have the limits of a head") {
    Rules rules;
    rules.limits.fields = 3;
    rules.limits.field_size = 40;
    rules.limits.head = 70; // the head itself has 59
    CHECK(refusal_of(chunked_head + "0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", rules) == 0);
    CHECK(refusal_of(chunked_head + "0\r\nA: b\r\nA: b\r\nA: b\r\nA", rules) == 431);
    CHECK(refusal_of(chunked_head + "0\r\nA: " + std::string(37, 'b') + "\r\n\r\n", rules) == 0);
    CHECK(refusal_of(chunked_head + "0\r\nA: " + std::string(38, 'b') + "\r\n\r\n", rules) == 431);
    CHECK(refusal_of(chunked_head + "0\r\nA: " + std::string(30, 'b') + "\r\nA: " + std::string(28, 'b') + "\r\n\r\n",
                     rules) == 0);
    CHECK(refusal_of(chunked_head + "0\r\nA: " + std::string(30, 'b') + "\r\nA: " + std::string(29, 'b') + "\r\n\r\n",
                     rules) == 431);
    CHECK(refusal_of(chunked_head + "0\r\nX_y: z\r\n\r\n", {{}, UnderscoreNames::refuse}) == 400);
}
