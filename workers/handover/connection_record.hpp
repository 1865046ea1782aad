// A connection on its way to another worker: what is known of it, without its bytes and descriptors. On the wire it
// begins each message (workers/handover/move_message.hpp), from one version of the program to another.
#pragma once

#include <cstdint>
#include <type_traits>

#include "workers/handover/listener_facts.hpp"
#include "workers/handover/request_state.hpp"
#include "workers/handover/seat.hpp"

namespace cppcorn {

struct ConnectionRecord {
    static constexpr std::uint32_t current_version = 1;

    std::uint32_t version;
    std::uint32_t size; // sizeof(ConnectionRecord): of this version
    ListenerFacts listener;
    char address[46];
    std::uint16_t port;
    std::uint8_t flags; // Seat::Flag
    SeatPhase phase;
    std::uint8_t reserved[10];
    std::int64_t deadline; // as in Seat
    std::int64_t began;
    std::uint64_t passed;
    std::uint64_t received;
    std::uint64_t sent;
    std::uint32_t section_sizes[section_count];
    std::uint32_t reserved2;
    RequestState request; // all zero for one that is idle
};

static_assert(std::is_trivially_copyable_v<ConnectionRecord>);
static_assert(std::has_unique_object_representations_v<ConnectionRecord>); // no byte of it is left to chance

} // namespace cppcorn
