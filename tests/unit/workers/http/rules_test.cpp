// The rules that every request is held to before anything is dispatched, one by one; each input is fed whole, byte by
// byte and split at random, and read by the oracle.
#include "tests/unit/workers/http/feeding.hpp"

using namespace http_feeding;

namespace {

const std::string chunked_head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string line_then_host(std::string_view line) {
    return std::string(line) + "\r\nHost: a\r\n\r\n";
}

std::string repeated(std::size_t count, std::string_view text) {
    std::string out;
    for (; count > 0; --count) out += text;
    return out;
}

// For what is too long for all the ways of parse(): in pieces of 1 to 3000 bytes.
Outcome parse_large(const std::string& input) {
    Limits limits;
    RequestParser parser(limits);
    Outcome whole = feed(parser, input, [&] { return input.size(); });
    std::mt19937 random(7);
    parser.reset();
    CHECK(feed(parser, input, [&] { return 1 + random() % 3000; }).text() == whole.text());
    CHECK(disagreement(whole, input) == "");
    return whole;
}

} // namespace

TEST_CASE("http rule 1: a bare CR or LF anywhere in a head is 400") {
    const std::string head = "GET /a HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n";
    for (std::size_t at = 0; at <= head.size() - 2; ++at) {
        if (at > 0 && head[at - 1] == '\r') continue; // that would be CR CR LF
        CAPTURE(at);
        const bool before_lf = head[at] == '\n' || head[at] == '\r';
        std::string with_lf = head, with_cr = head;
        CHECK(refusal_of(with_lf.insert(at, "\n")) == 400);
        if (!before_lf) CHECK(refusal_of(with_cr.insert(at, "\r")) == 400);
    }
    for (std::size_t at = head.find('\r'); at < head.size(); at = head.find('\r', at + 1)) {
        CAPTURE(at);
        std::string without_cr = head, without_lf = head, twice = head;
        CHECK(refusal_of(without_cr.erase(at, 1)) == 400);
        if (at + 2 < head.size()) CHECK(refusal_of(without_lf.erase(at + 1, 1)) == 400);
        CHECK(refusal_of(twice.insert(at, "\r")) == 400);
    }
}

TEST_CASE("http rule 2: no line begins with a blank") {
    for (const char* blank : {" ", "\t"}) {
        CHECK(refusal_of(blank + get_with("")) == 400);
        CHECK(refusal_of("GET / HTTP/1.1\r\n" + std::string(blank) + "Host: a\r\n\r\n") == 400);
        CHECK(refusal_of(get_with("A: b\r\n" + std::string(blank) + "c\r\n")) == 400);
        CHECK(refusal_of(get_with(std::string(blank) + "\r\n")) == 400);
    }
}

TEST_CASE("http rule 3: token, blank, target, blank, version; 505 and 501 only for what is well-formed") {
    CHECK(refusal_of(line_then_host("GET / HTTP/1.1")) == 0);
    CHECK(refusal_of(line_then_host("GET  / HTTP/1.1")) == 400);
    CHECK(refusal_of(line_then_host("GET / HTTP/2.0")) == 505);
    CHECK(refusal_of(line_then_host("GET / HTTP/2.0 ")) == 400);
    CHECK(refusal_of(line_then_host("G(T / HTTP/2.0")) == 400);
    CHECK(refusal_of(line_then_host("foo / HTTP/1.1")) == 501);
    CHECK(refusal_of(line_then_host("foo /\x01 HTTP/1.1")) == 400);
    CHECK(refusal_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);
}

TEST_CASE("http rule 4: 414 for the line, 431 for fields, their size and the head") {
    CHECK(refusal_of("GET /" + std::string(8177, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n") == 414);
    CHECK(refusal_of(get_with(repeated(100, "A: b\r\n"))) == 431);
    CHECK(refusal_of(get_with("A: " + std::string(8188, 'b') + "\r\n")) == 431);
    const Outcome flood = parse_large(get_with(repeated(10000, "A: b\r\n")));
    CHECK(flood.status == 431);
    CHECK(flood.reason == "too many fields");
    Rules rules;
    rules.limits.fields = 100000;
    CHECK(refusal_of(get_with(repeated(10000, "Abcdefgh: b\r\n")), rules) == 431);
}

TEST_CASE("http rule 4: an endless head is cut off while it comes") {
    Limits limits;
    for (const char* begin : {"", "GET /", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nA: "}) {
        RequestParser parser(limits);
        std::string bytes = begin;
        while (parser.next(bytes).step == Step::need_more) bytes.append(100, 'a');
        CAPTURE(begin);
        CHECK(bytes.size() < 8500);
        CHECK(parser.refusal().status == (bytes.find('\n') == std::string::npos ? 414 : 431));
    }
}

TEST_CASE("http rule 5: names are tokens, values have no control bytes, blanks around them go") {
    for (int code = 0; code < 256; ++code) {
        CAPTURE(code);
        const char c = static_cast<char>(code);
        if (c == '\r' || c == '\n' || c == ':') continue;
        const bool letter = std::isalnum(code) != 0 && code < 128;
        const bool token =
            letter || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
        CHECK(refusal_of(get_with("A" + std::string(1, c) + "b: x\r\n")) == (token ? 0 : 400));
        const bool text = c == '\t' || (code >= 32 && code != 127);
        CHECK(refusal_of(get_with("A: x" + std::string(1, c) + "y\r\n")) == (text ? 0 : 400));
    }
    CHECK(parse(get_with("A:  b\tc \t\r\n")).fields.at(1).second == "b\tc");
    CHECK(refusal_of(get_with(": b\r\n")) == 400);
    CHECK(parse(get_with("A_b: c\r\n")).fields.size() == 1);
    CHECK(refusal_of(get_with("A_b: c\r\n"), {{}, UnderscoreNames::refuse}) == 400);
    CHECK(parse(get_with("A_b: c\r\n"), {{}, UnderscoreNames::keep}).fields.size() == 2);
}

TEST_CASE("http rule 6: one Host, and the target's authority wins") {
    CHECK(refusal_of("GET / HTTP/1.1\r\n\r\n") == 400);
    CHECK(refusal_of(get_with("Host: a\r\n")) == 400);
    CHECK(refusal_of("GET / HTTP/1.0\r\n\r\n") == 0);
    CHECK(refusal_of("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n") == 400);
    CHECK(refusal_of("GET / HTTP/1.1\r\nHost:\r\n\r\n") == 0);
    const Outcome outcome = parse(line_then_host("GET http://b:1/ HTTP/1.1"));
    CHECK(outcome.authority == "b:1");
    CHECK(outcome.fields.at(0).second == "b:1");
    CHECK(refusal_of(line_then_host("GET http://u@b/ HTTP/1.1")) == 400);
}

TEST_CASE("http rule 6: IPv6 addresses are real ones") {
    auto host = [](std::string_view text) {
        return refusal_of("GET / HTTP/1.1\r\nHost: [" + std::string(text) + "]\r\n\r\n");
    };
    for (const char* good : {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "2001:DB8::a", "::ffff:1.2.3.4"}) {
        CAPTURE(good);
        CHECK(host(good) == 0);
    }
    for (const char* bad :
         {"", ":", ":::", "1", "1:2", "1:2:3:4:5:6:7:8:9", "::12345", "1::2::3", "::g", "::1.2.3", "1.2.3.4",
          "::1%25lo", "v1.a", " ::1", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
        CAPTURE(bad);
        CHECK(host(bad) == 400);
        CHECK(refusal_of(line_then_host("GET http://[" + std::string(bad) + "]/ HTTP/1.1")) == 400);
    }
}

TEST_CASE("http rule 7: Transfer-Encoding is one chunked, on 1.1, without a length") {
    auto post = [](std::string_view fields, std::string_view version = "1.1") {
        return refusal_of("POST / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) +
                          "\r\n0\r\n\r\n");
    };
    CHECK(post("Transfer-Encoding: CHUNKED\r\n") == 0);
    CHECK(post("Transfer-Encoding: chunked\r\n", "1.0") == 400);
    CHECK(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") == 400);
    CHECK(post("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n") == 400);
    CHECK(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == 400);
    CHECK(post("Transfer-Encoding: gzip, chunked\r\n") == 501);
    CHECK(post("Transfer-Encoding: gzip\r\n") == 501);
    CHECK(post("Transfer-Encoding: chunked, gzip\r\n") == 400);
}

TEST_CASE("http rule 8: one Content-Length of at most 18 digits, one Content-Type") {
    CHECK(refusal_of(get_with("Content-Length: 1\r\n") + "x") == 0);
    CHECK(refusal_of(get_with("Content-Length: 1\r\nContent-Length: 1\r\n") + "x") == 400);
    CHECK(refusal_of(get_with("Content-Length: " + std::string(18, '9') + "\r\n")) == -1);
    CHECK(refusal_of(get_with("Content-Length: " + std::string(19, '0') + "\r\n")) == 400);
    for (char c : std::string_view("+-.,;xX_e\"")) {
        CAPTURE(c);
        CHECK(refusal_of(get_with("Content-Length: " + std::string(1, c) + "1\r\n") + "x") == 400);
        CHECK(refusal_of(get_with("Content-Length: 1" + std::string(1, c) + "1\r\n") + "x") == 400);
    }
    CHECK(refusal_of(get_with("Content-Type: a/b\r\nContent-Type: a/b\r\n")) == 400);
}

TEST_CASE("http rule 9: * is for OPTIONS, no fragment, no CONNECT, no absolute-form without authority") {
    CHECK(refusal_of(line_then_host("OPTIONS * HTTP/1.1")) == 0);
    CHECK(refusal_of(line_then_host("GET * HTTP/1.1")) == 400);
    CHECK(refusal_of(line_then_host("GET /a#b HTTP/1.1")) == 400);
    CHECK(refusal_of(line_then_host("CONNECT a:443 HTTP/1.1")) == 501);
    CHECK(refusal_of(line_then_host("GET http:///a HTTP/1.1")) == 400);
}

TEST_CASE("http rule 10: a body beyond the limit is 413 before any of it is read") {
    Rules rules;
    rules.limits.body = 10;
    const Outcome counted = parse(get_with("Expect: 100-continue\r\nContent-Length: 11\r\n"), rules);
    CHECK(counted.status == 413);
    CHECK_FALSE(counted.head_seen);
    CHECK(refusal_of(chunked_head + "b\r\n", rules) == 413);
    CHECK(refusal_of(chunked_head + "a\r\n0123456789\r\n0\r\n\r\n", rules) == 0);
    CHECK(parse(chunked_head + "a\r\n0123456789\r\n1\r\n", rules).body == "0123456789");
    CHECK(refusal_of(chunked_head + "a\r\n0123456789\r\n1\r\n", rules) == 413);
}

TEST_CASE("http rule 11: chunk-size lines, extensions and trailers have an end") {
    CHECK(parse_large(chunked_head + repeated(8300, "1\r\nx\r\n") + "0\r\n\r\n").status == 400);
    CHECK(parse_large(chunked_head + "1;" + std::string(1 << 20, 'a') + "\r\nx\r\n0\r\n\r\n").status == 400);
    CHECK(parse_large(chunked_head + "1;a=\"" + std::string(1 << 20, ';') + "\"\r\nx\r\n0\r\n\r\n").status == 400);
    CHECK(parse_large(chunked_head + std::string(1 << 20, '0') + "1\r\nx\r\n0\r\n\r\n").status == 400);
    CHECK(parse_large(chunked_head + "0\r\n" + repeated(10000, "A: b\r\n") + "\r\n").status == 431);
    CHECK(parse_large(chunked_head + "0\r\nA: " + std::string(1 << 20, 'b') + "\r\n\r\n").status == 431);
}

TEST_CASE("http rule 11: an extension has a name, a value where it says so, and quotes only around one") {
    auto chunk = [](std::string_view extension) {
        return refusal_of(chunked_head + "1" + std::string(extension) + "\r\nx\r\n0\r\n\r\n");
    };
    for (const char* good :
         {"", ";a", ";a=b", ";a=\"b c\"", ";a=\"\"", ";a=\";\xe9\t\"", ";a;b", ";a=b;c=\"d\";e", "; a", " ;a", ";a ;b",
          ";a =b", ";a= b", " \t;\ta\t=\t\"b\"\t;c", ";a=\"\\\"\"", ";a=\"\\\\\""}) {
        CAPTURE(good);
        CHECK(chunk(good) == 0);
    }
    for (const char* bad :
         {";",  ";=b",  ";a=",    ";a=\"",   ";a=b\"",      ";a=b\"c\"",   ";a=\"b\"c", ";a\"b\"",      ";a=b=c",
          "=a", ";a b", ";a=b c", ";a ",     ";a=b ",       ";a=\"b\" ",   "; ",        ";a;",          ";;a",
          " ",  "\t",   ";\xe9",  ";a=\xe9", ";a=\"\x01\"", ";a=\"\x7f\"", ";a=\"\\\"", ";a=\"\\\x01\""}) {
        CAPTURE(bad);
        CHECK(chunk(bad) == 400);
    }
}

TEST_CASE("http rule 12: trailers are held to rules 1, 2 and 5, frame nothing, and are forgotten") {
    auto trailer = [](std::string_view lines) { return chunked_head + "0\r\n" + std::string(lines) + "\r\n"; };
    CHECK(parse(trailer("A: b\r\n")).fields.size() == 2);
    for (const char* bad : {"A: b\n", "A: b\rc\r\n", " A: b\r\n", "A: b\r\n c\r\n", "A : b\r\n", ": b\r\n",
                            "A: \x01\r\n", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "Host: a\r\n"}) {
        CAPTURE(bad);
        CHECK(refusal_of(trailer(bad)) == 400);
    }
    CHECK(parse(trailer("Connection: close\r\n")).keep_alive);
}

TEST_CASE("http rule 13: at most two empty lines before a request") {
    CHECK(refusal_of("\r\n\r\n" + get_with("")) == 0);
    CHECK(refusal_of("\r\n\r\n\r\n" + get_with("")) == 400);
    CHECK(parse_large(repeated(100000, "\r\n")).status == 400);
}
