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

// A form that a page can have, as "text" and "html".
struct MediaType {
    std::string_view type;
    std::string_view subtype;
};

bool covers_type(std::string_view range, std::string_view type) {
    return range.size() > type.size() && range[type.size()] == '/' &&
           equal_ignoring_case(range.substr(0, type.size()), type);
}

// RFC 9110, 12.5.1: the most exact range that covers the type decides.
Preference preference_for(const MediaType& wanted, std::string_view accept) {
    Preference best;
    while (!accept.empty()) {
        std::string_view range = take_element(accept);
        std::size_t semicolon = std::min(range.find(';'), range.size());
        std::string_view type = trim(range.substr(0, semicolon));
        int exactness = -1;
        if (type == "*/*") exactness = 0;
        if (covers_type(type, wanted.type)) {
            const std::string_view subtype = type.substr(wanted.type.size() + 1);
            if (subtype == "*") exactness = 1;
            if (equal_ignoring_case(subtype, wanted.subtype)) exactness = 2;
        }
        if (exactness > best.exactness) best = {read_weight(range.substr(semicolon)), exactness};
    }
    return best;
}

// Whether `a` is wanted more than `b`: by its weight, else by how exactly it was named.
bool is_wanted_more(const Preference& a, const Preference& b) {
    if (a.weight != b.weight) return a.weight > b.weight;
    return a.weight > 0 && a.exactness > b.exactness;
}

enum class Form { plain, html, problem };

// Plain text, unless another form is wanted more. Clients that name JSON beside text are programs: it wins a tie.
Form choose_form(std::string_view accept) {
    if (accept.empty()) return Form::plain;
    const Preference plain = preference_for({"text", "plain"}, accept);
    const Preference html = preference_for({"text", "html"}, accept);
    // Either name asks for it, and q=0 for its own name refuses it.
    Preference problem = preference_for({"application", "problem+json"}, accept);
    const Preference json = preference_for({"application", "json"}, accept);
    const bool is_refused = problem.exactness == 2 && problem.weight == 0;
    if (!is_refused && (problem.exactness < 2 || is_wanted_more(json, problem))) problem = json;
    const bool is_named = problem.exactness == 2 && problem.weight > 0;
    const Form text = is_wanted_more(html, plain) ? Form::html : Form::plain;
    const Preference& best_text = text == Form::html ? html : plain;
    if (is_wanted_more(problem, best_text) || (is_named && problem.weight == best_text.weight)) return Form::problem;
    return text;
}

struct Page {
    std::string_view type;
    std::string text;
};

Page make_page(Form form, int status, std::string_view request_id) {
    const std::string number = std::to_string(status);
    const std::string phrase(reason_phrase(status));
    const std::string title = number + ' ' + phrase;
    const std::string id(request_id);
    switch (form) {
        case Form::html:
            return {"text/html; charset=utf-8",
                    "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" + title +
                        "</title></head>\n<body><h1>" + title + "</h1>" +
                        (id.empty() ? "" : "<p>Request id: " + id + "</p>") + "</body>\n</html>\n"};
        case Form::problem: // RFC 9457; our phrases and ids have nothing that JSON would escape
            return {"application/problem+json", R"({"type":"about:blank","title":")" + phrase + R"(","status":)" +
                                                    number + (id.empty() ? "" : R"(,"request_id":")" + id + '"') +
                                                    "}\n"};
        case Form::plain:
            break;
    }
    return {"text/plain; charset=utf-8", title + "\n" + (id.empty() ? "" : "Request id: " + id + "\n")};
}

} // namespace

std::string error_response(const ResponseContext& context, int status, std::string_view accept,
                           std::string_view request_id) {
    const Page page = make_page(choose_form(accept), status, request_id);
    const std::string length = std::to_string(page.text.size());
    const Field fields[] = {{"Content-Type", page.type}, {"Content-Length", length}};

    Bytes out;
    ResponseWriter writer;
    writer.begin(context, status, fields, out);
    writer.body(page.text, out);
    writer.end(out);
    return std::string(out);
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
