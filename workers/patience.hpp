// How long a transfer may take: a fixed time, and one second more for each KiB that has gone through. The deadline is
// for the whole transfer, so that a byte now and then does not keep it alive, and yet a large one over a slow line gets
// through.
#pragma once

#include <chrono>
#include <cstdint>

namespace cppcorn {

inline std::chrono::steady_clock::time_point transfer_deadline(std::chrono::steady_clock::time_point began,
                                                               std::chrono::milliseconds allowance,
                                                               std::uint64_t bytes_so_far) {
    constexpr std::uint64_t slowest_bytes_per_second = 1024;
    return began + allowance + std::chrono::seconds(bytes_so_far / slowest_bytes_per_second);
}

} // namespace cppcorn
