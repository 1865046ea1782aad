// The service as it is at one instant, as plain values: what all answers of the status process are made of.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/duration_histogram.hpp"
#include "server/status/listen_queue.hpp"
#include "server/status/process_usage.hpp"
#include "server/supervision/end_book.hpp"
#include "server/supervision/master_state.hpp"
#include "server/supervision/service_board.hpp"
#include "server/supervision/worker_table.hpp"
#include "workers/context/scoreboard_slot.hpp"

namespace cppcorn {

inline constexpr std::size_t worker_state_count = 4;
inline constexpr std::array moved_reasons{"retiring", "busy", "dead"};

// Times of one kind, counted.
struct Durations {
    std::array<std::uint64_t, DurationHistogram::band_count> bands{};
    std::uint64_t total_ns = 0;

    void add(const DurationHistogram& histogram);
    // What was there before is taken out.
    void subtract(const Durations& before);
    std::uint64_t count() const;
    // So much of them took at most that long, as far as bands tell: "0.95". In seconds; nullopt without any.
    std::optional<double> quantile(double part) const;
};

// The worker that is in a slot, and what was counted there since the service began.
struct WorkerView {
    int slot = 0;
    pid_t pid = 0;
    WorkerState state = WorkerState::starting;
    unsigned generation = 0;
    double age = 0; // seconds
    bool is_busy = false;
    std::optional<ScoreboardSlot::Current> current; // what it is busy with
    double current_age = 0;                         // seconds
    std::uint64_t requests = 0;                     // that this worker has answered
    std::uint64_t answers = 0;                      // of the slot
    std::uint64_t errors = 0;                       // of the slot: with a status of 500 and above
    Durations recent;                               // of the slot, in the last one to two minutes
    std::uint64_t connections = 0;
    std::uint64_t ends = 0; // of workers in the slot
    EndCause last_cause = EndCause::retired;
    std::optional<ProcessUsage> usage;
};

struct ServiceView {
    SteadyTime time;
    MasterState state = MasterState::loading;
    bool is_draining = false;
    double heartbeat_age = 0; // seconds
    std::uint64_t wanted = 0; // workers
    std::vector<WorkerView> workers;
    std::array<std::uint64_t, worker_state_count> by_state{};
    std::uint64_t busy = 0;
    double oldest_request_age = 0; // seconds; 0: there is none
    ProcessUsage all_workers;      // their CPU time with that of those that have ended
    std::optional<ProcessUsage> master;
    std::optional<ProcessUsage> own;

    std::vector<ListenQueue> queues;
    std::optional<double> expected_wait; // seconds
    std::array<std::uint64_t, connection_state_count> connections{};
    std::uint64_t accepted = 0;
    std::array<std::uint64_t, moved_reasons.size()> moved{};

    std::array<std::uint64_t, WorkerCounters::class_count> answers{}; // by class
    std::uint64_t cut = 0;
    std::uint64_t slow = 0; // that --slow-request has told of
    Durations durations;
    Durations queue_times;

    std::array<std::uint64_t, end_cause_count> ends{};
    std::array<std::uint64_t, reload_result_count> reloads{};
    std::uint64_t dropped_log_lines = 0;
    std::vector<WorkerEnd> last_ends;

    std::uint64_t serving() const { return by_state[static_cast<std::size_t>(WorkerState::serving)]; }
    std::uint64_t all_answers() const;
    std::optional<std::uint64_t> waiting() const; // in all queues
};

} // namespace cppcorn
