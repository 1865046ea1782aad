#include "server/supervision/service_board.hpp"

#include <algorithm>

namespace cppcorn {
namespace {

std::uint64_t microseconds(const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}

} // namespace

void show_workers(ServiceBoard& board, const std::vector<WorkerEntry>& workers) {
    std::uint64_t used = board.slots_used.value();
    std::array<bool, ServiceBoard::most_slots> is_there{};
    for (const auto& entry : workers) {
        if (entry.slot < 0 || entry.slot >= ServiceBoard::most_slots) continue;
        ServiceBoard::Row& row = board.rows[static_cast<std::size_t>(entry.slot)];
        is_there[static_cast<std::size_t>(entry.slot)] = true;
        row.state.set(static_cast<std::uint64_t>(entry.state));
        row.generation.set(entry.generation);
        row.spawned_ns.set(board_time(entry.spawned_at));
        row.ready_ns.set(entry.ready_at == SteadyTime{} ? 0 : board_time(entry.ready_at));
        row.pid.set(static_cast<std::uint64_t>(entry.pid));
        used = std::max<std::uint64_t>(used, static_cast<std::uint64_t>(entry.slot) + 1);
    }
    for (std::size_t slot = 0; slot < used; ++slot) {
        if (!is_there[slot]) board.rows[slot].pid.set(0);
    }
    board.slots_used.set(used);
}

std::uint64_t cpu_time_us(const rusage& usage) {
    return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

void show_end(ServiceBoard& board, const WorkerEnd& end, const rusage& usage) {
    ServiceBoard::Row& row = board.rows[static_cast<std::size_t>(end.slot)];
    row.ends.add();
    row.last_cause.set(static_cast<std::uint64_t>(end.cause));
    board.ends[static_cast<std::size_t>(end.cause)].add();
    board.cpu_of_dead_us.add(cpu_time_us(usage));
    board.last_ends.add(end);
}

} // namespace cppcorn
