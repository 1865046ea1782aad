// What a worker writes of its connections into the memory that outlives it: who sits where. Without such memory, all of
// this does nothing.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "workers/context/peer.hpp"
#include "workers/handover/worker_memory.hpp"

namespace cppcorn {

class SharedSeats {
  public:
    // `memory` outlives it; null for none.
    explicit SharedSeats(WorkerMemory* memory) : memory_(memory) {}

    // A connection has come, and waits for that.
    void sit(int fd, std::uint32_t generation, const Peer& peer, SeatPhase phase, SteadyTime deadline);
    // It has left.
    void leave(int fd) {
        if (Seat* const seat = seat_of(fd)) seat->generation.store(0, std::memory_order_release);
    }
    // Whether it is still there, as far as that can be known.
    bool is_there(int fd, std::uint32_t generation) {
        const Seat* const seat = seat_of(fd);
        return seat == nullptr || seat->generation.load(std::memory_order_relaxed) == generation;
    }
    // What it says of a request that has begun.
    std::uint32_t parked(int fd) {
        const Seat* const seat = seat_of(fd);
        return seat != nullptr ? seat->parked : 0;
    }
    // So many have requests that wait for another turn.
    void note_waiting(int count) {
        if (memory_ != nullptr) memory_->notes().waiting.store(count, std::memory_order_relaxed);
    }
    // Null for none.
    Seat* seat_of(int fd) { return memory_ != nullptr ? memory_->seat(fd) : nullptr; }

  private:
    int row_of(const ListeningSocket& listener);

    WorkerMemory* memory_;
    std::vector<std::pair<const ListeningSocket*, int>> rows_; // of listeners' facts
};

ListenerFacts facts_of(const ListeningSocket& listener);
// What the seat says of the client.
void write_peer(Seat& seat, const Peer& peer);

} // namespace cppcorn
