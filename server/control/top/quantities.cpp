#include "server/control/top/quantities.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace cppcorn::top {
namespace {

constexpr const char* unknown = "-";

struct Unit {
    double size;
    double until; // from here on, the next one
    const char* name;
};

// Three digits at most, with a tenth where there is one digit: of all but microseconds.
std::string in_unit(double value, const Unit& unit) {
    const double shown = value / unit.size;
    return fmt::format("{:.{}f}{}", shown, shown < 9.95 && unit.size > 1e-6 ? 1 : 0, unit.name);
}

template <std::size_t Count>
std::string in_units(double value, const std::array<Unit, Count>& units) {
    for (const auto& unit : units) {
        if (value < unit.until) return in_unit(value, unit);
    }
    return in_unit(value, units.back());
}

constexpr std::array time_units{
    Unit{1e-6, 0.9995e-3, "us"}, Unit{1e-3, 0.9995, "ms"},     Unit{1, 119.5, "s"},
    Unit{60, 119.5 * 60, "min"}, Unit{3600, 47.5 * 3600, "h"}, Unit{86'400, 1e30, "d"},
};

constexpr double kibi = 1024;
constexpr std::array byte_units{
    Unit{kibi, 999.5 * kibi, "K"},
    Unit{kibi * kibi, 999.5 * kibi* kibi, "M"},
    Unit{kibi * kibi * kibi, 999.5 * kibi* kibi* kibi, "G"},
    Unit{kibi * kibi * kibi * kibi, 1e30, "T"},
};

} // namespace

std::string time_text(std::optional<double> seconds) {
    if (!seconds || !std::isfinite(*seconds)) return unknown;
    return in_units(std::max(*seconds, 0.0), time_units);
}

std::string bytes_text(std::optional<std::uint64_t> bytes) {
    if (!bytes) return unknown;
    if (*bytes < 1000) return fmt::format("{}B", *bytes);
    return in_units(static_cast<double>(*bytes), byte_units);
}

std::string count_text(std::uint64_t count) {
    if (count < 100'000) return std::to_string(count);
    if (count < 10'000'000) return fmt::format("{}k", count / 1000);
    if (count < 10'000'000'000) return fmt::format("{}M", count / 1'000'000);
    if (count < 10'000'000'000'000) return fmt::format("{}G", count / 1'000'000'000);
    return fmt::format("{}T", count / 1'000'000'000'000);
}

std::string rate_text(std::optional<double> per_second) {
    if (!per_second || !std::isfinite(*per_second)) return unknown;
    if (*per_second < 0.05) return "0";
    if (*per_second < 9.95) return fmt::format("{:.1f}", *per_second);
    return count_text(static_cast<std::uint64_t>(std::llround(*per_second)));
}

std::string percent_text(std::optional<double> part) {
    if (!part || !std::isfinite(*part)) return unknown;
    const double percent = *part * 100;
    if (percent < 0.05) return "0";
    return fmt::format("{:.{}f}", percent, percent < 9.95 ? 1 : 0);
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            out += c;
        } else {
            out += fmt::format("\\x{:02x}", byte);
        }
    }
    return out;
}

std::string cut(std::string_view text, std::size_t width) {
    std::string out(text.substr(0, width));
    if (text.size() > width && width > 0) out.back() = '>';
    out.resize(width, ' ');
    return out;
}

} // namespace cppcorn::top
