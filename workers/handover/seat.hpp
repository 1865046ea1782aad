// What a worker leaves in shared memory of each of its connections, so that another process can go on with it should
// the worker die, or be busy: written by the worker with plain stores, read by its understudy, which believes none of
// it: a worker whose memory is broken may have written anything.
#pragma once

#include <atomic>
#include <cstdint>

#include "workers/handover/request_state.hpp"

namespace cppcorn {

// What a connection waits for.
enum class SeatPhase : std::uint8_t { empty, preamble, idle, head, body, writing, lingering };

// Bytes in the worker's arena.
struct ArenaRange {
    std::uint32_t offset;
    std::uint32_t size;
};

// Of a connection that is not idle, in the arena.
struct ParkedRequest {
    RequestState state;
    ArenaRange sections[section_count];
};

// One for each descriptor: its number in the table is the descriptor's.
struct Seat {
    enum Flag : std::uint8_t {
        trusted = 1,           // Peer::trusted
        may_send_preamble = 2, // Peer::may_send_preamble
        answered_any = 4,      // it has had an answer
        is_unix = 8,           // of a unix socket
    };

    std::atomic<std::uint32_t> generation; // tells connections apart that had the same descriptor; 0: nobody sits here
    std::atomic<SeatPhase> phase;
    std::uint8_t flags;
    std::uint16_t port;     // the client's
    std::uint8_t facts;     // of its listener: which row of WorkerMemory::facts
    char address[46];       // the client's, ends with a zero byte
    std::uint8_t reserved;  //
    std::uint32_t parked;   // ParkedRequest, as an offset in the arena; 0: none, it is idle
    std::int64_t deadline;  // of the steady clock, in nanoseconds
    std::int64_t began;     // Patience; lingering: until when at most
    std::uint64_t passed;   // Patience: bytes that have gone through since
    std::uint64_t received; // bytes that were read of it, ever
    std::uint64_t sent;     // bytes that were sent to it, ever
};

static_assert(std::is_standard_layout_v<Seat>);
static_assert(sizeof(Seat) <= 112);

} // namespace cppcorn
