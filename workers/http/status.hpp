// The IANA registry of status codes, those that a response can have.
#pragma once

#include <string_view>

namespace cppcorn::http {

// "Not Found" for 404; "Unknown" for what is in no registry.
std::string_view reason_phrase(int status);

} // namespace cppcorn::http
