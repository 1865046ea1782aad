#include "workers/http/request_line.hpp"

#include <algorithm>
#include <iterator>

#include <arpa/inet.h>
#include <llhttp.h>

#include "workers/http/text.hpp"

namespace cppcorn::http {

namespace {

bool is_target_char(char c) {
    return c > ' ' && c < 0x7f && c != '#';
}

// The app is the origin, so it decides what a method means (RFC 9110, 9.1). What is passed on by default is what
// gunicorn passes on. CONNECT is for proxies.
bool is_passed_on(std::string_view method, bool any_method) {
    if (is_ordinary_method(method)) return true;
    if (method == "CONNECT") return false;
    if (any_method) return true;
    const auto is_usual = [](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '#'; };
    return method.size() >= 3 && method.size() <= 20 && std::all_of(method.begin(), method.end(), is_usual);
}

void split_query(std::string_view text, RequestHead& head) {
    std::size_t mark = text.find('?');
    head.path = text.substr(0, mark);
    if (mark != std::string_view::npos) head.query = text.substr(mark + 1);
}

Verdict read_absolute_form(RequestHead& head) {
    std::string_view rest = head.target;
    std::size_t scheme = 0;
    while (scheme < rest.size() && is_alpha(rest[scheme])) ++scheme;
    if (scheme == 0 || rest.substr(scheme, 3) != "://") return {400, "malformed request target"};
    rest.remove_prefix(scheme + 3);

    std::size_t end = rest.find_first_of("/?");
    head.authority = rest.substr(0, end);
    if (head.authority.find('@') != std::string_view::npos) return {400, "user information in the request target"};
    if (head.authority.empty() || head.authority.front() == ':') return {400, "request target without a host"};
    if (!is_host(head.authority)) return {400, "malformed authority in the request target"};
    split_query(end == std::string_view::npos ? std::string_view() : rest.substr(end), head);
    if (head.path.empty()) head.path = "/";
    return {};
}

Verdict read_target(RequestHead& head) {
    if (head.target.front() == '/') {
        split_query(head.target, head);
        return {};
    }
    if (head.target == "*") {
        head.path = head.target;
        return head.method == "OPTIONS" ? Verdict{} : Verdict{400, "\"*\" as target of a method other than OPTIONS"};
    }
    return read_absolute_form(head);
}

bool is_version(std::string_view text) {
    return text.size() == 8 && text.substr(0, 5) == "HTTP/" && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
}

// RFC 3986, 3.2.2, without the forms that are yet to come (IPvFuture).
bool is_ip_literal(std::string_view text) {
    char copy[INET6_ADDRSTRLEN];
    if (text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) return false;
    copy[text.copy(copy, text.size())] = '\0';
    in6_addr address;
    return ::inet_pton(AF_INET6, copy, &address) == 1;
}

} // namespace

bool is_method_of_llhttp(std::string_view method) {
#define CPPCORN_METHOD(number, name, string) #string,
    static constexpr std::string_view known[] = {HTTP_METHOD_MAP(CPPCORN_METHOD)};
#undef CPPCORN_METHOD
    return std::find(std::begin(known), std::end(known), method) != std::end(known);
}

Verdict read_request_line(std::string_view line, RequestHead& head, bool any_method) {
    head.line = line;
    std::size_t at = token_length(line);
    head.method = line.substr(0, at);
    if (at == 0 || at == line.size() || line[at] != ' ') return {400, "malformed request method"};

    std::size_t target = ++at;
    while (at < line.size() && is_target_char(line[at])) ++at;
    head.target = line.substr(target, at - target);
    if (at == line.size()) return {400, "request line without a version"};
    if (at == target || line[at] != ' ') return {400, "malformed request target"};

    // All of the line is checked before a status other than 400 is given: it must not depend on where in the line a
    // fault is.
    std::string_view version = line.substr(at + 1);
    if (!is_version(version)) return {400, "malformed HTTP version"};
    if (version[5] != '1') return {505, "major version of HTTP other than 1"};
    head.minor = version[7] == '0' ? 0 : 1;
    if (!is_passed_on(head.method, any_method)) return {501, "unknown request method"};
    return read_target(head);
}

bool is_host(std::string_view text) {
    std::size_t at = 0;
    if (!text.empty() && text.front() == '[') {
        std::size_t close = text.find(']');
        if (close == std::string_view::npos || !is_ip_literal(text.substr(1, close - 1))) return false;
        at = close + 1;
    } else {
        at = usual_name_length(text);
        for (; at < text.size() && is_reg_name_char(text[at]); ++at) {
            if (text[at] != '%') continue;
            if (at + 2 >= text.size() || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) return false;
        }
    }
    if (at == text.size()) return true;
    if (text[at] != ':') return false;
    for (char c : text.substr(at + 1)) {
        if (!is_digit(c)) return false;
    }
    return true;
}

} // namespace cppcorn::http
