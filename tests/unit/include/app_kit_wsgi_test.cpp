// app.hpp's WSGI shape: the environ's names, start_response, and the kinds of bodies.
#include <stdexcept>

#include <cppcorn/app.hpp>

#include "tests/catch.hpp"
#include "tests/unit/include/app_kit_host.hpp"

using namespace cppcorn;
using app_kit_test::Exchange;
using app_kit_test::LoadedApp;
using app_kit_test::Pairs;
using Catch::Matchers::Contains;

namespace {

Pairs seen;

Body show(const Environ& env, StartResponse& start_response) {
    start_response("200 OK");
    seen.assign(env.begin(), env.end());
    CHECK(env["REQUEST_METHOD"] == "POST");
    CHECK(env.get("REQUEST_METHOD") == "POST");
    CHECK(env.get("NO_SUCH") == "");
    CHECK(env.get("NO_SUCH", "x") == "x");
    CHECK_FALSE(env.contains("NO_SUCH"));
    CHECK_THROWS_WITH(env["NO_SUCH"], "the environ has no NO_SUCH");
    env.errors().write("a line");
    return env.input().read_all();
}
CPPCORN_APP(show)

Body generator(int pieces) {
    return [i = 0, pieces]() mutable -> std::optional<std::string> {
        if (i == pieces) return std::nullopt;
        if (i == 2) throw std::runtime_error("in the generator");
        return std::to_string(i++);
    };
}

Body wsgi_cases(const Environ& env, StartResponse& start_response) {
    const std::string& path = env["PATH_INFO"];
    if (path == "/no-start") return "x";
    if (path == "/no-start-generator") return generator(1);
    if (path == "/throw") throw std::runtime_error("before");
    if (path == "/late") {
        return [&start_response]() -> std::optional<std::string> {
            if (start_response.called()) return std::nullopt;
            start_response("201 Created", {{"X-Late", "yes"}});
            return "late";
        };
    }
    if (path == "/bad-status") start_response("OK");
    start_response("200 OK", {{"Content-Type", "text/plain"}});
    if (path == "/twice") start_response("200 OK");
    if (path == "/list") return std::vector<std::string>{"a", "b"};
    if (path == "/generator") return generator(2);
    if (path == "/generator-throw") return generator(3);
    return "text";
}
CPPCORN_APP(wsgi_cases)

Exchange get(const std::string& path) {
    return LoadedApp(cppcorn_app_wsgi_cases).get(path);
}

} // namespace

TEST_CASE("app kit: the environ has the CGI and WSGI names, sorted", "[app_kit]") {
    Exchange exchange;
    exchange.method = "POST";
    exchange.target = "/shop/a%20b?x=1";
    exchange.path = "/a b";
    exchange.script_name = "/shop";
    exchange.scheme = "https";
    exchange.query = "x=1";
    exchange.body = "hello";
    exchange.fields = {{"Host", "example.org:8000"},
                       {"Content-Type", "text/plain"},
                       {"content-length", "5"},
                       {"X-Forwarded-For", "a"},
                       {"Cookie", "a=1"},
                       {"x-forwarded-for", "b"},
                       {"cookie", "b=2"}};
    LoadedApp(cppcorn_app_show).serve(exchange);
    CHECK(exchange.response_body == "hello");
    CHECK(exchange.log == Pairs{{"3", "a line"}});
    const Pairs expected{{"CONTENT_LENGTH", "5"},           {"CONTENT_TYPE", "text/plain"},
                         {"HTTP_COOKIE", "a=1; b=2"},       {"HTTP_HOST", "example.org:8000"},
                         {"HTTP_X_FORWARDED_FOR", "a,b"},   {"PATH_INFO", "/a b"},
                         {"QUERY_STRING", "x=1"},           {"RAW_URI", "/shop/a%20b?x=1"},
                         {"REMOTE_ADDR", "192.0.2.1"},      {"REMOTE_PORT", "5000"},
                         {"REQUEST_METHOD", "POST"},        {"SCRIPT_NAME", "/shop"},
                         {"SERVER_NAME", "127.0.0.1"},      {"SERVER_PORT", "8000"},
                         {"SERVER_PROTOCOL", "HTTP/1.1"},   {"SERVER_SOFTWARE", "cppcorn/test"},
                         {"wsgi.input_terminated", "true"}, {"wsgi.multiprocess", "true"},
                         {"wsgi.multithread", "false"},     {"wsgi.run_once", "false"},
                         {"wsgi.url_scheme", "https"},      {"wsgi.version", "1.0"}};
    CHECK(seen == expected);
}

TEST_CASE("app kit: on a unix socket the server's name is what the client calls it", "[app_kit]") {
    const auto server = [](const char* authority) {
        Exchange exchange;
        exchange.method = "POST";
        exchange.server_port = 0;
        exchange.authority = authority;
        LoadedApp(cppcorn_app_show).serve(exchange);
        std::string text;
        for (const auto& [name, value] : seen) {
            if (name == "SERVER_NAME" || name == "SERVER_PORT") text += value + " ";
        }
        return text;
    };
    CHECK(server("example.org") == "example.org 80 ");
    CHECK(server("example.org:81") == "example.org 81 ");
    CHECK(server("[2001:db8::1]") == "[2001:db8::1] 80 ");
    CHECK(server("[2001:db8::1]:81") == "[2001:db8::1] 81 ");
    CHECK(server("") == "/run/app.sock 80 ");
}

TEST_CASE("app kit: WSGI bodies", "[app_kit]") {
    CHECK(get("/text").response_fields == Pairs{{"Content-Type", "text/plain"}, {"Content-Length", "4"}});
    CHECK(get("/list").response_body == "ab");
    CHECK(get("/generator").response_body == "01");
    CHECK(get("/generator").flushes == 2);
    CHECK(get("/generator").field("Content-Length") == "(none)");
    CHECK(get("/late").status == 201);
    CHECK(get("/late").response_fields == Pairs{{"X-Late", "yes"}});
    CHECK(get("/late").response_body == "late");
}

TEST_CASE("app kit: WSGI failures", "[app_kit]") {
    for (const char* const path : {"/no-start", "/no-start-generator"}) {
        CHECK_THAT(get(path).failure, Contains("did not call start_response"));
        CHECK(get(path).starts == 0);
    }
    CHECK_THAT(get("/throw").failure, Contains("before"));
    CHECK_THAT(get("/bad-status").failure, Contains("no status: \"OK\""));
    CHECK_THAT(get("/twice").failure, Contains("start_response called twice"));
    CHECK(get("/twice").starts == 0);
    const Exchange late = get("/generator-throw");
    CHECK(late.response_body == "01");
    CHECK_THAT(late.failure, Contains("in the generator"));
}

TEST_CASE("app kit: status lines", "[app_kit]") {
    const auto status = [](const char* text) {
        StartResponse start_response;
        start_response(text);
        return start_response.status();
    };
    CHECK(status("404 Not Found") == 404);
    CHECK(status("200") == 200);
    for (const char* const bad : {"", "20", "2000 OK", "abc", "-20 OK", "2 0 OK", "099 Low"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(status(bad), std::invalid_argument);
    }
}
