#include "workers/connection/shared_seats.hpp"

#include <algorithm>
#include <cstring>

namespace cppcorn {

void SharedSeats::sit(int fd, std::uint32_t generation, const Peer& peer, SeatPhase phase, SteadyTime deadline) {
    Seat* const seat = seat_of(fd);
    const int row = seat != nullptr ? row_of(*peer.listener) : -1;
    if (row < 0) return leave(fd); // it cannot go on elsewhere
    seat->phase.store(phase, std::memory_order_relaxed);
    seat->flags = 0;
    write_peer(*seat, peer);
    seat->facts = static_cast<std::uint8_t>(row);
    seat->parked = 0;
    seat->deadline = deadline.time_since_epoch().count();
    seat->began = 0;
    seat->passed = seat->received = seat->sent = 0;
    seat->generation.store(generation, std::memory_order_release);
    auto& end = memory_->notes().seats_end;
    if (fd >= end.load(std::memory_order_relaxed)) end.store(fd + 1, std::memory_order_relaxed);
}

void write_peer(Seat& seat, const Peer& peer) {
    unsigned flags = seat.flags & Seat::answered_any;
    if (peer.trusted) flags |= Seat::trusted;
    if (peer.may_send_preamble) flags |= Seat::may_send_preamble;
    if (peer.listener->server_port == 0) flags |= Seat::is_unix;
    seat.flags = static_cast<std::uint8_t>(flags);
    seat.port = peer.port;
    std::memcpy(seat.address, peer.address, sizeof seat.address);
}

int SharedSeats::row_of(const ListeningSocket& listener) {
    for (const auto& [known, row] : rows_) {
        if (known == &listener) return row;
    }
    rows_.emplace_back(&listener, memory_->row_of(facts_of(listener)));
    return rows_.back().second;
}

ListenerFacts facts_of(const ListeningSocket& listener) {
    ListenerFacts facts{};
    std::memcpy(facts.server_name, listener.server_name.data(),
                std::min(listener.server_name.size(), sizeof facts.server_name - 1));
    facts.server_port = listener.server_port;
    facts.outlives_service = listener.outlives_service ? 1 : 0;
    return facts;
}

} // namespace cppcorn
