#include "server/supervision/service_report.hpp"

#include <fmt/format.h>

namespace cppcorn {

using State = ServiceManager::State;

State service_state(const MasterLife& life, const WorkerTable& table, const Rollout& rollout, bool has_successor) {
    // With a new master, the service goes on: the manager would end all of it if it were told of a stop.
    if (life.ending() && !has_successor) return State::stopping;
    const bool is_started = rollout.has_adopted() && (table.settled() || rollout.unsettled());
    if (!is_started) return State::starting;
    return rollout.is_under_way() || rollout.unsettled() ? State::reloading : State::ready;
}

std::string service_status(const WorkerTable& table) {
    const char* besides = table.cannot_serve() ? "; starts fail" : "";
    return fmt::format("{} of {} workers serve{}", table.serving(), table.wanted(), besides);
}

} // namespace cppcorn
