// The query of a request's target, and the encoding that it shares with HTML forms. Pure functions: for any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cppcorn {
inline namespace kit {

namespace [[gnu::visibility("hidden")]] detail {

constexpr int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

} // namespace detail

// "a+b%20c" becomes "a b c". A percent sign that is not followed by two hexadecimal digits stands for itself.
inline std::string form_decoded(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? detail::hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? detail::hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            decoded += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            decoded += text[i] == '+' ? ' ' : text[i];
        }
    }
    return decoded;
}

// The decoded value of the first parameter in "a=1&b=2" that has this (decoded) name; "" if it has no "=". Works for
// the body of a form, too.
inline std::optional<std::string> find_param(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(pair.size() < query.size() ? pair.size() + 1 : pair.size());
        const std::size_t equals = pair.find('=');
        if (pair.empty() || form_decoded(pair.substr(0, equals)) != name) continue;
        return equals == std::string_view::npos ? std::string() : form_decoded(pair.substr(equals + 1));
    }
    return std::nullopt;
}

} // namespace kit
} // namespace cppcorn
