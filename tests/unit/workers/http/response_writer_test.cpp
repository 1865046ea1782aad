#include "workers/http/response_writer.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "workers/http/error_response.hpp"
#include "workers/http/fixdate.hpp"
#include "workers/http/status.hpp"

using namespace cppcorn;
using namespace cppcorn::http;

namespace {

ResponseContext context(int minor = 1, bool keep_alive = true, bool head_request = false) {
    return {head_request, minor, keep_alive, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "Server: cppcorn\r\n"};
}

const std::string common = "Server: cppcorn\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

struct Written {
    std::string text;
    bool whole = false;
    bool keep_alive = false;
    std::uint64_t body_size = 0;
};

Written write(const ResponseContext& context, int status, std::vector<Field> fields,
              std::vector<std::string_view> pieces) {
    Written written;
    ResponseWriter writer;
    Bytes out;
    REQUIRE(writer.begin(context, status, fields, out));
    REQUIRE(writer.status() == status);
    for (std::string_view piece : pieces) writer.body(piece, out);
    written.whole = writer.end(out);
    written.text = out;
    written.keep_alive = writer.keep_alive();
    written.body_size = writer.body_size();
    return written;
}

} // namespace

TEST_CASE("http response: a body of declared length") {
    Written written = write(context(), 200, {{"Content-Length", "5"}, {"X", " y "}}, {"ab", "", "cde"});
    CHECK(written.text == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n" + common + "\r\nabcde");
    CHECK(written.whole);
    CHECK(written.keep_alive);
    CHECK(written.body_size == 5);
}

TEST_CASE("http response: more than declared is cut, less closes") {
    Bytes out;
    ResponseWriter writer;
    REQUIRE(writer.begin(context(), 200, std::vector<Field>{{"content-length", "3"}}, out));
    out.clear();
    CHECK(writer.body("ab", out) == 2);
    CHECK(writer.body("cde", out) == 1);
    CHECK(writer.body("f", out) == 0);
    CHECK(out == "abc");
    CHECK(writer.body_size() == 3);
    CHECK(writer.end(out));
    CHECK(writer.keep_alive());

    Written written = write(context(), 200, {{"Content-Length", "3"}}, {"ab"});
    CHECK_FALSE(written.whole);
    CHECK_FALSE(written.keep_alive);
    CHECK_FALSE(write(context(), 200, {{"Content-Length", "1"}}, {}).whole);
}

TEST_CASE("http response: a body of unknown length") {
    const std::string large(300, 'x');
    Written chunked = write(context(1), 200, {}, {"ab", "", large});
    CHECK(chunked.text == "HTTP/1.1 200 OK\r\n" + common + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n12c\r\n" +
                              large + "\r\n0\r\n\r\n");
    CHECK(chunked.keep_alive);
    CHECK(chunked.body_size == 302);
    CHECK(write(context(1), 200, {}, {}).text ==
          "HTTP/1.1 200 OK\r\n" + common + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");

    Written closing = write(context(0), 200, {}, {"ab", "c"});
    CHECK(closing.text == "HTTP/1.1 200 OK\r\n" + common + "Connection: close\r\n\r\nabc");
    CHECK_FALSE(closing.keep_alive);
    CHECK(closing.whole);
}

TEST_CASE("http response: Connection says what happens to it") {
    const std::vector<Field> length = {{"Content-Length", "0"}};
    const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + common;
    CHECK(write(context(1, true), 200, length, {}).text == start + "\r\n");
    CHECK(write(context(1, false), 200, length, {}).text == start + "Connection: close\r\n\r\n");
    CHECK(write(context(0, true), 200, length, {}).text == start + "Connection: keep-alive\r\n\r\n");
    CHECK(write(context(0, false), 200, length, {}).text == start + "Connection: close\r\n\r\n");
    Written asked = write(context(), 200, {{"Content-Length", "0"}, {"connection", "x, Close"}}, {});
    CHECK(asked.text == start + "Connection: close\r\n\r\n");
    CHECK_FALSE(asked.keep_alive);
}

TEST_CASE("http response: no body for HEAD, 204, 205 and 304") {
    const std::vector<Field> length = {{"Content-Length", "5"}};
    Written head = write(context(1, true, true), 200, length, {"abcde", "more"});
    CHECK(head.text == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + common + "\r\n");
    CHECK(head.whole);
    CHECK(head.keep_alive);
    CHECK(head.body_size == 0);
    CHECK(write(context(1, true, true), 200, {}, {"a"}).text == "HTTP/1.1 200 OK\r\n" + common + "\r\n");
    CHECK(write(context(0, true, true), 200, {}, {"a"}).keep_alive);
    CHECK(write(context(), 204, length, {"a"}).text == "HTTP/1.1 204 No Content\r\n" + common + "\r\n");
    CHECK(write(context(), 304, length, {"a"}).text ==
          "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n" + common + "\r\n");
    CHECK(write(context(), 304, {}, {}).text == "HTTP/1.1 304 Not Modified\r\n" + common + "\r\n");

    const std::string reset = "HTTP/1.1 205 Reset Content\r\n" + common;
    CHECK(write(context(), 205, length, {"a"}).text == reset + "Content-Length: 0\r\n\r\n");
    CHECK(write(context(), 205, {}, {"a"}).text == reset + "Content-Length: 0\r\n\r\n");
    CHECK(write(context(1, true, true), 205, {}, {}).text == reset + "Content-Length: 0\r\n\r\n");
    CHECK(write(context(0, true), 205, {}, {"a"}).keep_alive);

    ResponseWriter writer;
    Bytes out;
    std::string_view after = "x";
    REQUIRE(writer.begin(context(1, true, true), 200, {}, out));
    out.clear();
    CHECK(writer.body("abc", out) == 3);
    CHECK(writer.body_announced(5, out, after) == 0);
    CHECK(after.empty());
    CHECK(out.empty());
}

TEST_CASE("http response: the app's own Date and Server win, hop-by-hop fields go") {
    Written written = write(context(), 200,
                            {{"date", "now"},
                             {"SERVER", "mine"},
                             {"Content-Length", "0"},
                             {"Connection", "x"},
                             {"Keep-Alive", "a"},
                             {"Proxy-Connection", "a"},
                             {"TE", "a"},
                             {"Trailer", "a"},
                             {"Upgrade", "a"},
                             {"transfer-encoding", "gzip"},
                             {"Set-Cookie", "a"},
                             {"Set-Cookie", "b"}},
                            {});
    CHECK(
        written.text ==
        "HTTP/1.1 200 OK\r\ndate: now\r\nSERVER: mine\r\nContent-Length: 0\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n");
}

TEST_CASE("http response: a 426 keeps its Upgrade, and says so in Connection") {
    const std::vector<Field> fields = {{"Upgrade", "TLS/1.0"}, {"connection", "Upgrade"}, {"Content-Length", "0"}};
    const std::string start =
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.0\r\nContent-Length: 0\r\n" + common + "Connection: ";
    CHECK(write(context(), 426, fields, {}).text == start + "upgrade\r\n\r\n");
    CHECK(write(context(1, false), 426, fields, {}).text == start + "close, upgrade\r\n\r\n");
    CHECK(write(context(0, true), 426, fields, {}).text == start + "keep-alive, upgrade\r\n\r\n");
}

TEST_CASE("http response: what is refused leaves nothing behind") {
    auto refused = [](int status, std::vector<Field> fields) {
        Bytes out = "before";
        ResponseWriter writer;
        bool begun = writer.begin(context(), status, fields, out);
        CHECK(out.compare(0, 6, "before") == 0);
        CHECK(begun == (out.size() > 6));
        CHECK(begun == writer.begun());
        return !begun;
    };
    CHECK_FALSE(refused(200, {{"A", "b\tc\xff"}}));
    CHECK_FALSE(refused(599, {}));
    for (int status : {0, 99, 100, 101, 199, 600, 1000, -200}) CHECK(refused(status, {}));
    for (std::string_view name : {"", "A b", "A:", "A\r\nB", "A\n", "\xc3\xa9"}) CHECK(refused(200, {{name, "x"}}));
    CHECK(refused(200, {{std::string_view("A\0", 2), "x"}}));
    for (std::string_view value : {"a\r\nB: c", "a\n", "\r", "a\x01", "0123456789\x7f", "01234567\n"})
        CHECK(refused(200, {{"A", value}}));
    CHECK(refused(200, {{"A", std::string_view("a\0", 2)}}));
    CHECK(refused(200, {{"Connection", "a\nb"}}));
    for (std::string_view value : {"", "-1", "+1", "1a", "1, 1", "0x1", "1234567890123456789"}) {
        CHECK(refused(200, {{"Content-Length", value}}));
        CHECK(refused(204, {{"Content-Length", value}}));
    }
    CHECK(refused(200, {{"Content-Length", "1"}, {"content-length", "1"}}));
}

TEST_CASE("http response: bytes that the caller sends itself") {
    Bytes out;
    std::string_view after;
    ResponseWriter chunked;
    REQUIRE(chunked.begin(context(), 200, {}, out));
    out.clear();
    CHECK(chunked.body_announced(0x1234567890, out, after) == 0x1234567890);
    CHECK(out == "1234567890\r\n");
    CHECK(after == "\r\n");
    out.clear();
    CHECK(chunked.body_announced(0, out, after) == 0);
    CHECK(out.empty());
    CHECK(after.empty());
    CHECK(chunked.body_size() == 0x1234567890);

    ResponseWriter counted;
    REQUIRE(counted.begin(context(), 200, std::vector<Field>{{"Content-Length", "5"}}, out));
    out.clear();
    CHECK(counted.body_announced(3, out, after) == 3);
    CHECK(counted.body_announced(3, out, after) == 2);
    CHECK(counted.body_announced(3, out, after) == 0);
    CHECK(out.empty());
    CHECK(after.empty());
    CHECK(counted.end(out));
}

TEST_CASE("http response: the end comes once") {
    Bytes out;
    ResponseWriter writer;
    REQUIRE(writer.begin(context(), 200, {}, out));
    out.clear();
    CHECK_FALSE(writer.ended());
    CHECK(writer.end(out));
    CHECK(writer.ended());
    CHECK(writer.end(out));
    CHECK(writer.body("late", out) == 0);
    CHECK(out == "0\r\n\r\n");
}

TEST_CASE("http response: reason phrases") {
    CHECK(reason_phrase(200) == "OK");
    CHECK(reason_phrase(308) == "Permanent Redirect");
    CHECK(reason_phrase(413) == "Content Too Large");
    CHECK(reason_phrase(505) == "HTTP Version Not Supported");
    for (int status : {0, 100, 299, 306, 418, 499, 509, 599, 700, -1}) CHECK(reason_phrase(status) == "Unknown");
}

TEST_CASE("http response: dates") {
    CHECK(imf_fixdate(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(imf_fixdate(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(imf_fixdate(951782400) == "Tue, 29 Feb 2000 00:00:00 GMT");
    CHECK(imf_fixdate(1735689599) == "Tue, 31 Dec 2024 23:59:59 GMT");
    CHECK(imf_fixdate(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
    CHECK(imf_fixdate(4102444800) == "Fri, 01 Jan 2100 00:00:00 GMT");
}

TEST_CASE("http error response: plain text") {
    CHECK(error_response(context(1, false), 404, "*/*") ==
          "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n" + common +
              "Connection: close\r\n\r\n404 Not Found\n");
    CHECK(error_response(context(1, true), 404, "").find("Connection") == std::string::npos);
    std::string head = error_response(context(1, true, true), 503, "");
    CHECK(head.find("Content-Length: 24\r\n") != std::string::npos);
    CHECK(head.substr(head.size() - 4) == "\r\n\r\n");
}

TEST_CASE("http error response: names the request in each form") {
    const auto body_for = [](const char* accept) {
        const std::string response = error_response(context(), 404, accept, "0123456789abcdef0123");
        const std::string body = response.substr(response.find("\r\n\r\n") + 4);
        CHECK(response.find("Content-Length: " + std::to_string(body.size()) + "\r\n") != std::string::npos);
        return body;
    };
    CHECK(body_for("") == "404 Not Found\nRequest id: 0123456789abcdef0123\n");
    CHECK(body_for("text/html").find("</h1><p>Request id: 0123456789abcdef0123</p></body>") != std::string::npos);
    CHECK(body_for("application/json") ==
          R"({"type":"about:blank","title":"Not Found","status":404,"request_id":"0123456789abcdef0123"})"
          "\n");
}

TEST_CASE("http error response: what a refused head wants is looked for in its bytes") {
    CHECK(accept_in_refused("GET / HTTP/1.1\r\nbad line\r\nACCEPT: text/html \r\nX: y\r\n\r\n") == "text/html");
    CHECK(accept_in_refused("GET / HTTP/1.1\nAccept:text/plain\n\n") == "text/plain");
    CHECK(accept_in_refused("GET / HTTP/1.1\r\nAccept: text/ht") == "text/ht");
    CHECK(accept_in_refused("GET / HTTP/1.1\r\nX-Accept: text/html\r\n\r\n").empty());
    CHECK(accept_in_refused("").empty());
}

TEST_CASE("http error response: HTML for those who prefer it") {
    struct Case {
        std::string_view accept;
        bool html;
    };
    auto [accept, html] = GENERATE(values<Case>({
        {"", false},
        {"*/*", false},
        {"text/html", true},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
        {"text/html, */*", true},
        {"TEXT/HTML", true},
        {"text/*", false},
        {"text/plain, text/html", false},
        {"text/html;q=0.5, text/plain;q=0.8", false},
        {"text/html;level=1; Q=0.9, text/*;q=0.45", true},
        {"text/html;q=0", false},
        {"text/html;q=0, text/plain;q=0", false},
        {"text/htmlx", false},
        {"application/json", false},
        {",;q=,text/", false},
    }));
    CAPTURE(accept);
    std::string response = error_response(context(), 404, accept);
    CHECK((response.find("<h1>404 Not Found</h1>") != std::string::npos) == html);
    CHECK((response.find("Content-Type: text/html; charset=utf-8\r\n") != std::string::npos) == html);
}

TEST_CASE("http error response: problem details for those who ask for JSON") {
    struct Case {
        std::string_view accept;
        std::string_view type;
    };
    const std::string_view problem = "application/problem+json", plain = "text/plain; charset=utf-8",
                           html = "text/html; charset=utf-8";
    auto [accept, type] = GENERATE_COPY(values<Case>({
        {"", plain},
        {"*/*", plain},
        {"application/json", problem},
        {"application/problem+json", problem},
        {"APPLICATION/JSON", problem},
        {"application/json; charset=utf-8", problem},
        {"application/json, text/plain, */*", problem}, // a library of many
        {"application/json, */*;q=0.5", problem},
        {"application/json;q=0.9, */*;q=0.8", problem},
        {"application/json;q=0.1", problem},
        {"application/*", problem},
        {"application/*, */*;q=0.1", problem},
        {"text/html, application/json", problem},
        {"text/html, application/json;q=0.9", html},
        {"text/plain, application/json;q=0.9", plain},
        {"text/plain;q=0.9, application/problem+json", problem},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", html},
        {"application/json;q=0", plain},
        {"application/json;q=0, */*", plain},
        {"application/problem+json;q=0, application/json", plain},
        {"application/problem+json;q=0.2, application/json;q=0.9, text/plain;q=0.5", problem},
        {"application/jsonx", plain},
        {"application/xml", plain},
        {"application", plain},
        {"application/", plain},
    }));
    CAPTURE(accept);
    const std::string response = error_response(context(), 413, accept);
    CHECK(response.find("Content-Type: " + std::string(type) + "\r\n") != std::string::npos);
    if (type == problem) {
        const std::string_view body = R"({"type":"about:blank","title":"Content Too Large","status":413})";
        CHECK(response.substr(response.find("\r\n\r\n") + 4) == std::string(body) + "\n");
    }
}

TEST_CASE("http error response: no phrase needs escaping in JSON") {
    for (int status = 200; status < 600; ++status) {
        for (const char c : reason_phrase(status)) CHECK((c >= ' ' && c <= '~' && c != '"' && c != '\\'));
    }
}
