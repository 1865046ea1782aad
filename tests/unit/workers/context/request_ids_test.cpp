#include "workers/context/request_ids.hpp"

#include <set>
#include <string>

#include "tests/catch.hpp"
#include "workers/http/request_marks.hpp"

namespace cppcorn {
namespace {

std::string next(RequestIds& ids) {
    RequestIdText text;
    ids.make(text);
    return {text.data(), text.size()};
}

TEST_CASE("request ids: 32 hexadecimal digits, of which the last 16 are the worker's") {
    RequestIds ids({0x0123456789abcdef, 1});
    const std::string one = next(ids);
    CHECK(one.substr(16) == "0123456789abcdef");
    CHECK(one.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(http::is_request_id(one));
}

TEST_CASE("request ids: no two of a worker are equal, nor begin alike") {
    RequestIds ids({1, 2});
    std::set<std::string> beginnings;
    for (int i = 0; i < 1000; ++i) beginnings.insert(next(ids).substr(0, 10));
    CHECK(beginnings.size() == 1000);
}

TEST_CASE("request ids: two workers have nothing in common") {
    RequestIds one(RequestIds::random_seed());
    RequestIds other(RequestIds::random_seed());
    const std::string a = next(one);
    const std::string b = next(other);
    CHECK(a.substr(0, 16) != b.substr(0, 16));
    CHECK(a.substr(16) != b.substr(16));
}

} // namespace
} // namespace cppcorn
