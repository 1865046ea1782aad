#include "server/release/address.hpp"

#include <stdexcept>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using Kind = BindAddress::Kind;

std::string error_of(const std::string& text) {
    try {
        parse_bind(text);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

const std::string forms = " is not an address; allowed: HOST, HOST:PORT, :PORT, [V6]:PORT, unix:PATH, fd://N";

TEST_CASE("a bind address is read and shown") {
    struct Row {
        const char* text;
        Kind kind;
        const char* shown;
    };
    const auto row = GENERATE(values<Row>({
        {"127.0.0.1", Kind::tcp4, "http://127.0.0.1:8000"},
        {"127.0.0.1:80", Kind::tcp4, "http://127.0.0.1:80"},
        {":9000", Kind::tcp4, "http://0.0.0.0:9000"},
        {"localhost:0", Kind::tcp4, "http://localhost:0"},
        {"my-host_1.example", Kind::tcp4, "http://my-host_1.example:8000"},
        {"tcp://0.0.0.0:65535", Kind::tcp4, "http://0.0.0.0:65535"},
        {"0.0.0.0:0080", Kind::tcp4, "http://0.0.0.0:80"},
        {"[::1]", Kind::tcp6, "http://[::1]:8000"},
        {"[::]:443", Kind::tcp6, "http://[::]:443"},
        {"tcp://[fe80::1%eth0]:1", Kind::tcp6, "http://[fe80::1%eth0]:1"},
        {"unix:/run/app.sock", Kind::unix_path, "unix:/run/app.sock"},
        {"unix:///run/app.sock", Kind::unix_path, "unix:/run/app.sock"},
        {"unix:app.sock", Kind::unix_path, "unix:app.sock"},
        {"unix://app:1.sock", Kind::unix_path, "unix:app:1.sock"},
        {"unix:////run/app.sock", Kind::unix_path, "unix:////run/app.sock"},
        {"unix:@app", Kind::unix_path, "unix:@app"},
        {"unix:./@app", Kind::unix_path, "unix:./@app"},
        {"fd://3", Kind::inherited_fd, "fd://3"},
    }));
    const auto address = parse_bind(row.text);
    CHECK(parse_bind(address.setting()) == address);
    CHECK(address.kind == row.kind);
    CHECK(address.text() == row.shown);
}

TEST_CASE("a host that its port would turn into a path is refused") {
    CHECK(error_of("unix") == "'unix' has no path; write it as unix:PATH");
    CHECK(error_of("tcp://unix:80") == "'tcp://unix:80' has no path; write it as unix:PATH");
}

TEST_CASE("a unix address that begins with @ has no file") {
    CHECK(parse_bind("unix:@app").is_abstract());
    CHECK_FALSE(parse_bind("unix:./@app").is_abstract());
    CHECK_FALSE(parse_bind("127.0.0.1").is_abstract());
}

TEST_CASE("the parts of a bind address") {
    CHECK(parse_bind("[::1]:81").host == "::1");
    CHECK(parse_bind("[::1]:81").port == 81);
    CHECK(parse_bind("unix:/a").path == "/a");
    CHECK(parse_bind("fd://12").fd == 12);
}

TEST_CASE("bind addresses compare by meaning") {
    CHECK(parse_bind("unix:/a") == parse_bind("unix:///a"));
    CHECK(parse_bind("127.0.0.1") == parse_bind("127.0.0.1:8000"));
    CHECK_FALSE(parse_bind("127.0.0.1:1") == parse_bind("127.0.0.1:2"));
    CHECK_FALSE(parse_bind("fd://3") == parse_bind("fd://4"));
}

TEST_CASE("what is no bind address is refused with the forms that are") {
    for (const std::string text :
         {"", "8000", "1.2", "256.0.0.1:80", "a b:80", "http://x:80", "[::1", "[::1]80", "a:b:c", "x/y", "tcp://"}) {
        CHECK(error_of(text) == "'" + text + "'" + forms);
    }
}

TEST_CASE("where statsd is: a bind address with a port of its own, but no descriptor") {
    CHECK(parse_statsd("metrics").port == 8125);
    CHECK(parse_statsd("[::1]").port == 8125);
    CHECK(parse_statsd("127.0.0.1:9").setting() == "127.0.0.1:9");
    CHECK(parse_statsd("unix:///run/statsd.sock").path == "/run/statsd.sock");
    CHECK(parse_statsd("unix:@statsd").is_abstract());
    for (const char* text : {"fd://3", "metrics:0"}) {
        CHECK_THROWS_WITH(parse_statsd(text), "'" + std::string(text) +
                                                  "' is nowhere to send to; allowed: HOST, HOST:PORT, [V6]:PORT, "
                                                  "unix:PATH, unix:@NAME");
    }
    CHECK_THROWS_AS(parse_statsd("metrics:http"), std::invalid_argument);
}

TEST_CASE("a wrong part of a bind address is named") {
    const std::string port = " has no valid port; allowed: a whole number from 0 to 65535";
    for (const std::string text : {"a:", "a:x", "a:65536", "a:-1", "a:+1", "a:80 ", "[::1]:", "[::1]:x", ":"}) {
        CHECK(error_of(text) == "'" + text + "'" + port);
    }
    CHECK(error_of("::1") == "'::1' is IPv6; write it in brackets: [::1]");
    CHECK(error_of("[1::2::3]") == "'[1::2::3]' has no valid IPv6 address between its brackets");
    CHECK(error_of("unix:") == "'unix:' has no path; write it as unix:PATH");
    CHECK(error_of("unix:@") == "'unix:@' has no path; write it as unix:PATH");
    CHECK(error_of("unix://") == "'unix://' has no path; write it as unix:PATH");
    for (const std::string text : {"fd://", "fd://x", "fd://-1", "fd://99999999999"}) {
        CHECK(error_of(text) == "'" + text + "' has no valid descriptor; write it as fd://N");
    }
}

TEST_CASE("a unix path that the system cannot hold is refused") {
    const std::string longest(107, 'a');
    CHECK(parse_bind("unix:" + longest).path == longest);
    CHECK(error_of("unix:" + longest + "a") ==
          "'unix:" + longest + "a' is too long; a unix socket's path has 107 bytes at most");
}

} // namespace
} // namespace cppcorn
