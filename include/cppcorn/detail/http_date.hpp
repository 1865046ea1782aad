// The dates of HTTP (RFC 9110, 5.6.7), read and written without the locale. Pure functions: for any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> day_names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};

// A day of the proleptic Gregorian calendar, and a time of it in UTC.
struct DateParts {
    int year = 1970;
    int month = 1; // 1 to 12
    int day = 1;
    int hour = 0;
    int minute = 0;
    int second = 0; // up to 60: a leap second
};

constexpr bool is_leap_year(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

constexpr int days_in_month(int year, int month) {
    constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap_year(year) ? 29 : days[static_cast<std::size_t>(month - 1)];
}

// From the year 1 on.
constexpr std::int64_t days_before_year(int year) {
    const std::int64_t whole = year - 1;
    return whole * 365 + whole / 4 - whole / 100 + whole / 400;
}

// Seconds since the epoch, negative before it; std::nullopt if there is no such time.
constexpr std::optional<std::time_t> to_time(const DateParts& parts) {
    const bool is_date = parts.year >= 1 && parts.month >= 1 && parts.month <= 12 && parts.day >= 1 &&
                         parts.day <= days_in_month(parts.year, parts.month);
    if (!is_date || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
    std::int64_t days = days_before_year(parts.year) - days_before_year(1970) + parts.day - 1;
    for (int month = 1; month < parts.month; ++month) days += days_in_month(parts.year, month);
    return ((days * 24 + parts.hour) * 60 + parts.minute) * 60 + parts.second;
}

// Takes a date apart from its front. A part that is not as it should be makes it fail for good.
class DateReader {
  public:
    explicit constexpr DateReader(std::string_view text) : text_(text) {}

    constexpr bool succeeded() const { return !failed_ && text_.empty(); }

    constexpr bool next_is(char c) const { return text_.starts_with(c); }
    constexpr void expect(std::string_view literal) {
        if (text_.starts_with(literal)) {
            text_.remove_prefix(literal.size());
        } else {
            failed_ = true;
        }
    }
    constexpr int number(std::size_t digits) {
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            const bool is_digit = i < text_.size() && text_[i] >= '0' && text_[i] <= '9';
            failed_ = failed_ || !is_digit;
            if (failed_) return 0;
            value = value * 10 + (text_[i] - '0');
        }
        text_.remove_prefix(digits);
        return value;
    }
    // 1 to 12
    constexpr int month() {
        for (std::size_t i = 0; i < month_names.size(); ++i) {
            if (!text_.starts_with(month_names[i])) continue;
            text_.remove_prefix(month_names[i].size());
            return static_cast<int>(i) + 1;
        }
        failed_ = true;
        return 0;
    }
    // The name of a day, whole or its first three letters. Which day it is does not matter: the date says it, too.
    constexpr bool skip_day(bool whole) {
        for (const std::string_view name : day_names) {
            const std::string_view wanted = whole ? name : name.substr(0, 3);
            if (!text_.starts_with(wanted)) continue;
            text_.remove_prefix(wanted.size());
            return true;
        }
        return false;
    }
    constexpr void time(DateParts& parts) {
        parts.hour = number(2);
        expect(":");
        parts.minute = number(2);
        expect(":");
        parts.second = number(2);
    }

  private:
    std::string_view text_;
    bool failed_ = false;
};

constexpr std::optional<DateParts> read_day_first(DateReader reader, bool whole_name, std::string_view separator,
                                                  std::size_t year_digits) {
    DateParts parts;
    if (!reader.skip_day(whole_name)) return std::nullopt;
    reader.expect(", ");
    parts.day = reader.number(2);
    reader.expect(separator);
    parts.month = reader.month();
    reader.expect(separator);
    parts.year = reader.number(year_digits);
    reader.expect(" ");
    reader.time(parts);
    reader.expect(" GMT");
    return reader.succeeded() ? std::optional(parts) : std::nullopt;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
constexpr std::optional<DateParts> read_fixdate(DateReader reader) {
    return read_day_first(reader, false, " ", 4);
}

// "Sunday, 06-Nov-94 08:49:37 GMT". The year is of this century: see read_http_date().
constexpr std::optional<DateParts> read_rfc850(DateReader reader) {
    return read_day_first(reader, true, "-", 2);
}

// "Sun Nov  6 08:49:37 1994"
constexpr std::optional<DateParts> read_asctime(DateReader reader) {
    DateParts parts;
    if (!reader.skip_day(false)) return std::nullopt;
    reader.expect(" ");
    parts.month = reader.month();
    reader.expect(" ");
    if (reader.next_is(' ')) {
        reader.expect(" ");
        parts.day = reader.number(1);
    } else {
        parts.day = reader.number(2);
    }
    reader.expect(" ");
    reader.time(parts);
    reader.expect(" ");
    parts.year = reader.number(4);
    return reader.succeeded() ? std::optional(parts) : std::nullopt;
}

// Of the years that end in these two digits, the last one that is not more than 50 years after `now`.
constexpr std::optional<std::time_t> to_time_of_two_digits(DateParts parts, std::time_t now) {
    constexpr std::int64_t fifty_years = 50 * 31'556'952LL; // of 365.2425 days
    constexpr int last_century = 9900;
    for (int century = last_century, digits = parts.year; century >= 0; century -= 100) {
        parts.year = century + digits;
        // A 29th of February is not in each century: to compare, the day before does.
        DateParts compared = parts;
        if (compared.month == 2 && compared.day == 29) compared.day = 28;
        const auto time = to_time(compared);
        if (!time.has_value()) return std::nullopt;
        if (*time <= now + fifty_years) return to_time(parts);
    }
    return std::nullopt;
}

// The time that an HTTP date in any of its three forms means; std::nullopt for all else, also where something stands
// before or behind it. `now` decides on the century of a year of two digits.
constexpr std::optional<std::time_t> read_http_date(std::string_view text, std::time_t now) {
    const DateReader reader(text);
    if (const auto parts = read_fixdate(reader)) return to_time(*parts);
    if (const auto parts = read_rfc850(reader)) return to_time_of_two_digits(*parts, now);
    if (const auto parts = read_asctime(reader)) return to_time(*parts);
    return std::nullopt;
}

constexpr std::time_t latest_http_date = 253'402'300'799; // the end of the year 9999

// "Sun, 06 Nov 1994 08:49:37 GMT", for a time from 1970 to the year 9999; "" for all others.
inline std::string write_http_date(std::time_t time) {
    if (time < 0 || time > latest_http_date) return {};
    constexpr std::int64_t day_length = 24 * 60 * 60;
    std::int64_t days = time / day_length;
    const auto of_day = static_cast<int>(time % day_length);
    const auto weekday = static_cast<std::size_t>((days + 4) % 7); // the epoch was a Thursday
    int year = 1970;
    for (; days >= 365 + is_leap_year(year); ++year) days -= 365 + is_leap_year(year);
    int month = 1;
    for (; days >= days_in_month(year, month); ++month) days -= days_in_month(year, month);

    std::string text;
    const auto digits = [&text](int value, int divisor) {
        for (; divisor > 0; divisor /= 10) text += static_cast<char>('0' + value / divisor % 10);
    };
    text.append(day_names[weekday].substr(0, 3)).append(", ");
    digits(static_cast<int>(days) + 1, 10);
    text.append(" ").append(month_names[static_cast<std::size_t>(month - 1)]).append(" ");
    digits(year, 1000);
    text += ' ';
    digits(of_day / 3600, 10);
    text += ':';
    digits(of_day / 60 % 60, 10);
    text += ':';
    digits(of_day % 60, 10);
    return text.append(" GMT");
}

} // namespace detail
} // namespace kit
} // namespace cppcorn
