// Dates as HTTP writes them.
#pragma once

#include <cstdint>
#include <string>

namespace cppcorn::http {

// Seconds since the epoch as an IMF-fixdate (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string imf_fixdate(std::int64_t seconds);

} // namespace cppcorn::http
