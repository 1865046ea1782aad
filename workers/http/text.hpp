// The character classes and small text tools of RFC 9110, 5.6.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/byte_blocks.hpp"
#include "base/text.hpp"

namespace cppcorn::http {

namespace detail {

constexpr std::array<bool, 256> make_table(std::string_view others) {
    std::array<bool, 256> table{}; // of letters, digits and `others`
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

#ifdef __SSE2__
// Functions as constants, so that the compiler puts them in where they are used.
constexpr auto control_bytes = [](__m128i block) {
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    const __m128i low_but_tab = _mm_andnot_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('\t')), low);
    const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low_but_tab, del)));
};

// All but letters, digits, "-" and ".".
constexpr auto bytes_unusual_in_names = [](__m128i block) {
    const auto between = [](__m128i bytes, char least, char most) {
        return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8(static_cast<char>(least - 1))),
                             _mm_cmplt_epi8(bytes, _mm_set1_epi8(static_cast<char>(most + 1))));
    };
    const __m128i letters = between(_mm_or_si128(block, _mm_set1_epi8(0x20)), 'a', 'z');
    const __m128i slashes = _mm_cmpeq_epi8(block, _mm_set1_epi8('/')); // between "." and "0"
    const __m128i digits = _mm_andnot_si128(slashes, between(block, '-', '9'));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(letters, digits))) ^ 0xffffU;
};
#endif

} // namespace detail

constexpr bool is_token_char(char c) {
    return detail::token_table[static_cast<unsigned char>(c)];
}
// RFC 3986, 3.2.2, with the "%" of an escape.
constexpr bool is_reg_name_char(char c) {
    return detail::reg_name_table[static_cast<unsigned char>(c)];
}
// Control bytes other than HTAB, DEL among them.
constexpr bool is_control(char c) {
    auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\t') || u == 0x7f;
}

// How many bytes at the beginning of `text` are letters, digits, "-" and ".", which field names and hosts are made of,
// as a rule; perhaps fewer.
inline std::size_t usual_name_length([[maybe_unused]] std::string_view text) {
#ifdef __SSE2__
    return usual_length(text, detail::bytes_unusual_in_names);
#else
    return 0;
#endif
}

// How many bytes at the beginning of `text` are a token's.
inline std::size_t token_length(std::string_view text) {
    std::size_t at = usual_name_length(text);
    while (at < text.size() && is_token_char(text[at])) ++at;
    return at;
}

inline bool is_token(std::string_view text) {
    return !text.empty() && token_length(text) == text.size();
}

inline bool has_control(std::string_view text) {
    std::size_t at = 0;
#ifdef __SSE2__
    at = usual_length(text, detail::control_bytes); // values are most of a head
#endif
    while (at < text.size() && !is_control(text[at])) ++at;
    return at < text.size();
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
    if (name.size() >= 8) {
        const std::size_t last = name.size() - 8; // some bytes once more rather than the rest one by one
        return (detail::load_word(token.data() + last) | case_bits) == detail::load_word(name.data() + last);
    }
    for (; i < name.size(); ++i) {
        if ((token[i] | 0x20) != name[i]) return false;
    }
    return true;
}

} // namespace cppcorn::http
