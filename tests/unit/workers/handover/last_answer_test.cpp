#include "workers/handover/last_answer.hpp"

#include <string>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

constexpr std::int64_t date = 1795770644;

} // namespace

TEST_CASE("the answer to a request whose worker has died is a 500") {
    const LastAnswer answer(false, false, {}, date);
    CHECK(answer.text() ==
          "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Length: 26\r\nServer: cppcorn\r\nDate: Fri, 27 Nov 2026 09:10:44 GMT\r\n"
          "Connection: close\r\n\r\n500 Internal Server Error\n");
}

TEST_CASE("one that overran its time is answered with 504") {
    const std::string text(LastAnswer(true, false, {}, date).text());
    CHECK(text.rfind("HTTP/1.1 504 Gateway Timeout\r\n", 0) == 0);
    const std::string body = text.substr(text.find("\r\n\r\n") + 4);
    CHECK(body == "504 Gateway Timeout\n");
    CHECK(text.find("Content-Length: " + std::to_string(body.size()) + "\r\n") != std::string::npos);
}

TEST_CASE("an answer to HEAD has the same head and no body") {
    for (const bool overran : {false, true}) {
        const LastAnswer get(overran, false, "an-id", date);
        const LastAnswer head(overran, true, "an-id", date);
        const auto end = get.text().find("\r\n\r\n") + 4;
        CHECK(head.text() == get.text().substr(0, end));
    }
}

TEST_CASE("the last answer names the request, unless its id is none any more") {
    const std::string id(200, 'x');
    const std::string text(LastAnswer(false, false, id, date).text());
    const std::string body = text.substr(text.find("\r\n\r\n") + 4);
    CHECK(body == "500 Internal Server Error\nRequest id: " + id + "\n");
    CHECK(text.find("Content-Length: " + std::to_string(body.size()) + "\r\n") != std::string::npos);
    for (const std::string& bad :
         {std::string(201, 'x'), std::string("a b"), std::string("a\0b", 3), std::string("\n")}) {
        CHECK(LastAnswer(false, false, bad, date).text() == LastAnswer(false, false, {}, date).text());
    }
}
