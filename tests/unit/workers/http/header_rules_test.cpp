#include "tests/unit/workers/http/feeding.hpp"

using namespace http_feeding;

namespace {

struct FieldsCase {
    std::string_view fields;
    int status; // 0: accepted
};

std::string post_with(std::string_view fields, std::string_view body = "", std::string_view version = "1.1") {
    return "POST / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

} // namespace

TEST_CASE("http head: every LF follows a CR, every CR precedes an LF") {
    CHECK(refusal_of("GET / HTTP/1.1\nHost: a\r\n\r\n") == 400);
    CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\n\r\n") == 400);
    CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\n\n") == 400);
    CHECK(refusal_of("GET / HTTP/1.1\rHost: a\r\n\r\n") == 400);
    CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n") == 400);
    CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n") == 400);
    CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nA: b\rContent-Length: 5\r\n\r\n") == 400);
    CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nA_b: c\rd\r\n\r\n") == 400); // dropped, but not unseen
}

TEST_CASE("http head: no line is folded") {
    CHECK(refusal_of(get_with("A: b\r\n c\r\n")) == 400);
    CHECK(refusal_of(get_with("A: b\r\n\tc\r\n")) == 400);
    CHECK(refusal_of("GET / HTTP/1.1\r\n Host: a\r\n\r\n") == 400);
    CHECK(refusal_of(get_with("A: b\r\n \r\n")) == 400);
}

TEST_CASE("http head: names are tokens, values have no control bytes") {
    auto [fields, status] = GENERATE(values<FieldsCase>({
        {"!#$%&'*+-.^`|~09azAZ: x\r\n", 0},
        {"A:\r\n", 0},
        {"A: \t \r\n", 0},
        {"A: b\tc \"d\" \xc3\xa9\r\n", 0},
        {": x\r\n", 400},
        {"A\r\n", 400},
        {"A : x\r\n", 400},
        {"A\t: x\r\n", 400},
        {"A b: x\r\n", 400},
        {"A(: x\r\n", 400},
        {"\x80: x\r\n", 400},
        {"A: x\x01y\r\n", 400},
        {"A: 01234567890\x1f"
         "123456\r\n",
         400},
        {"A: x\x7f\r\n", 400},
        {"A: \x0b\r\n", 400},
        {"A: 0123456\x7f\r\n", 400},
    }));
    CAPTURE(fields);
    CHECK(refusal_of(get_with(fields)) == status);
    CHECK(refusal_of(get_with(std::string("A: x") + '\0' + "\r\n")) == 400);
    CHECK(refusal_of(get_with(std::string("A") + '\0' + ": x\r\n")) == 400);
}

TEST_CASE("http head: fields keep their order and spelling, values are trimmed") {
    Outcome outcome = parse(get_with("X-a: \t b c\t \r\nX-A:d\r\nx-e:\r\n"));
    std::vector<std::pair<std::string, std::string>> expected = {
        {"Host", "a"}, {"X-a", "b c"}, {"X-A", "d"}, {"x-e", ""}};
    CHECK(outcome.fields == expected);
}

TEST_CASE("http head: names with an underscore") {
    const std::string request = get_with("X_A: b\r\nC: d\r\n");
    CHECK(parse(request).fields.size() == 2);
    CHECK(parse(request, {{}, UnderscoreNames::keep}).fields.size() == 3);
    CHECK(refusal_of(request, {{}, UnderscoreNames::refuse}) == 400);
    CHECK(parse(get_with("Content_Length: 5\r\n"), {{}, UnderscoreNames::keep}).content_length == 0);
}

TEST_CASE("http head: one Host") {
    auto without = [](std::string_view version, std::string_view fields) {
        return "GET / HTTP/" + std::string(version) + "\r\n" + std::string(fields) + "\r\n";
    };
    CHECK(refusal_of(without("1.1", "")) == 400);
    CHECK(refusal_of("GET http://a/ HTTP/1.1\r\n\r\n") == 400);
    CHECK(refusal_of(without("1.0", "")) == 0);
    CHECK(refusal_of(without("1.1", "Host: a\r\nHost: a\r\n")) == 400);
    CHECK(refusal_of(without("1.0", "Host: a\r\nhost: b\r\n")) == 400);
    auto [host, status] = GENERATE(values<FieldsCase>({
        {"", 0},           {"a", 0},        {"a.b-c_d~e", 0}, {"a:80", 0},    {"a:", 0},    {"127.0.0.1:8000", 0},
        {"[::1]", 0},      {"[::1]:80", 0}, {"%41", 0},       {"a b", 400},   {"a/b", 400}, {"a?b", 400},
        {"u@a", 400},      {"a:b", 400},    {"a:80:90", 400}, {"[::1", 400},  {"[]", 400},  {"[::1]x", 400},
        {"[a.b]:80", 400}, {"a,b", 0},      {"%4", 400},      {"%zz", 400},   {"a#b", 400}, {"a\\b", 400},
        {"\xc3\xa9", 400}, {"a:80 b", 400}, {"a:-1", 400},    {"\"a\"", 400}, {"<a>", 400},
    }));
    CAPTURE(host);
    CHECK(refusal_of(without("1.1", "Host: " + std::string(host) + "\r\n")) == status);
    CHECK(refusal_of(without("1.0", "Host: " + std::string(host) + "\r\n")) == status);
}

TEST_CASE("http head: Transfer-Encoding is \"chunked\", once, or refused") {
    auto [fields, status] = GENERATE(values<FieldsCase>({
        {"Transfer-Encoding: chunked\r\n", 0},
        {"transfer-encoding:ChunKed \r\n", 0},
        {"Transfer-Encoding:\r\n", 400},
        {"Transfer-Encoding: ,\r\n", 400},
        {"Transfer-Encoding: chunked,\r\n", 400},
        {"Transfer-Encoding: ,chunked\r\n", 400},
        {"Transfer-Encoding: chunked, chunked\r\n", 400},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
        {"Transfer-Encoding: chunked, gzip\r\n", 400},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400},
        {"Transfer-Encoding: chunked;a=b\r\n", 400},
        {"Transfer-Encoding: \"chunked\"\r\n", 400},
        {"Transfer-Encoding: chunked\x0b\r\n", 400},
        {"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", 400},
        {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
        {"Content-Length: 5\r\nTransfer-Encoding: gzip\r\n", 400},
        {"Transfer-Encoding: identity\r\n", 501},
        {"Transfer-Encoding: identity, chunked\r\n", 501},
        {"Transfer-Encoding: JUNK, chunked\r\n", 501},
        {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501},
        {"Transfer-Encoding: xchunked\r\n", 501},
        {"Transfer-Encoding: chunkedx\r\n", 501},
        {"Transfer-Encoding: gzip\r\n", 501},
    }));
    CAPTURE(fields);
    CHECK(refusal_of(post_with(fields, "0\r\n\r\n")) == status);
    CHECK(refusal_of(post_with(fields, "0\r\n\r\n", "1.0")) == 400);
}

TEST_CASE("http head: one Content-Length, of at most 18 digits") {
    auto [value, status] = GENERATE(values<FieldsCase>({
        {"3", 0},
        {"003", 0},
        {"000000000000000003", 0},
        {"0000000000000000003", 400},
        {"", 400},
        {"-3", 400},
        {"+3", 400},
        {"3 3", 400},
        {"3,3", 400},
        {"0x3", 400},
        {"3.0", 400},
        {"3a", 400},
        {"\"3\"", 400},
        {"18446744073709551619", 400},
    }));
    CAPTURE(value);
    CHECK(refusal_of(post_with("Content-Length: " + std::string(value) + "\r\n", "abc")) == status);
    CHECK(refusal_of(post_with("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")) == 400);
    CHECK(refusal_of(post_with("Content-Length: 3\r\ncontent-length: 4\r\n", "abc")) == 400);
    CHECK(parse(post_with("Content-Length: 999999999999999999\r\n")).content_length == 999999999999999999);
}

TEST_CASE("http head: one Content-Type") {
    CHECK(refusal_of(get_with("Content-Type: a/b\r\n")) == 0);
    CHECK(refusal_of(get_with("Content-Type: a/b\r\ncontent-type: a/b\r\n")) == 400);
}

TEST_CASE("http head: whether the connection stays") {
    struct Case {
        std::string_view version, fields;
        bool keep_alive;
    };
    auto [version, fields, keep_alive] = GENERATE(values<Case>({
        {"1.1", "", true},
        {"1.0", "", false},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "Connection: CLOSE\t\r\n", false},
        {"1.1", "Connection: x , close,\r\n", false},
        {"1.1", "Connection: x\r\nconnection: close\r\n", false},
        {"1.1", "Connection: keep-alive, close\r\n", false},
        {"1.1", "Connection: closed\r\n", true},
        {"1.1", "Connection: \"close\"\r\n", true},
        {"1.1", "Proxy-Connection: close\r\n", true},
        {"1.0", "Connection: Keep-Alive\r\n", true},
        {"1.0", "Connection: keep-alive, close\r\n", false},
        {"1.0", "Connection: x\r\n", false},
    }));
    CAPTURE(version, fields);
    Outcome outcome = parse(post_with(fields, "", version));
    REQUIRE(outcome.complete());
    CHECK(outcome.keep_alive == keep_alive);
}

TEST_CASE("http head: Upgrade does not end the parsing") {
    Outcome outcome = parse(post_with("Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n", "abcGET"));
    CHECK(outcome.complete());
    CHECK(outcome.body == "abc");
    CHECK(parse(get_with("Connection: upgrade\r\nUpgrade: websocket\r\n")).complete());
}

TEST_CASE("http head: expectations") {
    CHECK(parse(post_with("Expect: 100-Continue\r\nContent-Length: 1\r\n", "a")).expect_continue);
    CHECK_FALSE(parse(post_with("Expect: 100-continue\r\nContent-Length: 1\r\n", "a", "1.0")).expect_continue);
    CHECK_FALSE(parse(post_with("Content-Length: 1\r\n", "a")).expect_continue);
    CHECK(refusal_of(post_with("Expect: 200-ok\r\n")) == 417);
    CHECK(refusal_of(post_with("Expect: 100-continue, b\r\n")) == 417);
    CHECK(refusal_of(post_with("Expect: 100-continue\r\nExpect: b\r\n")) == 417);
    CHECK(refusal_of(post_with("Expect: b\r\n", "", "1.0")) == 0);
}
