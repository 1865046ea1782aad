#include "workers/http/fixdate.hpp"

#include <chrono>
#include <cstdio>

namespace cppcorn::http {

std::string imf_fixdate(std::int64_t seconds) {
    using namespace std::chrono;
    static constexpr char days[] = "SunMonTueWedThuFriSat";
    static constexpr char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    sys_seconds moment{std::chrono::seconds(seconds)};
    sys_days midnight = floor<std::chrono::days>(moment);
    year_month_day date(midnight);
    hh_mm_ss time(moment - midnight);
    const char* day_name = days + 3 * weekday(midnight).c_encoding();
    const char* month_name = months + 3 * (static_cast<unsigned>(date.month()) - 1);

    char text[64]; // once a second at most: printf will do
    int size = std::snprintf(text, sizeof text, "%.3s, %02u %.3s %04d %02d:%02d:%02d GMT", day_name,
                             static_cast<unsigned>(date.day()), month_name, static_cast<int>(date.year()),
                             static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                             static_cast<int>(time.seconds().count()));
    return std::string(text, static_cast<std::size_t>(size));
}

} // namespace cppcorn::http
