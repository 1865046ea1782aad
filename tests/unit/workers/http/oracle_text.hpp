// The oracle's character classes (RFC 9110, 5.6) and small text tools, spelled out.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace oracle {

struct Refused {
    std::string why;
};

inline void require(bool holds, const char* rule) {
    if (!holds) throw Refused{rule};
}

inline bool one_of(char c, const char* set) {
    return c != '\0' && std::strchr(set, c) != nullptr;
}
inline bool is_digit(char c) {
    return one_of(c, "0123456789");
}
inline bool is_hex(char c) {
    return one_of(c, "0123456789abcdefABCDEF");
}
inline bool is_letter(char c) {
    return one_of(c, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}
inline bool is_tchar(char c) {
    return is_letter(c) || is_digit(c) || one_of(c, "!#$%&'*+-.^_`|~");
}
inline bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
// HTAB, SP, VCHAR, obs-text (RFC 9110, 5.5)
inline bool is_text(char c) {
    const auto code = static_cast<unsigned char>(c);
    return c == '\t' || (code >= 0x20 && code != 0x7f);
}

template <class Predicate>
inline bool all(std::string_view text, Predicate predicate) {
    return std::all_of(text.begin(), text.end(), predicate);
}
inline bool is_token(std::string_view text) {
    return !text.empty() && all(text, is_tchar);
}

inline std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

inline std::string_view stripped(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

inline std::vector<std::string> list_of(std::string_view text) {
    std::vector<std::string> elements;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        elements.push_back(lower(stripped(text.substr(begin, end - begin))));
        begin = end + 1;
    }
    return elements;
}

} // namespace oracle
