// What /status.json said at one instant, as far as a terminal shows it. Plain values. All text in it is printable
// ASCII: what clients and apps wrote was made so where it was read, and does not have to be looked at again. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace cppcorn::top {

// What was read is no status that we know. what() is one line.
class SnapshotError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Worker {
    int slot = 0;
    int pid = 0;
    std::string state;
    double age = 0; // seconds, as all times
    bool is_busy = false;
    std::optional<double> request_age;
    std::string request; // its first line
    std::string client;
    std::uint64_t answers = 0; // of the slot, as what follows
    std::uint64_t errors = 0;
    std::optional<double> p50;
    std::optional<double> p95;
    std::uint64_t connections = 0;
    std::optional<std::uint64_t> resident_bytes;
    std::optional<double> cpu_seconds;
    std::uint64_t ends = 0;
    std::string last_end;
    // Since the snapshot before; nullopt where there was none of this worker.
    std::optional<double> answers_per_second;
    std::optional<double> cpu; // 1: one processor
};

struct Snapshot {
    SteadyTime time; // when it was read
    std::string name;
    std::string server_version;
    std::string state;
    int master = 0;
    bool is_ready = false;
    std::string ready_reason;
    std::uint64_t wanted = 0; // workers
    std::uint64_t serving = 0;
    std::uint64_t busy = 0;
    std::uint64_t connections = 0;
    std::optional<std::uint64_t> waiting; // in all listen queues
    std::optional<double> expected_wait;
    double oldest_request_age = 0;
    std::uint64_t answers = 0;
    std::uint64_t errors = 0;
    std::uint64_t ends = 0;
    std::uint64_t reloads = 0; // that are done
    std::vector<Worker> workers;
    std::optional<double> answers_per_second;
    std::optional<double> errors_per_second;
};

// Throws SnapshotError.
Snapshot parse_snapshot(std::string_view json, SteadyTime now);

// Fills in what is a difference. A `before` of another master, whose counts began anew, gives none.
void add_rates(Snapshot& snapshot, const Snapshot& before);

} // namespace cppcorn::top
