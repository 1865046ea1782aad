#include "workers/http/error_response.hpp"

#include <algorithm>

#include "workers/http/status.hpp"
#include "workers/http/text.hpp"

namespace cppcorn::http {

namespace {

// How much a media type is wanted: its weight in thousandths, and how exactly it was named (-1: not at all).
struct Preference {
    int weight = 0;
    int exactness = -1;
};

// The weight of "text/html;level=1;q=0.8" in thousandths. What cannot be read counts as 1.
int read_weight(std::string_view parameters) {
    while (!parameters.empty()) {
        std::size_t end = std::min(parameters.find(';'), parameters.size());
        std::string_view parameter = trim(parameters.substr(0, end));
        parameters.remove_prefix(std::min(end + 1, parameters.size()));
        if (parameter.size() < 3 || (parameter[0] != 'q' && parameter[0] != 'Q') || parameter[1] != '=') continue;
        if (parameter[2] != '0') return 1000;
        int weight = 0, place = 100;
        for (std::size_t i = 4; i < parameter.size() && is_digit(parameter[i]); ++i, place /= 10)
            weight += place * (parameter[i] - '0');
        return weight;
    }
    return 1000;
}

// RFC 9110, 12.5.1: the most exact range that covers the type decides.
Preference preference_for(std::string_view subtype, std::string_view accept) {
    Preference best;
    while (!accept.empty()) {
        std::string_view range = take_element(accept);
        std::size_t semicolon = std::min(range.find(';'), range.size());
        std::string_view type = trim(range.substr(0, semicolon));
        int exactness = -1;
        if (type == "*/*") exactness = 0;
        if (equal_ignoring_case(type, "text/*")) exactness = 1;
        if (type.size() > 5 && equal_ignoring_case(type.substr(0, 5), "text/") &&
            equal_ignoring_case(type.substr(5), subtype)) {
            exactness = 2;
        }
        if (exactness > best.exactness) best = {read_weight(range.substr(semicolon)), exactness};
    }
    return best;
}

bool prefers_html(std::string_view accept) {
    Preference html = preference_for("html", accept), plain = preference_for("plain", accept);
    if (html.weight != plain.weight) return html.weight > plain.weight;
    return html.weight > 0 && html.exactness > plain.exactness;
}

std::string page(const std::string& title, bool html) {
    if (!html) return title + "\n";
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" + title +
           "</title></head>\n<body><h1>" + title + "</h1></body>\n</html>\n";
}

} // namespace

std::string error_response(const ResponseContext& context, int status, std::string_view accept) {
    std::string title = std::to_string(status);
    title += ' ';
    title += reason_phrase(status);
    bool html = prefers_html(accept);
    std::string body = page(title, html);
    std::string length = std::to_string(body.size());
    const Field fields[] = {{"Content-Type", html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8"},
                            {"Content-Length", length}};

    std::string out;
    ResponseWriter writer;
    writer.begin(context, status, fields, out);
    writer.body(body, out);
    writer.end(out);
    return out;
}

std::string_view accept_in_refused(std::string_view head) {
    constexpr std::string_view name = "accept:";
    constexpr std::size_t most_looked_at = 16 * 1024;
    head = head.substr(0, most_looked_at);
    while (!head.empty()) {
        const std::size_t end = std::min(head.find('\n'), head.size());
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(std::min(end + 1, head.size()));
        if (trim(line).empty() || !equal_ignoring_case(line.substr(0, name.size()), name)) continue;
        return trim(line.substr(name.size(), line.find('\r') - name.size()));
    }
    return {};
}

} // namespace cppcorn::http
