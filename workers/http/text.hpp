// The character classes and small text tools of RFC 9110, 5.6.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cppcorn::http {

namespace detail {

constexpr std::array<bool, 256> make_table(std::string_view others) {
    std::array<bool, 256> table{};
    for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (char c : others) table[static_cast<unsigned char>(c)] = true;
    return table;
}

inline constexpr std::array<bool, 256> token_table = make_table("!#$%&'*+-.^_`|~");
inline constexpr std::array<bool, 256> reg_name_table = make_table("-._~%!$&'()*+,;=");

inline std::uint64_t load_word(const char* from) {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

// Whether one of eight bytes is a control byte, or perhaps an HTAB.
inline bool may_have_control(std::uint64_t word) {
    constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    const std::uint64_t del = word ^ (ones * 0x7f);
    return ((((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & tops) != 0;
}

} // namespace detail

constexpr bool is_token_char(char c) {
    return detail::token_table[static_cast<unsigned char>(c)];
}
// RFC 3986, 3.2.2, with the "%" of an escape.
constexpr bool is_reg_name_char(char c) {
    return detail::reg_name_table[static_cast<unsigned char>(c)];
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
    const char* const end = text.data() + text.size();
    bool perhaps = text.size() < 8;
    if (!perhaps) { // eight at a time, the last eight once more: values are most of a head
        for (const char* at = text.data(); at + 8 <= end; at += 8)
            perhaps |= detail::may_have_control(detail::load_word(at));
        perhaps |= detail::may_have_control(detail::load_word(end - 8));
    }
    if (!perhaps) return false;
    for (char c : text) {
        if (is_control(c)) return true;
    }
    return false;
}

// Whether `token`, which is one, reads as `name` in any case. `name` has lower-case letters, digits and hyphens only,
// so that the bit that tells cases apart tells nothing else of a token.
inline bool is_named(std::string_view token, std::string_view name) {
    constexpr std::uint64_t case_bits = 0x2020202020202020;
    if (token.size() != name.size()) return false;
    std::size_t i = 0;
    for (; i + 8 <= name.size(); i += 8) {
        if ((detail::load_word(token.data() + i) | case_bits) != detail::load_word(name.data() + i)) return false;
    }
    for (; i < name.size(); ++i) {
        if ((token[i] | 0x20) != name[i]) return false;
    }
    return true;
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
