#include "base/log/escape.hpp"

#include <cstddef>

#include "base/byte_blocks.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_plain(unsigned char byte) {
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

// How many bytes the sequence has that starts with `lead`; 0 if none starts so.
std::size_t sequence_length(unsigned char lead) {
    if (lead >= 0xc2 && lead <= 0xdf) return 2;
    if (lead >= 0xe0 && lead <= 0xef) return 3;
    if (lead >= 0xf0 && lead <= 0xf4) return 4;
    return 0;
}

// The code point of the multi-byte sequence at the text's start, and its length; length 0 if that is not UTF-8.
struct Decoded {
    char32_t code_point = 0;
    std::size_t length = 0;
};

Decoded decode_utf8(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = sequence_length(lead);
    if (length == 0 || text.size() < length) return {};
    char32_t code_point = lead & (0xff >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xc0) != 0x80) return {};
        code_point = (code_point << 6) | (byte & 0x3f);
    }
    const bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
    const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    if (overlong || surrogate || code_point > 0x10ffff) return {};
    return {code_point, length};
}

void append_json_unicode(std::string& out, char32_t code_point) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += hex_digits[(code_point >> shift) & 0xf];
}

// Terminals obey the C1 controls; some readers of logs break lines at the two separators.
bool is_unsafe(char32_t code_point) {
    return (code_point >= 0x80 && code_point <= 0x9f) || code_point == 0x2028 || code_point == 0x2029;
}

// Returns how many bytes of `text`, which is not empty, it has dealt with.
std::size_t append_json_character(std::string& out, std::string_view text) {
    const auto byte = static_cast<unsigned char>(text[0]);
    if (byte < 0x80) {
        if (byte == '"' || byte == '\\') {
            out += '\\';
            out += text[0];
        } else {
            append_json_unicode(out, byte);
        }
        return 1;
    }
    const Decoded decoded = decode_utf8(text);
    if (decoded.length == 0) {
        append_json_unicode(out, 0xfffd);
        return 1;
    }
    if (is_unsafe(decoded.code_point)) {
        append_json_unicode(out, decoded.code_point);
    } else {
        out.append(text.substr(0, decoded.length));
    }
    return decoded.length;
}

void append_hex_escape(std::string& out, unsigned char byte) {
    const char text[] = {'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 0xf]};
    out.append(text, sizeof text);
}

#ifdef __SSE2__
constexpr auto escaped_bytes = [](__m128i block) {
    const auto is = [block](char c) { return _mm_cmpeq_epi8(block, _mm_set1_epi8(c)); };
    const __m128i outside = _mm_or_si128(_mm_cmplt_epi8(block, _mm_set1_epi8(0x20)), is(0x7f)); // 0x80 and up are below
    const __m128i quoting = _mm_or_si128(is('"'), is('\\'));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(outside, quoting)));
};
#endif

// Where the run of plain bytes at `at` ends: most values are one such run.
std::size_t plain_end(std::string_view text, std::size_t at) {
#ifdef __SSE2__
    at += usual_length(text.substr(at), escaped_bytes);
#endif
    while (at < text.size() && is_plain(static_cast<unsigned char>(text[at]))) ++at;
    return at;
}

// Copies the run of plain bytes at `at` in one go and returns where it ends.
std::size_t append_plain_run(std::string& out, std::string_view text, std::size_t at) {
    const std::size_t end = plain_end(text, at);
    out.append(text.substr(at, end - at));
    return end;
}

} // namespace

void append_escaped(std::string& out, std::string_view text) {
    for (std::size_t at = append_plain_run(out, text, 0); at < text.size(); at = append_plain_run(out, text, at + 1)) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte == '"' || byte == '\\') {
            out += '\\';
            out += text[at];
        } else {
            append_hex_escape(out, byte);
        }
    }
}

void append_json_escaped(std::string& out, std::string_view text) {
    std::size_t at = append_plain_run(out, text, 0);
    while (at < text.size()) {
        at += append_json_character(out, text.substr(at));
        at = append_plain_run(out, text, at);
    }
}

void append_utf8(std::string& out, char32_t code_point) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code_point >> shift) & 0x3f)); };
    if (code_point < 0x80) {
        out += static_cast<char>(code_point);
    } else if (code_point < 0x800) {
        out += static_cast<char>(0xc0 | (code_point >> 6));
        tail(0);
    } else if (code_point < 0x10000) {
        out += static_cast<char>(0xe0 | (code_point >> 12));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xf0 | (code_point >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

std::string readable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const Decoded decoded = byte < 0x80 ? Decoded{byte, 1} : decode_utf8(text.substr(at));
        const bool is_control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
        const std::size_t length = decoded.length == 0 ? 1 : decoded.length;
        if (decoded.length == 0 || is_control || is_unsafe(decoded.code_point)) {
            for (std::size_t i = at; i < at + length; ++i) append_hex_escape(out, static_cast<unsigned char>(text[i]));
        } else {
            out.append(text.substr(at, length));
        }
        at += length;
    }
    return out;
}

std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    append_escaped(out, text);
    return out;
}

} // namespace cppcorn
