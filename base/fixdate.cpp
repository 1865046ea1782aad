#include "base/fixdate.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

namespace cppcorn {
namespace {

constexpr std::string_view days = "SunMonTueWedThuFriSat";
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

// Fills the digits at `at`, from the last one on.
void put_number(char* at, int digits, unsigned number) {
    for (; digits > 0; number /= 10) at[--digits] = static_cast<char>('0' + number % 10);
}

} // namespace

std::array<char, 29> fixdate(std::int64_t seconds) {
    using namespace std::chrono;
    const sys_seconds moment{std::chrono::seconds(seconds)};
    const sys_days midnight = floor<std::chrono::days>(moment);
    const year_month_day date(midnight);
    const hh_mm_ss time(moment - midnight);
    constexpr std::string_view form = "Sun, 06 Nov 1994 08:49:37 GMT";
    std::array<char, form.size()> text;
    std::copy(form.begin(), form.end(), text.begin());
    std::copy_n(days.begin() + 3 * weekday(midnight).c_encoding(), 3, text.begin());
    put_number(&text[5], 2, static_cast<unsigned>(date.day()));
    std::copy_n(months.begin() + 3 * (static_cast<unsigned>(date.month()) - 1), 3, text.begin() + 8);
    put_number(&text[12], 4, static_cast<unsigned>(static_cast<int>(date.year())));
    put_number(&text[17], 2, static_cast<unsigned>(time.hours().count()));
    put_number(&text[20], 2, static_cast<unsigned>(time.minutes().count()));
    put_number(&text[23], 2, static_cast<unsigned>(time.seconds().count()));
    return text;
}

} // namespace cppcorn
