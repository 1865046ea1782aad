// What the service manager is told, in each turn of the loop.

#include <fmt/format.h>

#include "server/arbiter.hpp"

namespace cppcorn {

void Arbiter::report(ServiceManager::State state) {
    if (predecessor_) return; // which is the one that is looked after
    around_.service_manager.update(state, status());
    around_.service_manager.ping(std::chrono::steady_clock::now());
}

Arbiter::Time Arbiter::report_due() const {
    return predecessor_ ? Time::max() : around_.service_manager.due();
}

ServiceManager::State Arbiter::state() const {
    // With a new master, the service goes on: it would be ended whole if it were told to be stopping.
    if (is_stopping() && successor_ == 0) return ServiceManager::State::stopping;
    if (!started_ || (!table_.settled() && !previous_)) return ServiceManager::State::starting;
    return probe_ || previous_ ? ServiceManager::State::reloading : ServiceManager::State::ready;
}

std::string Arbiter::status() const {
    return fmt::format("{} of {} workers serve", table_.serving(), table_.wanted());
}

} // namespace cppcorn
