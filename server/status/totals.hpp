// What has been counted since the service began and only grows, by each status: more than a view has of it (view.hpp).
#pragma once

#include <array>
#include <cstdint>

#include "server/status/view.hpp"
#include "workers/context/worker_counters.hpp"

namespace cppcorn {

// Plain data.
struct Totals {
    std::array<std::uint64_t, WorkerCounters::status_count> statuses{}; // requests; 0: cut before they had one
    Durations durations;
    Durations queue_times;
    std::uint64_t warnings = 0; // lines of the error log
    std::uint64_t errors = 0;
    std::uint64_t criticals = 0;
};

} // namespace cppcorn
