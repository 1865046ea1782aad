// The text tools look at many bytes at a time, so each byte is tried in each place of texts of each length, against
// the oracle's spelled-out rules. The texts fill their memory to its ends: a step too far shows with AddressSanitizer.
#include "workers/http/text.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/workers/http/oracle_text.hpp"
#include "workers/http/request_line.hpp"

using namespace cppcorn;

namespace {

constexpr std::size_t longest = 40; // two blocks and a rest

// Calls check(text) with `usual` in all places but one, in which each byte has its turn.
template <class Check>
void with_each_byte(char usual, Check check) {
    for (std::size_t size = 1; size <= longest; ++size) {
        std::vector<char> bytes(size, usual);
        const std::string_view text(bytes.data(), size);
        for (char& place : bytes) {
            for (int byte = 0; byte < 256; ++byte) {
                place = static_cast<char>(byte);
                check(text);
            }
            place = usual;
        }
    }
}

std::size_t naive_token_length(std::string_view text) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), oracle::is_tchar) - text.begin());
}

// Without the form in brackets, whose end never comes here.
bool naive_is_host(std::string_view text) {
    const std::size_t port = std::min(text.find(':'), text.size());
    if (!oracle::all(text.substr(port).substr(port < text.size()), oracle::is_digit)) return false;
    for (std::size_t i = 0; i < port; ++i) {
        if (text[i] != '%' && !http::is_reg_name_char(text[i])) return false;
        const bool escape = i + 2 < port && oracle::is_hex(text[i + 1]) && oracle::is_hex(text[i + 2]);
        if (text[i] == '%' && !escape) return false;
    }
    return true;
}

} // namespace

TEST_CASE("http text: the length of a token at the begin, in each place each byte") {
    const char usual = GENERATE('a', 'Z', '0', '-', '.', '_', '~');
    std::size_t wrong = 0;
    with_each_byte(usual, [&](std::string_view text) {
        if (http::token_length(text) != naive_token_length(text)) ++wrong;
        if (http::is_token(text) != oracle::is_token(text)) ++wrong;
    });
    CHECK(wrong == 0);
}

TEST_CASE("http text: control bytes, in each place each byte") {
    const char usual = GENERATE(' ', 'a', '\t', '\x80', '\xff');
    std::size_t wrong = 0;
    with_each_byte(usual, [&](std::string_view text) {
        if (http::has_control(text) == oracle::all(text, oracle::is_text)) ++wrong;
    });
    CHECK(wrong == 0);
}

TEST_CASE("http text: the characters of a host, in each place each byte") {
    const char usual = GENERATE('a', '9', '.', '!');
    std::size_t wrong = 0;
    with_each_byte(usual, [&](std::string_view text) {
        if (http::is_host(text) != naive_is_host(text)) ++wrong;
    });
    CHECK(wrong == 0);
}

TEST_CASE("http text: nothing is no token and has no control byte") {
    CHECK_FALSE(http::is_token(""));
    CHECK(http::token_length("") == 0);
    CHECK_FALSE(http::has_control(""));
}
