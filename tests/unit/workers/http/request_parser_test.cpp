#include <memory>

#include "tests/unit/workers/http/feeding.hpp"

using namespace http_feeding;

namespace {

const std::string chunked_post =
    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n";
const std::string counted_post = "POST /l HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nabcd";
const std::string plain_get = "GET /g HTTP/1.0\r\n\r\n";

} // namespace

TEST_CASE("http parser: pipelined requests are cut exactly") {
    const std::string all = chunked_post + plain_get + "\r\n" + counted_post + chunked_post;
    Limits limits;
    RequestParser parser(limits);
    std::string_view rest = all;
    for (std::string_view path : {"/c", "/g", "/l", "/c"}) {
        Outcome outcome = feed(parser, rest, [&] { return rest.size(); });
        REQUIRE(outcome.complete());
        CHECK(outcome.path == path);
        rest.remove_prefix(outcome.end);
        parser.reset();
    }
    CHECK(rest.empty());
}

TEST_CASE("http parser: an ended or refused message stays so until reset") {
    Limits limits;
    RequestParser parser(limits);
    CHECK(parser.next("GET\r\n").step == Step::refused);
    CHECK(parser.next(plain_get).step == Step::refused);
    CHECK(parser.refusal().status == 400);
    CHECK(parser.refusal().reason != std::string());
    parser.reset();
    CHECK(parser.refusal().status == 0);
    CHECK(parser.next(plain_get).step == Step::head);
    CHECK(parser.next(plain_get).step == Step::end);
    CHECK(parser.next(plain_get).step == Step::end);
    CHECK(parser.next(plain_get).consumed == 0);
    parser.reset();
    CHECK(parser.next(plain_get).step == Step::head);
}

TEST_CASE("http parser: reset forgets a message in any state") {
    Limits limits;
    RequestParser parser(limits);
    for (const std::string& message : {chunked_post, counted_post, get_with("Host: b\r\n"), get_with("A: b\r\n")}) {
        for (std::size_t size = 0; size < message.size(); ++size) {
            parser.reset();
            feed(parser, std::string_view(message).substr(0, size), [&] { return size; });
            parser.reset();
            Outcome outcome = feed(parser, chunked_post, [] { return std::size_t{9}; });
            REQUIRE(outcome.complete());
            REQUIRE(outcome.body == "abc");
            REQUIRE(outcome.fields.size() == 2);
            REQUIRE(parser.body_size() == 3);
        }
    }
}

TEST_CASE("http parser: body bytes come as they arrive, as views") {
    Limits limits;
    RequestParser parser(limits);
    Progress head = parser.next(counted_post);
    std::string_view rest = std::string_view(counted_post).substr(head.consumed);
    CHECK(parser.next("").step == Step::need_more);
    Progress some = parser.next(rest.substr(0, 3));
    CHECK(some.step == Step::body);
    CHECK(some.body.data() == rest.data());
    CHECK(some.consumed == 3);
    CHECK(parser.body_size() == 3);
    CHECK(parser.next(rest.substr(3)).body == "d");
    CHECK(parser.next("").step == Step::end);
}

TEST_CASE("http parser: chunk-size lines are consumed as they come") {
    Limits limits;
    RequestParser parser(limits);
    parser.next(chunked_post);
    CHECK(parser.next("3;ab").consumed == 4);
    CHECK(parser.next("c\r").consumed == 2);
    Progress data = parser.next("\nxy");
    CHECK(data.step == Step::body);
    CHECK(data.consumed == 3);
    CHECK(data.body == "xy");
}

TEST_CASE("http parser: the request line so far") {
    Limits limits;
    RequestParser parser(limits);
    auto so_far = [&](std::string_view bytes) {
        parser.reset();
        parser.next(bytes);
        return std::string(parser.request_line_so_far(bytes));
    };
    CHECK(so_far("") == "");
    CHECK(so_far("GET /a") == "GET /a");
    CHECK(so_far("\r\n\r\nGET /a HTTP/1.1\r\nHos") == "GET /a HTTP/1.1");
    CHECK(so_far("GET /a\nHost") == "GET /a");
    CHECK(so_far("GET /a HTTP/1.1\r\nHost : a\r\n") == "GET /a HTTP/1.1");
    CHECK(so_far(std::string(9000, 'a')).size() == 8190);

    parser.reset();
    Progress head = parser.next(counted_post);
    CHECK(parser.request_line_so_far(std::string_view(counted_post).substr(head.consumed)) == "POST /l HTTP/1.1");
}

TEST_CASE("http parser: a head follows its bytes") {
    Limits limits;
    RequestParser parser(limits);
    auto old_place = std::make_unique<std::string>("\r\nGET http://b?q HTTP/1.1\r\nHost: a\r\nA:\r\n\r\n");
    REQUIRE(parser.next(*old_place).step == Step::head);
    CHECK(parser.head().size == old_place->size());
    const std::string new_place = *old_place;
    parser.head().rebase(old_place->data(), new_place.data());
    old_place.reset();

    const RequestHead& head = parser.head();
    auto inside = [&](std::string_view view) {
        return view.data() >= new_place.data() && view.data() + view.size() <= new_place.data() + new_place.size();
    };
    for (std::string_view view : {head.line, head.method, head.target, head.query, head.authority}) CHECK(inside(view));
    for (const Field& field : head.fields) CHECK((inside(field.name) && inside(field.value)));
    CHECK(head.line == "GET http://b?q HTTP/1.1");
    CHECK(head.method == "GET");
    CHECK(head.query == "q");
    CHECK(head.authority == "b");
    CHECK(head.path == "/"); // of no bytes, and so it stays
    CHECK_FALSE(inside(head.path));
    REQUIRE(head.find("hOST"));
    CHECK(head.find("host")->value == "b");
    CHECK(head.find("a")->value.empty());
    CHECK_FALSE(head.find("b"));
}

TEST_CASE("http parser: no verdict depends on how the bytes were split") {
    const std::string seeds[] = {
        chunked_post, counted_post, plain_get, get_with("Connection: close\r\nA_b: c\r\nExpect: x\r\n"),
        "\r\n\r\nOPTIONS http://a:1/?b HTTP/1.1\r\nhost: c\r\nTransfer-Encoding: gzip\r\n\r\n"};
    const std::string_view bytes =
        "\r\n\r\n :;,/?#*AT_\t\x01\x80"
        "0179af-.";
    std::mt19937 random(20240229);
    auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    Rules rules;
    for (int round = 0; round < 3000; ++round) {
        std::string input = seeds[below(std::size(seeds))];
        for (std::size_t edits = 1 + below(3); edits > 0; --edits) {
            std::size_t at = below(input.size());
            if (below(2))
                input[at] = bytes[below(bytes.size())];
            else if (below(2))
                input.insert(at, 1 + below(3), bytes[below(bytes.size())]);
            else
                input.erase(at, 1 + below(3));
        }
        rules.limits = {16 + below(30), below(5), 10 + below(30), 30 + below(80), below(5)};
        rules.underscores = static_cast<UnderscoreNames>(below(3));
        CAPTURE(input);
        parse(input, rules);
    }
}
