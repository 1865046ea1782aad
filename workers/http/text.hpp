// The character classes and small text tools of RFC 9110, 5.6.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cppcorn::http {

namespace detail {

constexpr std::array<bool, 256> make_token_table() {
    std::array<bool, 256> table{};
    for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
    return table;
}

inline constexpr std::array<bool, 256> token_table = make_token_table();

} // namespace detail

constexpr bool is_token_char(char c) {
    return detail::token_table[static_cast<unsigned char>(c)];
}
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

// Control bytes other than HTAB, DEL among them.
constexpr bool is_control(char c) {
    auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\t') || u == 0x7f;
}

constexpr bool is_token(std::string_view text) {
    for (char c : text) {
        if (!is_token_char(c)) return false;
    }
    return !text.empty();
}

inline bool has_control(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) { // eight at a time: values are most of a head
        std::uint64_t word;
        std::memcpy(&word, text.data() + i, 8);
        std::uint64_t del = word ^ (ones * 0x7f);
        if ((((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & tops) break; // perhaps: an HTAB lands here, too
    }
    for (; i < text.size(); ++i) {
        if (is_control(text[i])) return true;
    }
    return false;
}

constexpr std::string_view trim(std::string_view text) {
    while (!text.empty() && is_white_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_white_space(text.back())) text.remove_suffix(1);
    return text;
}

// Takes the first element off a comma-separated list, trimmed; it may be empty.
constexpr std::string_view take_element(std::string_view& list) {
    std::size_t comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    return trim(element);
}

} // namespace cppcorn::http
