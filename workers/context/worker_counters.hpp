// What has been done in a slot of the scoreboard since the service began: by its worker, and by those before it, whose
// numbers nobody clears. So a sum over all slots never falls when a worker is replaced. Each number has one writer, which
// stores it plainly; those who read it take them as base/counter.hpp says.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/counter.hpp"
#include "base/duration_histogram.hpp"

namespace cppcorn {

// What connections wait for.
enum class ConnectionState : std::uint8_t {
    fresh,   // their first byte
    idle,    // the next request, after an answer
    head,    // the rest of a request's head
    body,    // the rest of a body
    writing, // that the client takes its answer
    closing, // the client's end, behind the last answer
};
inline constexpr std::size_t connection_state_count = 6;

struct WorkerCounters {
    static constexpr std::size_t class_count = 6;
    static constexpr std::size_t status_count = class_count * 100;

    // Worker: a request is answered that the app has had. A status of 0: it was cut before it had one.
    void note_request(int status, DurationHistogram::Nanoseconds time) {
        note_answer(status);
        durations.add(time);
    }
    // Or the app was not to see it.
    void note_answer(int status) {
        statuses[std::min<std::size_t>(static_cast<unsigned>(status), status_count - 1)].add();
    }

    DurationHistogram durations;   // that requests were in the app
    DurationHistogram queue_times; // that they waited in front of us, where a proxy says so
    Counter cut;                   // responses that the client did not get all of
    Counter accepted;              // connections
    Counter moved_from_retiring;   // connections that went to other workers,
    Counter moved_from_busy;       // by the understudy,
    Counter moved_from_dead;       // which goes on when the worker is dead
    std::array<Counter, connection_state_count>
        connections;                            // that there are now. Master: none, once the worker is dead
    std::array<Counter, status_count> statuses; // responses by their status; last, as most of it is never touched
};

} // namespace cppcorn
