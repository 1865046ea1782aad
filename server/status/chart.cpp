#include "server/status/chart.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace cppcorn {
namespace {

constexpr double width = 300;
constexpr double height = 60;

} // namespace

double round_above(double value) {
    double step = 1;
    while (value > step) {
        for (const double factor : {2.0, 5.0, 10.0}) {
            if (value <= step * factor) return step * factor;
        }
        step *= 10;
    }
    return step;
}

std::string chart(std::string_view title, std::string_view unit, const std::vector<ChartPoint>& points, double span) {
    double most = 0;
    for (const auto& point : points) most = std::max(most, point.value);
    const double scale = round_above(most);
    const double now = points.empty() ? 0 : points.back().value;
    std::string line;
    std::string area;
    for (const auto& point : points) {
        const double x = width - width * std::clamp(point.seconds_ago / span, 0.0, 1.0);
        const double y = height - height * std::clamp(point.value / scale, 0.0, 1.0);
        if (area.empty()) area = fmt::format("M{:.1f} {:.0f}", x, height);
        fmt::format_to(std::back_inserter(area), "L{:.1f} {:.1f}", x, y);
        fmt::format_to(std::back_inserter(line), "{}{:.1f},{:.1f}", line.empty() ? "" : " ", x, y);
    }
    if (!points.empty()) fmt::format_to(std::back_inserter(area), "L{:.0f} {:.0f}Z", width, height);
    return fmt::format(
        "<figure><figcaption>{0}: <b>{1:.{2}f}</b>{3}<span>0 to {4:.0f}, {5:.0f} min</span></figcaption>"
        "<svg viewBox=\"0 0 {6:.0f} {7:.0f}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{0}\">"
        "<path class=\"area\" d=\"{8}\"/><polyline class=\"line\" points=\"{9}\"/></svg></figure>\n",
        title, now, now < 10 && now != std::floor(now) ? 1 : 0, unit, scale, span / 60, width, height, area, line);
}

} // namespace cppcorn
