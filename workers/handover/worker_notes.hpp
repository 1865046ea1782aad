// What else a worker and its understudy tell each other, beside the seats and the desk.
#pragma once

#include <atomic>
#include <cstdint>

#include <sys/socket.h>

#include "base/call_note.hpp"
#include "workers/handover/seat.hpp"

namespace cppcorn {

// How a connection has come that is in no seat yet, nor on the desk.
enum class Arrival : std::uint8_t {
    none,
    accepted, // there may be one, of which nothing is known but its socket
    moved,    // there may be one that was another worker's: in WorkerMemory::packet() and its descriptors
};

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

    // Worker: it asks the kernel for a connection, or has it and has not begun with it.
    std::atomic<Arrival> arrival;

    // Worker: it gives this connection away, by this message, whose length the kernel tells once the queue has it.
    std::atomic<int> leaving; // descriptor + 1
    mmsghdr leave_message;

    // Worker: its last call on a connection of a unix socket.
    CallNotes calls;

    // Worker: the lines of its access log that are not written yet, and where to: as offset << 32 | size.
    std::atomic<std::uint64_t> log_lines;
    std::atomic<int> log_fd; // + 1

    // Worker: it has crashed, in its own thread, and only its report keeps it.
    std::atomic<std::uint8_t> is_crashing;

    // What is noted as descriptor + 1; -1 for none, and for what no worker can have noted.
    static int descriptor_of(const std::atomic<int>& note) {
        const int number = note.load();
        return number > 0 ? number - 1 : -1;
    }

    void watch(int fd) {
        for (auto& other : others) {
            if (other.load(std::memory_order_relaxed) != 0) continue;
            return other.store(fd + 1, std::memory_order_relaxed);
        }
    }
};

} // namespace cppcorn
