#include "tests/unit/workers/http/feeding.hpp"

using namespace http_feeding;

namespace {

struct LineCase {
    std::string_view line;
    int status; // 0: accepted
};

std::string with_host(std::string_view line) {
    return std::string(line) + "\r\nHost: a\r\n\r\n";
}

} // namespace

TEST_CASE("http request line: token SP target SP version, and nothing else") {
    auto [line, status] = GENERATE(values<LineCase>({
        {"GET / HTTP/1.1", 0},
        {"GET / HTTP/1.0", 0},
        {"GET /a/b?c=d&e HTTP/1.1", 0},
        {"GET /\"<>\\^`{|}%zz HTTP/1.1", 0},
        {"GET", 400},
        {"GET ", 400},
        {"GET /", 400},
        {"GET / ", 400},
        {"GET  HTTP/1.1", 400},
        {"GET  / HTTP/1.1", 400},
        {"GET /  HTTP/1.1", 400},
        {"GET / HTTP/1.1 ", 400},
        {"GET\t/ HTTP/1.1", 400},
        {"GET /\tHTTP/1.1", 400},
        {" GET / HTTP/1.1", 400},
        {"\tGET / HTTP/1.1", 400},
        {"GET / a HTTP/1.1", 400},
        {"GET / HTTP/1.1x", 400},
        {"GET / http/1.1", 400},
        {"GET / HTTP/11", 400},
        {"GET / HTTP/1.", 400},
        {"GET / HTTP/01.1", 400},
        {"GET / HTTP/1.10", 400},
        {"GET / RTSP/1.0", 400},
        {"GET / ICE/1.0", 400},
        {"GE(T / HTTP/1.1", 400},
        {"G\x80T / HTTP/1.1", 400},
        {"GET /\x80 HTTP/1.1", 400},
        {"GET /\x7f HTTP/1.1", 400},
        {"GET /\x01 HTTP/1.1", 400},
        {"(", 400},
    }));
    CAPTURE(line);
    CHECK(refusal_of(with_host(line)) == status);
}

TEST_CASE("http request line: other versions of HTTP") {
    auto line = GENERATE(as<std::string_view>{}, "GET / HTTP/2.0", "GET / HTTP/2.1", "GET / HTTP/0.9", "GET / HTTP/3.0",
                         "FOO / HTTP/2.0", "GET / HTTP/9.9");
    CAPTURE(line);
    CHECK(refusal_of(with_host(line)) == 505);
    CHECK(refusal_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);
}

TEST_CASE("http request line: a later minor version is taken as 1.1") {
    const std::string minor = GENERATE(as<std::string>{}, "2", "5", "9");
    Outcome outcome =
        parse("POST /a HTTP/1." + minor + "\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
    CHECK(outcome.complete());
    CHECK(outcome.minor == 1);
    CHECK(outcome.keep_alive);
    CHECK(outcome.body == "x");
    CHECK(refusal_of("GET / HTTP/1." + minor + "\r\n\r\n") == 400); // Host is needed
}

TEST_CASE("http request line: HTTP/0.9 is refused with its first line") {
    CHECK(refusal_of("GET /\r\n") == 400);
    CHECK(refusal_of("GET / \r\n") == 400);
}

TEST_CASE("http request line: methods that look like one, whether llhttp knows them or not") {
    auto method = GENERATE(as<std::string>{}, "GET", "HEAD", "POST", "M-SEARCH", "PURGE", "SOURCE", "QUERY", "BAN",
                           "VERSION-CONTROL", "FOO", "GETT", "PRI", "DESCRIBE", "POSTX", "ABC#123", "-0-", "###",
                           "CONNECTX", "UPDATEREDIRECTREF", "ABCDEFGHIJKLMNOPQRST");
    CAPTURE(method);
    Outcome outcome = parse(with_host(method + " /a?b HTTP/1.1"));
    CHECK(outcome.complete());
    CHECK(outcome.method == method);
    CHECK(outcome.target == "/a?b");
    const std::string body = "Content-Length: 3\r\n\r\nabc";
    CHECK(parse(method + " / HTTP/1.1\r\nHost: a\r\n" + body).body == "abc");
    CHECK(parse(method + " / HTTP/1.0\r\n" + body).minor == 0);
    CHECK(parse(method + " / HTTP/1.2\r\nHost: a\r\n" + body).method == method);
    CHECK(refusal_of(with_host(method + " /a\rb HTTP/1.1")) == 400);
    CHECK(refusal_of(with_host(method + " * HTTP/1.1")) == 400);
}

TEST_CASE("http request line: other methods, and CONNECT") {
    auto method = GENERATE(as<std::string>{}, "get", "Get", "GE", "A", "CONNECT", "GET_PARAMETER", "GET.", "GET|",
                           "!#$%&'*+-.^_`|~", "ABCDEFGHIJKLMNOPQRSTU");
    CAPTURE(method);
    CHECK(refusal_of(with_host(method + " / HTTP/1.1")) == 501);
    CHECK(refusal_of(with_host(method + " a:443 HTTP/1.1")) == 501);
    CHECK(refusal_of(with_host(method + " /a\rb HTTP/1.1")) == 400); // the line is judged whole before its method is
}

TEST_CASE("http request line: any method but CONNECT, where that is permitted") {
    Rules rules;
    rules.limits.any_method = true;
    auto method = GENERATE(as<std::string>{}, "get", "A", "connect", "GET_PARAMETER", "!#$%&'*+-.^_`|~",
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    CAPTURE(method);
    Outcome outcome = parse(with_host(method + " / HTTP/1.1"), rules);
    CHECK(outcome.complete());
    CHECK(outcome.method == method);
    CHECK(refusal_of(with_host("CONNECT / HTTP/1.1"), rules) == 501);
    CHECK(refusal_of(with_host("G(T / HTTP/1.1"), rules) == 400);
}

TEST_CASE("http request line: what the target is made of") {
    struct Case {
        std::string_view line, path, query, authority;
    };
    auto expected = GENERATE(values<Case>({
        {"GET / HTTP/1.1", "/", "", "a"},
        {"GET /x?y?z HTTP/1.1", "/x", "y?z", "a"},
        {"GET /? HTTP/1.1", "/", "", "a"},
        {"GET //b/c HTTP/1.1", "//b/c", "", "a"},
        {"GET /http://b/c HTTP/1.1", "/http://b/c", "", "a"},
        {"OPTIONS * HTTP/1.1", "*", "", "a"},
        {"GET http://b HTTP/1.1", "/", "", "b"},
        {"GET HTTP://B:8080?q HTTP/1.1", "/", "q", "B:8080"},
        {"GET https://b/c?d HTTP/1.1", "/c", "d", "b"},
        {"GET http://[::1]:80/c HTTP/1.1", "/c", "", "[::1]:80"},
    }));
    Outcome outcome = parse(with_host(expected.line));
    CAPTURE(expected.line, outcome.reason);
    REQUIRE(outcome.complete());
    CHECK(outcome.path == expected.path);
    CHECK(outcome.query == expected.query);
    CHECK(outcome.authority == expected.authority);
    CHECK(outcome.fields.at(0).second == expected.authority); // Host never says another host than the target
}

TEST_CASE("http request line: targets that are refused") {
    auto target = GENERATE(as<std::string>{}, "*", "*x", "a", "a/b", "?a", "/#a", "/a?b#c", "http://", "http:///a",
                           "http://?a", "http://:80/", "http://u@b/", "http://u:p@b/", "http://b@/", "http:/b", "://b",
                           "http://b:x/", "http://[::1/", "http://[x]/", "http://b\\c/", "1http://b/");
    CAPTURE(target);
    CHECK(refusal_of(with_host("GET " + target + " HTTP/1.1")) == 400);
    if (target != "*") CHECK(refusal_of(with_host("OPTIONS " + target + " HTTP/1.1")) == 400);
}

TEST_CASE("http request line: user information in a target is named as such") {
    CHECK(parse(with_host("GET http://u:p@b/ HTTP/1.1")).reason == "user information in the request target");
}

TEST_CASE("http request line: at most two empty lines before it") {
    const std::string request = with_host("GET / HTTP/1.1");
    CHECK(parse("\r\n" + request).end == request.size() + 2);
    CHECK(parse("\r\n\r\n" + request).end == request.size() + 4);
    CHECK(refusal_of("\r\n\r\n\r\n" + request) == 400);
    CHECK(refusal_of("\n" + request) == 400);
    CHECK(refusal_of("\r" + request) == 400);
    CHECK(refusal_of("\r\n \r\n" + request) == 400);
    CHECK(refusal_of("\r\n\r\n") == -1);
}

TEST_CASE("http request line: other protocols are refused with the first byte") {
    Limits limits;
    auto first = GENERATE(as<std::string>{}, "\x16", std::string(1, '\0'), "\x80", " ", "(", "\x7f");
    RequestParser parser(limits);
    CHECK(parser.next(first).step == Step::refused);
    CHECK(parser.refusal().status == 400);
}
