// A status as the server writes it, for tests of what reads it.
#pragma once

#include <chrono>
#include <string>

#include "server/control/top/snapshot.hpp"
#include "server/status/status_json.hpp"
#include "tests/unit/server/status/one_view.hpp"

namespace cppcorn::top {

inline WorkerView worker_view(int slot, pid_t pid) {
    WorkerView worker;
    worker.slot = slot;
    worker.pid = pid;
    worker.state = WorkerState::serving;
    worker.age = 60;
    worker.usage = ProcessUsage{std::uint64_t{10} << 20, 1.0};
    return worker;
}

inline void make_busy(WorkerView& worker, const std::string& line, double age) {
    worker.is_busy = true;
    worker.current = ScoreboardSlot::Current{line, "192.0.2.1", "the-id", SteadyTime()};
    worker.current_age = age;
}

inline ServiceFacts shop() {
    ServiceFacts facts;
    facts.name = "shop";
    facts.version = "1.2.3";
    facts.master = 99;
    return facts;
}

inline SteadyTime at(double seconds) {
    return SteadyTime(std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(seconds)));
}

inline Snapshot snapshot_of(const ServiceView& view, double time = 0) {
    return parse_snapshot(status_json(view, shop(), 0), at(time));
}

} // namespace cppcorn::top
