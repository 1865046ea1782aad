#include "server/settings/setting.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace cppcorn {
namespace {

constexpr std::uint64_t most_seconds = 365 * 24 * 60 * 60;
constexpr std::uint64_t kibi = 1024;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
    throw std::invalid_argument("'" + std::string(text) + "' " + why);
}

bool is_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Decimal whatever the leading zeros. False for what is too large, too.
bool read_digits(std::string_view text, std::uint64_t& number) {
    if (!is_digits(text)) return false;
    return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{};
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

// The factor that a suffix stands for, which is removed.
std::uint64_t take_unit(std::string_view& text) {
    if (text.empty()) return 1;
    const auto units = std::string_view("kmg");
    const auto place = units.find(lower_case(text.substr(text.size() - 1)));
    if (place == std::string_view::npos) return 1;
    text.remove_suffix(1);
    return place == 0 ? kibi : place == 1 ? kibi * kibi : kibi * kibi * kibi;
}

} // namespace

std::string normalized_name(std::string_view name) {
    std::string normalized(name);
    std::replace(normalized.begin(), normalized.end(), '-', '_');
    return normalized;
}

std::string Setting::key() const {
    return normalized_name(names.front());
}

std::string Setting::flag() const {
    return is_positional() ? value_name : "--" + names.front();
}

std::string Setting::default_text() const {
    if (value.kind == SettingValue::Kind::none) return "none";
    if (value.kind == SettingValue::Kind::flag) return value.show(default_settings()).front() == "true" ? "on" : "off";
    std::string joined;
    for (const auto& text : value.show(default_settings())) joined += (joined.empty() ? "" : ", ") + text;
    return joined.empty() ? "none" : joined;
}

Settings default_settings() {
    Settings settings;
    settings.binds = {"127.0.0.1:8000"};
    return settings;
}

std::uint64_t parse_whole_number(std::string_view text, std::uint64_t least, std::uint64_t most,
                                 std::string_view or_else) {
    std::uint64_t number = 0;
    if (!read_digits(text, number) || number < least || number > most) {
        refuse(text, "is not a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                         std::string(or_else));
    }
    return number;
}

Milliseconds parse_seconds(std::string_view text) {
    const std::string_view number = text.substr(0, text.size() - (text.ends_with('s') ? 1 : 0));
    const auto point = number.find('.');
    const auto whole = number.substr(0, point);
    const auto decimals = point == std::string_view::npos ? std::string_view("0") : number.substr(point + 1);
    std::uint64_t count = 0;
    if (!read_digits(whole, count) || !is_digits(decimals) || count > most_seconds) {
        refuse(text,
               "is not a number of seconds from 0 to " + std::to_string(most_seconds) + ", such as 30, 30s or 0.5");
    }
    std::uint64_t milliseconds = count * 1000;
    for (std::size_t i = 0, weight = 100; i < decimals.size() && weight > 0; ++i, weight /= 10) {
        milliseconds += static_cast<std::uint64_t>(decimals[i] - '0') * weight;
    }
    // Zero often means "off", which the smallest of times must not turn into.
    if (milliseconds == 0 && decimals.find_first_not_of('0') != std::string_view::npos) milliseconds = 1;
    return Milliseconds(milliseconds);
}

std::uint64_t parse_byte_count(std::string_view text, std::uint64_t least, std::uint64_t most) {
    std::string_view digits = text;
    const std::uint64_t unit = take_unit(digits);
    std::uint64_t count = 0;
    if (!read_digits(digits, count) || count > most / unit || count * unit < least) {
        refuse(text, "is not a number of bytes from " + show_byte_count(least) + " to " + show_byte_count(most) +
                         ", such as 8190, 64K, 512M or 2G");
    }
    return count * unit;
}

bool parse_switch(std::string_view text) {
    const std::string lower = lower_case(text);
    if (lower != "true" && lower != "false") refuse(text, "is not true or false");
    return lower == "true";
}

std::pair<std::string, std::string> parse_variable(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) refuse(text, "is not NAME=VALUE");
    return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

std::size_t parse_choice(std::string_view text, const std::vector<std::string>& names) {
    const auto name = std::find(names.begin(), names.end(), lower_case(text));
    if (name != names.end()) return static_cast<std::size_t>(name - names.begin());
    std::string allowed;
    for (const auto& each : names) allowed += (allowed.empty() ? "" : ", ") + each;
    refuse(text, "is not one of: " + allowed);
}

std::string show_seconds(Milliseconds time) {
    std::string text = std::to_string(time.count() / 1000);
    const auto rest = time.count() % 1000;
    if (rest == 0) return text;
    std::string decimals = std::to_string(1000 + rest).substr(1);
    decimals.erase(decimals.find_last_not_of('0') + 1);
    return text + "." + decimals;
}

std::string show_byte_count(std::uint64_t count) {
    for (const auto& [unit, suffix] : {std::pair{kibi * kibi * kibi, "G"}, std::pair{kibi * kibi, "M"}}) {
        if (count > 0 && count % unit == 0) return std::to_string(count / unit) + suffix;
    }
    return std::to_string(count);
}

} // namespace cppcorn
