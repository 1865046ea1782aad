// A small chart of the last minutes, as SVG that stands in the page. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cppcorn {

struct ChartPoint {
    double seconds_ago = 0;
    double value = 0;
};

// `points` in the order of time, within the last `span` seconds; its scale goes up to a round number above the largest.
// `title` and `unit` are ours: they are not escaped.
std::string chart(std::string_view title, std::string_view unit, const std::vector<ChartPoint>& points, double span);

// 1, 2 or 5 times a power of ten, and at least that much.
double round_above(double value);

} // namespace cppcorn
