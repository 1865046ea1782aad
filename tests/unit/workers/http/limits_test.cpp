#include "tests/unit/workers/http/feeding.hpp"

using namespace http_feeding;

namespace {

const std::string version = " HTTP/1.1";

std::string line_of(std::size_t size) {
    return "GET /" + std::string(size - 5 - version.size(), 'a') + version;
}

std::string field_of(std::size_t size) {
    return "A: " + std::string(size - 3, 'b') + "\r\n";
}

std::string fields(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "A: b\r\n";
    return text;
}

// A complete request of exactly this size, whose lines are short.
std::string head_of(std::size_t size) {
    std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
    while (size - text.size() > 200) text += field_of(98);
    return text + field_of(size - text.size() - 4) + "\r\n";
}

} // namespace

TEST_CASE("http limits: the request line, 414") {
    CHECK(refusal_of(line_of(8190) + "\r\nHost: a\r\n\r\n") == 0);
    CHECK(refusal_of(line_of(8191) + "\r\nHost: a\r\n\r\n") == 414);
    CHECK(refusal_of(std::string(8190, 'a')) == -1);
    CHECK(refusal_of(std::string(8191, 'a')) == 414);
    CHECK(refusal_of(std::string(8190, 'a') + "\rb") == 400);
    CHECK(refusal_of(std::string(8190, 'a') + "\n") == 400);

    Rules rules;
    rules.limits.request_line = 20;
    CHECK(refusal_of(line_of(20) + "\r\nHost: a\r\n\r\n", rules) == 0);
    CHECK(refusal_of(line_of(21) + "\r\nHost: a\r\n\r\n", rules) == 414);
    CHECK(refusal_of("GET /\rb HTTP/1.1 and more\r\n", rules) == 400); // the first fault decides
    CHECK(refusal_of("GET /b and more than tw\renty\r\n", rules) == 414);
}

TEST_CASE("http limits: a field line, 431") {
    CHECK(refusal_of(get_with(field_of(8190))) == 0);
    CHECK(refusal_of(get_with(field_of(8191))) == 431);
    CHECK(refusal_of("GET / HTTP/1.1\r\n" + std::string(8191, 'a')) == 431);
    CHECK(refusal_of(get_with("A_b: " + std::string(8186, 'c') + "\r\n")) == 431); // dropped, but not for free
    CHECK(refusal_of(get_with("A: \x01" + std::string(8190, 'c') + "\r\n")) == 431);
}

TEST_CASE("http limits: the number of fields, 431") {
    CHECK(parse(get_with(fields(99))).fields.size() == 100);
    CHECK(refusal_of(get_with(fields(100))) == 431);
    CHECK(refusal_of(get_with(fields(99) + "A_b: c\r\n")) == 431);
    CHECK(refusal_of(get_with(fields(99) + " ")) == 400);

    Rules rules;
    rules.limits.fields = 1;
    CHECK(refusal_of(get_with(""), rules) == 0);
    CHECK(refusal_of(get_with("A"), rules) == 431);
}

TEST_CASE("http limits: the whole head, 431") {
    Rules rules;
    rules.limits.fields = 2000;
    CHECK(parse(head_of(65536), rules).end == 65536);
    CHECK(refusal_of(head_of(65537), rules) == 431);

    rules.limits.head = 300;
    CHECK(refusal_of(head_of(300), rules) == 0);
    CHECK(refusal_of(head_of(301), rules) == 431);
    CHECK(refusal_of(head_of(302), rules) == 431);
    CHECK(refusal_of(head_of(303), rules) == 431);
    CHECK(parse("\r\n\r\n" + head_of(300), rules).end == 304); // empty lines before it are not of it
    rules.limits.head = 10;
    CHECK(refusal_of(get_with(""), rules) == 431);
}

TEST_CASE("http limits: Content-Length, 413 with the head") {
    Rules rules;
    rules.limits.body = 5;
    auto post = [](std::string_view length) {
        return "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: " + std::string(length) +
               "\r\n\r\n";
    };
    CHECK(parse(post("5") + "abcde", rules).body == "abcde");
    Outcome outcome = parse(post("6"), rules);
    CHECK(outcome.status == 413);
    CHECK_FALSE(outcome.head_seen);
    CHECK(refusal_of(post("999999999999999999"), rules) == 413);
}

TEST_CASE("http limits: chunks, 413 with the line that announces too much") {
    Rules rules;
    rules.limits.body = 5;
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    CHECK(parse(head + "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", rules).body == "abcde");
    CHECK(refusal_of(head + "6\r\n", rules) == 413);
    Outcome outcome = parse(head + "2\r\nab\r\n4\r\n", rules);
    CHECK(outcome.status == 413);
    CHECK(outcome.body == "ab");
    CHECK(refusal_of(head + "5\r\nabcde\r\n1\r\n", rules) == 413);
    CHECK(refusal_of(head + "7fffffffffffffff\r\n", rules) == 413);
    CHECK(refusal_of(head + "7fffffffffffffff\r\n") == -1);
    CHECK(refusal_of(head + "8000000000000000\r\n") == 400);
    CHECK(refusal_of(head + "ffffffffffffffff\r\n") == 400);
    CHECK(refusal_of(head + "10000000000000000\r\n") == 400);
}
