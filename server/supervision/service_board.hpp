// What only the master knows of the service, for others to read: memory that it shares with its children. The workers'
// own part is the scoreboard.
//
// The master writes, with plain stores and without waiting for anybody. Those who read it may find the master in the
// middle of a change: each number is one that stood there, and the text of an end is whole or left out (EndBook). Both
// sides are forks of one program, so the layout needs no version.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

#include "base/clock.hpp"
#include "base/counter.hpp"
#include "base/log/error_log.hpp"
#include "server/supervision/end_book.hpp"
#include "server/supervision/master_state.hpp"
#include "server/supervision/order_book.hpp"
#include "server/supervision/worker_table.hpp"

namespace cppcorn {

// What became of a reload.
enum class ReloadResult : std::uint8_t {
    done,        // all new workers serve
    refused,     // settings, addresses or app were no good: the old workers serve on
    rolled_back, // the new workers could not start: the old ones serve on
};
inline constexpr std::size_t reload_result_count = 3;

// Plain data, zero at first.
struct ServiceBoard {
    static constexpr int most_slots = 1024;

    // A worker, by its slot of the scoreboard.
    struct Row {
        Counter pid;        // 0: there is none
        Counter state;      // WorkerState
        Counter generation; // of the release that it runs
        Counter spawned_ns; // of the steady clock
        Counter ready_ns;   // the same; 0: it is not ready
        Counter ends;       // of workers in this slot
        Counter last_cause; // EndCause of the last one
    };

    Counter heartbeat_ns; // of the steady clock: when the master was last seen to go round
    Counter state;        // MasterState
    Counter wanted;       // workers
    Counter slots_used;   // all workers that there ever were have lower slots
    std::array<Row, most_slots> rows;
    std::array<Counter, end_cause_count> ends;
    std::array<Counter, reload_result_count> reloads;
    Counter slow_requests;      // that --slow-request has told of
    Counter lost_requests;      // that ended with their worker
    Counter dropped_log_lines;  // of both logs. Any process of the service writes it
    LogLineCounts log_lines;    // of the error log. The same
    Counter cpu_of_dead_us;     // of workers that have ended
    Counter cpu_of_statuses_us; // the same of status processes
    Counter draining;           // 1: no requests are wanted, though those that come are served
    EndBook last_ends;
    OrderBook orders;
};
static_assert(std::is_trivially_copyable_v<ServiceBoard>);

// Master: the workers that there are now.
void show_workers(ServiceBoard& board, const std::vector<WorkerEntry>& workers);
// Master: one has ended, and used so much.
void show_end(ServiceBoard& board, const WorkerEnd& end, const rusage& usage);

// All of it, in microseconds.
std::uint64_t cpu_time_us(const rusage& usage);

inline std::uint64_t board_time(SteadyTime time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
inline SteadyTime board_time(std::uint64_t ns) {
    return SteadyTime(SteadyClock::duration(static_cast<std::int64_t>(ns)));
}

} // namespace cppcorn
