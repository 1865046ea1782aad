// The server's own answers, to requests that no app has answered.
#pragma once

#include <string>
#include <string_view>

#include "workers/http/response_writer.hpp"

namespace cppcorn::http {

// A small complete response, head and body: HTML where `accept` prefers it, application/problem+json (RFC 9457) where it
// asks for JSON, under either name, else plain text. It names the request's id (is_request_id()), if it is given one.
// Ends with Connection: close unless context.keep_alive.
std::string error_response(const ResponseContext& context, int status, std::string_view accept,
                           std::string_view request_id = {});

// The value of the Accept field in the bytes of a head that was refused, as far as it can be told; "" if there is none.
std::string_view accept_in_refused(std::string_view head);

} // namespace cppcorn::http
