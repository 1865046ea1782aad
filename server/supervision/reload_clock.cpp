#include "server/supervision/reload_clock.hpp"

#include <chrono>

#include <spdlog/spdlog.h>

namespace cppcorn {

void ReloadClock::begin(unsigned generation, SteadyTime now) {
    if (!start_) start_ = {now, generation};
}

bool ReloadClock::log_end(const WorkerTable& table, const std::string& build, SteadyTime now) {
    if (!start_ || start_->generation == table.generation() || !table.is_complete()) return false;
    const std::chrono::duration<double> took = now - start_->time;
    spdlog::info("Reload done: {} new {} after {:.2f} s, {}", table.wanted(),
                 table.wanted() == 1 ? "worker serves" : "workers serve", took.count(), build);
    start_.reset();
    return true;
}

} // namespace cppcorn
