#include "server/control/top/quantities.hpp"

#include <limits>

#include "tests/catch.hpp"

namespace cppcorn::top {
namespace {

TEST_CASE("top: times are as exact as they are short") {
    CHECK(time_text({}) == "-");
    CHECK(time_text(0) == "0us");
    CHECK(time_text(-1) == "0us");
    CHECK(time_text(0.000'350) == "350us");
    CHECK(time_text(0.001) == "1.0ms");
    CHECK(time_text(0.0421) == "42ms");
    CHECK(time_text(1.04) == "1.0s");
    CHECK(time_text(59.7) == "60s");
    CHECK(time_text(119.4) == "119s");
    CHECK(time_text(120) == "2.0min");
    CHECK(time_text(3600) == "60min");
    CHECK(time_text(7200) == "2.0h");
    CHECK(time_text(47 * 3600) == "47h");
    CHECK(time_text(12 * 86'400) == "12d");
    CHECK(time_text(std::numeric_limits<double>::infinity()) == "-");
}

TEST_CASE("top: bytes go by powers of 1024") {
    CHECK(bytes_text({}) == "-");
    CHECK(bytes_text(0) == "0B");
    CHECK(bytes_text(999) == "999B");
    CHECK(bytes_text(1024) == "1.0K");
    CHECK(bytes_text(13'000'000) == "12M");
    CHECK(bytes_text(5'368'709'120) == "5.0G");
}

TEST_CASE("top: counts, rates and parts of a processor") {
    CHECK(count_text(99'999) == "99999");
    CHECK(count_text(1'234'567) == "1234k");
    CHECK(count_text(56'000'000) == "56M");
    CHECK(rate_text({}) == "-");
    CHECK(rate_text(0.01) == "0");
    CHECK(rate_text(0.3) == "0.3");
    CHECK(rate_text(1234.4) == "1234");
    CHECK(percent_text({}) == "-");
    CHECK(percent_text(0) == "0");
    CHECK(percent_text(0.035) == "3.5");
    CHECK(percent_text(1) == "100");
}

TEST_CASE("top: no quantity is wider than its column") {
    for (double value = 1e-9; value < 1e9; value *= 1.007) {
        CHECK(time_text(value).size() <= 6);
        CHECK(rate_text(value).size() <= 6);
    }
    for (std::uint64_t value = 1; value < std::uint64_t{1} << 48; value += value / 50 + 1) {
        CHECK(bytes_text(value).size() <= 6);
        CHECK(count_text(value).size() <= 6);
    }
}

TEST_CASE("top: what others wrote is printable ASCII on the terminal") {
    CHECK(printable("GET /a\"b\\c HTTP/1.1") == "GET /a\"b\\c HTTP/1.1");
    CHECK(printable("\x1b]0;x\x07\n\t\x7f\xc3\xa9") == "\\x1b]0;x\\x07\\x0a\\x09\\x7f\\xc3\\xa9");
}

TEST_CASE("top: what is too wide is cut, and says so") {
    CHECK(cut("abc", 5) == "abc  ");
    CHECK(cut("abcde", 5) == "abcde");
    CHECK(cut("abcdef", 5) == "abcd>");
    CHECK(cut("abc", 0).empty());
}

} // namespace
} // namespace cppcorn::top
