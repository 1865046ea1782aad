// Reads request lines (RFC 9112, 3).
#pragma once

#include <string_view>

#include "workers/http/request_head.hpp"
#include "workers/http/verdict.hpp"

namespace cppcorn::http {

// Fills in what the line tells: line, method, target, path, query, minor, and the authority of an absolute form.
Verdict read_request_line(std::string_view line, RequestHead& head);

// uri-host [ ":" port ] of RFC 9110, 7.2; the host may be empty.
bool is_host(std::string_view text);

} // namespace cppcorn::http
