// Dates as HTTP writes them, without allocating anything.
#pragma once

#include <array>
#include <cstdint>

namespace cppcorn {

// Seconds since the epoch as an IMF-fixdate (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". Async-signal-safe.
std::array<char, 29> fixdate(std::int64_t seconds);

} // namespace cppcorn
