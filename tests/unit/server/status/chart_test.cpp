#include "server/status/chart.hpp"

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

TEST_CASE("chart: its scale is a round number at least as large") {
    CHECK(round_above(0) == 1);
    CHECK(round_above(1) == 1);
    CHECK(round_above(1.5) == 2);
    CHECK(round_above(3) == 5);
    CHECK(round_above(7) == 10);
    CHECK(round_above(10) == 10);
    CHECK(round_above(11) == 20);
    CHECK(round_above(4999) == 5000);
    CHECK(round_above(50'001) == 100'000);
}

TEST_CASE("chart: the latest is at the right, the largest at most at the top") {
    const std::string text = chart("Requests", "/s", {{300, 0}, {150, 5}, {0, 10}}, 300);
    CHECK(text.find("points=\"0.0,60.0 150.0,30.0 300.0,0.0\"") != std::string::npos);
    CHECK(text.find("<b>10</b>/s") != std::string::npos);
    CHECK(text.find("0 to 10, 5 min") != std::string::npos);
}

TEST_CASE("chart: without anything to show it is empty") {
    const std::string text = chart("Requests", "/s", {}, 300);
    CHECK(text.find("points=\"\"") != std::string::npos);
    CHECK(text.find(" d=\"\"") != std::string::npos);
}

} // namespace
} // namespace cppcorn
