// What a worker shares with its understudy, and with nobody else: a seat for each connection, what it holds in its
// hands just now (Desk), and the arena with the bytes. It belongs to the two of them, not to the worker's slot: made by
// the worker before the understudy, gone with the last of them.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/arena.hpp"
#include "base/clock.hpp"
#include "workers/handover/desk.hpp"
#include "workers/handover/listener_facts.hpp"
#include "workers/handover/move_packet.hpp"
#include "workers/handover/seat.hpp"
#include "workers/handover/token.hpp"
#include "workers/handover/worker_notes.hpp"

namespace cppcorn {

class WorkerMemory {
  public:
    static constexpr int most_facts = 64;

    // Seats for descriptors below `seat_count`. Throws std::system_error.
    explicit WorkerMemory(int seat_count, std::size_t arena_size = std::size_t{1} << 28);
    WorkerMemory(const WorkerMemory&) = delete;
    WorkerMemory& operator=(const WorkerMemory&) = delete;
    ~WorkerMemory();

    int seat_count() const { return seat_count_; }
    // Null for a descriptor that is beyond them: its connection has no seat.
    Seat* seat(int fd) { return fd >= 0 && fd < seat_count_ ? &seats_[fd] : nullptr; }
    const Seat* seat(int fd) const { return fd >= 0 && fd < seat_count_ ? &seats_[fd] : nullptr; }
    Desk& desk() { return shared_->desk; }
    Token& token() { return shared_->token; }
    WorkerNotes& notes() { return shared_->notes; }
    const WorkerNotes& notes() const { return shared_->notes; }
    // Worker: what it takes out of the queue, it receives to there.
    MovePacket& packet() { return shared_->packet; }
    const MovePacket& packet() const { return shared_->packet; }
    // The row of these facts, which is made if there is room; -1: there is none.
    int row_of(const ListenerFacts& facts);
    const ListenerFacts* facts(int row) const;
    Arena& arena() { return arena_; }
    const Arena& arena() const { return arena_; }

  private:
    struct Shared {
        Desk desk;
        Token token;
        WorkerNotes notes;
        std::atomic<std::uint32_t> facts_count;
        ListenerFacts facts[most_facts];
        MovePacket packet;
    };

    int seat_count_;
    std::size_t size_;
    Shared* shared_ = nullptr;
    Seat* seats_ = nullptr; // behind it
    Arena arena_;
};

} // namespace cppcorn
