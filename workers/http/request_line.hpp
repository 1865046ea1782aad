// Reads request lines (RFC 9112, 3).
#pragma once

#include <cstring>
#include <string_view>

#include "workers/http/request_head.hpp"
#include "workers/http/verdict.hpp"

namespace cppcorn::http {

// Fills in what the line tells: line, method, target, path, query, minor, and the authority of an absolute form. A later
// minor version is 1 (RFC 9110, 2.5).
Verdict read_request_line(std::string_view line, RequestHead& head, bool any_method = false);

// GET or POST, as nearly all methods are: told without a call.
inline bool is_ordinary_method(std::string_view method) {
    return (method.size() == 3 && std::memcmp(method.data(), "GET", 3) == 0) ||
           (method.size() == 4 && std::memcmp(method.data(), "POST", 4) == 0);
}

// Whether llhttp takes the method; it has a list.
bool is_method_of_llhttp(std::string_view method);

// uri-host [ ":" port ] of RFC 9110, 7.2; the host may be empty.
bool is_host(std::string_view text);

} // namespace cppcorn::http
