// What else a worker and its understudy tell each other, beside the seats and the desk.
#pragma once

#include <atomic>
#include <cstdint>

#include "workers/handover/seat.hpp"

namespace cppcorn {

// Shared memory, zero at first.
struct WorkerNotes {
    static constexpr int most_others = 32;

    // Worker: what its epoll watches besides connections, with the descriptor as the tag. While it is in the app, the
    // understudy may take the interest in these away: then it sets `is_quiet`, and the worker watches them again.
    std::atomic<int> others[most_others]; // descriptor + 1
    std::atomic<std::uint8_t> is_quiet;

    // Understudy: so many connections were taken out of their seats. Worker: it looks for those when this changes.
    std::atomic<std::uint32_t> moved;
    // Worker: connections whose requests are here and wait for another turn; they make no event. All seats are below
    // `seats_end`.
    std::atomic<std::int32_t> waiting;
    std::atomic<std::int32_t> seats_end;

    // Worker: the lines of its access log that are not written yet, and where to: as offset << 32 | size.
    std::atomic<std::uint64_t> log_lines;
    std::atomic<int> log_fd; // + 1

    // Worker: it has crashed, in its own thread, and only its report keeps it.
    std::atomic<std::uint8_t> is_crashing;

    void watch(int fd) {
        for (auto& other : others) {
            if (other.load(std::memory_order_relaxed) != 0) continue;
            return other.store(fd + 1, std::memory_order_relaxed);
        }
    }
};

} // namespace cppcorn
