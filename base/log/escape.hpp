// Making text that came from outside safe to put on one line of a log.
#pragma once

#include <string>
#include <string_view>

namespace cppcorn {

// `text` with each byte outside printable ASCII, and each `"` and `\`, written as \xHH, \" or \\. What a client or an
// app wrote never goes to a log another way.
std::string escaped(std::string_view text);

// Appends the same, without a string in between.
void append_escaped(std::string& out, std::string_view text);

// `text` with what is valid UTF-8 as it is, several lines and tabs among it, and all other bytes and control characters
// written as \xHH. For text that an app wrote for people, such as a traceback.
std::string readable(std::string_view text);

// Appends the inside of a JSON string. The result is valid UTF-8 whatever `text` is: bytes that are not UTF-8 become
// U+FFFD, control characters (C0, DEL, C1, and the line separators) become \u escapes.
void append_json_escaped(std::string& out, std::string_view text);

// Appends the UTF-8 of one code point, which must be at most 0x10FFFF and no surrogate.
void append_utf8(std::string& out, char32_t code_point);

} // namespace cppcorn
