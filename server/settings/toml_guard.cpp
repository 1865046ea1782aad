#include "server/settings/toml_guard.hpp"

#include <algorithm>

namespace cppcorn {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr auto nowhere = std::string_view::npos;

bool is_beyond_ascii(char c) {
    return (static_cast<unsigned char>(c) & 0x80) != 0;
}

// Where the string ends whose text begins at `at`: behind its closing quotes, or before what it cannot hold, a line
// break if it is of one line.
std::size_t end_of_string(std::string_view text, std::size_t at, char quote, bool many_lines) {
    const std::size_t closing = many_lines ? 3 : 1;
    std::size_t quotes = 0;
    for (; at < text.size(); ++at) {
        if (quotes >= closing && (!many_lines || text[at] != quote || quotes == 5)) return at;
        quotes = text[at] == quote ? quotes + 1 : 0;
        if (text[at] == '\n' && !many_lines) return at;
        if (text[at] != '\\' || quote != '"') continue;
        const std::size_t escaped = std::min(text.find_first_not_of(" \t\r\n", at + 1), text.size());
        if (escaped < text.size() && is_beyond_ascii(text[escaped])) return escaped; // toml++ looks for a blank there
        ++at;
    }
    return text.size();
}

// Whether a key or a value may begin, and with it a string. Keys with dots and braces make sections, which are not used
// here.
class Place {
  public:
    bool may_begin() const { return may_begin_; }

    void pass(char c) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '[') return;
        const bool is_first_equals = c == '=' && !in_value_;
        const bool is_next = c == '\n' || c == ',';
        may_begin_ = is_next || is_first_equals;
        in_value_ = (in_value_ && c != '\n') || is_first_equals;
    }

  private:
    bool may_begin_ = true;
    bool in_value_ = false; // behind an equals sign
};

std::size_t end_of_quoted(std::string_view text, std::size_t at) {
    const char quote = text[at];
    const bool many_lines = text.substr(at, 3) == std::string_view(quote == '"' ? "\"\"\"" : "'''");
    return end_of_string(text, at + (many_lines ? 3 : 1), quote, many_lines);
}

// Where the first letter beyond ASCII is that stands outside of quotes and comments. What is behind a quote that is out
// of place is no TOML, and toml++ may look on without taking it for a string: quotes and comments end there.
std::size_t find_stray_letter(std::string_view text) {
    std::size_t at = text.substr(0, byte_order_mark.size()) == byte_order_mark ? byte_order_mark.size() : 0;
    bool is_lost = false;
    Place place;
    while (at < text.size()) {
        const char c = text[at];
        if (is_beyond_ascii(c)) return at;
        const bool is_quote = c == '"' || c == '\'';
        is_lost = is_lost || (is_quote && !place.may_begin());
        place.pass(c);
        if (is_quote && !is_lost) {
            at = end_of_quoted(text, at);
        } else if (c == '#' && !is_lost) {
            at = std::min(text.find('\n', at), text.size());
        } else {
            ++at;
        }
    }
    return nowhere;
}

} // namespace

std::optional<std::size_t> line_of_stray_letter(std::string_view text) {
    const std::size_t at = find_stray_letter(text);
    if (at == nowhere) return std::nullopt;
    const std::string_view lines = text.substr(0, at);
    return 1 + static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
}

} // namespace cppcorn
