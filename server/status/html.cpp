#include "server/status/html.hpp"

#include "base/log/escape.hpp"

namespace cppcorn {
namespace {

std::string without_markup(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                safe += c;
        }
    }
    return safe;
}

} // namespace

std::string html(std::string_view text) {
    return without_markup(readable(text));
}

std::string html_line(std::string_view text) {
    return without_markup(escaped(text));
}

} // namespace cppcorn
