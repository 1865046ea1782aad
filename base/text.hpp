// Small tools for text that came from outside.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cppcorn {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr bool is_white_space(char c) {
    return c == ' ' || c == '\t';
}

constexpr std::string_view trim(std::string_view text) {
    while (!text.empty() && is_white_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_white_space(text.back())) text.remove_suffix(1);
    return text;
}

// Takes the first element off a comma-separated list, trimmed; it may be empty.
constexpr std::string_view take_element(std::string_view& list) {
    const std::size_t comma = list.find(',');
    const std::string_view element = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    return trim(element);
}

// The elements of comma-separated lists, trimmed; empty ones are left out.
inline std::vector<std::string> split_elements(const std::vector<std::string>& lists) {
    std::vector<std::string> elements;
    for (std::string_view rest : lists) {
        while (!rest.empty()) {
            const std::string_view element = take_element(rest);
            if (!element.empty()) elements.emplace_back(element);
        }
    }
    return elements;
}

// The decimal number that `text` is as a whole; nullopt if it is none, or does not fit.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number number{};
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

} // namespace cppcorn
