// The connection that a worker is serving at this moment, as it has to be known should the worker die before the next
// instruction: a picture of it, replaced as a whole by the next one.
//
// What the kernel did in the system call that the worker died in is not in the picture. For TCP it can be found out:
// `received` and `sent` are the bytes that had gone through by then, and the kernel knows how many have in truth.
#pragma once

#include <atomic>
#include <cstdint>

#include "workers/handover/seat.hpp"

namespace cppcorn {

enum class DeskPhase : std::uint8_t {
    nobody,   // no connection is being served: the seats say all
    reading,  // no request of `input` is in the app
    in_app,   // the first one is; nothing of its response has been handed to the kernel
    begun,    // it is; some of its response may have gone out
    answered, // the answers in `output` are whole, though the app may not be done with the last one; none of the
              // requests in `input` has been looked at
};

struct DeskPicture {
    std::int32_t fd;
    std::uint32_t generation;
    DeskPhase phase;
    std::uint8_t is_head_request; // in_app; no bool, which may have two values only
    Ending ending;                // answered: of the last answer
    std::uint8_t reserved;
    std::uint32_t parked;     // in place of the seat's; 0: there is no request whose head and body are not in `input`
    ArenaRange input;         // all that was read and belongs to no answered request (nor to `parked`)
    std::uint32_t input_room; // bytes behind it that are being read to, perhaps
    ArenaRange output;        // answers that are to be sent, with nothing in between that is in a file
    ArenaRange request_id;    // in_app; of size 0 where it is not in the arena
    std::uint64_t received;   // of the connection, ever
    std::uint64_t sent;
};

// Shared memory, zero at first.
class Desk {
  public:
    // Worker: from now on it is this.
    void show(const DeskPicture& picture) {
        const unsigned next = 1 - current_.load(std::memory_order_relaxed) % 2;
        pictures_[next] = picture;
        current_.store(next, std::memory_order_release);
    }
    void clear() {
        DeskPicture& next = pictures_[1 - current_.load(std::memory_order_relaxed) % 2];
        next.phase = DeskPhase::nobody;
        next.fd = -1;
        current_.store(1 - current_.load(std::memory_order_relaxed) % 2, std::memory_order_release);
    }
    // Only the phase has changed: a store of its own is whole, too.
    void set_phase(DeskPhase phase) {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        reinterpret_cast<std::atomic<DeskPhase>&>(pictures_[current_.load(std::memory_order_relaxed) % 2].phase)
            .store(phase, std::memory_order_release);
    }

    // Understudy: while the worker is dead, or in the app with the token lent (workers/handover/token.hpp). A copy.
    DeskPicture picture() const { return pictures_[current_.load(std::memory_order_acquire) % 2]; }

    // Worker: the deadline of the request in the app, of the steady clock; 0: none. For the answer to one that overran.
    void set_deadline(std::int64_t ns) { deadline_ns_.store(ns, std::memory_order_relaxed); }
    std::int64_t deadline() const { return deadline_ns_.load(std::memory_order_relaxed); }

    // Understudy, with the token: so many bytes of `output` have been sent in the worker's place. Worker: takes them.
    void note_sent(std::uint32_t count) { sent_for_worker_.fetch_add(count, std::memory_order_relaxed); }
    std::uint32_t take_sent() { return sent_for_worker_.exchange(0, std::memory_order_relaxed); }
    std::uint32_t sent_for_worker() const { return sent_for_worker_.load(std::memory_order_relaxed); }

  private:
    std::atomic<unsigned> current_;
    std::atomic<std::uint32_t> sent_for_worker_;
    std::atomic<std::int64_t> deadline_ns_;
    DeskPicture pictures_[2];
};

static_assert(sizeof(std::atomic<DeskPhase>) == sizeof(DeskPhase));

} // namespace cppcorn
