#include "server/config_letters.hpp"

#include <algorithm>

namespace cppcorn {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr auto nowhere = std::string_view::npos;

bool is_beyond_ascii(char c) {
    return (static_cast<unsigned char>(c) & 0x80) != 0;
}

// Where the string ends whose text begins at `at`: behind its closing quotes, or before the line break that a string in
// single quotes or double ones cannot hold.
std::size_t end_of_string(std::string_view text, std::size_t at, char quote, bool many_lines) {
    const std::size_t closing = many_lines ? 3 : 1;
    std::size_t quotes = 0;
    for (; at < text.size(); ++at) {
        if (quotes >= closing && (!many_lines || text[at] != quote || quotes == 5)) return at;
        quotes = text[at] == quote ? quotes + 1 : 0;
        if (text[at] == '\n' && !many_lines) return at;
        if (text[at] == '\\' && quote == '"') ++at;
    }
    return text.size();
}

// A quote that stands behind something else is none, and what holds it is no TOML.
bool may_precede_string(char c) {
    return std::string_view(" \t\r\n=,.[{").find(c) != nowhere;
}

std::size_t end_of_quoted(std::string_view text, std::size_t at) {
    const char quote = text[at];
    const bool many_lines = text.substr(at, 3) == std::string_view(quote == '"' ? "\"\"\"" : "'''");
    return end_of_string(text, at + (many_lines ? 3 : 1), quote, many_lines);
}

} // namespace

std::optional<std::size_t> line_of_stray_letter(std::string_view text) {
    const std::size_t start = text.substr(0, byte_order_mark.size()) == byte_order_mark ? byte_order_mark.size() : 0;
    std::size_t at = start;
    while (at < text.size()) {
        if (is_beyond_ascii(text[at])) {
            return 1 + static_cast<std::size_t>(
                           std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
        }
        const bool is_quote = text[at] == '"' || text[at] == '\'';
        if (is_quote && (at == start || may_precede_string(text[at - 1]))) {
            at = end_of_quoted(text, at);
        } else if (text[at] == '#') {
            const std::size_t end = text.find('\n', at);
            at = end == nowhere ? text.size() : end;
        } else {
            ++at;
        }
    }
    return std::nullopt;
}

} // namespace cppcorn
