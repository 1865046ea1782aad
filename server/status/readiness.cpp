#include "server/status/readiness.hpp"

#include <chrono>

#include <fmt/format.h>

namespace cppcorn {

Readiness liveness(const ServiceView& view) {
    if (view.heartbeat_age > std::chrono::duration<double>(longest_silence).count()) {
        return {false, fmt::format("the master has not gone round for {:.1f} s", view.heartbeat_age)};
    }
    return {true, "ok"};
}

Readiness readiness(const ServiceView& view, const ReadyLimits& limits) {
    if (view.state == MasterState::stopping || view.state == MasterState::delaying) return {false, "stopping"};
    if (view.is_draining) return {false, "draining"};
    if (view.state == MasterState::retired) return {false, "the workers have retired"};
    if (view.serving() == 0) return {false, view.state == MasterState::loading ? "starting" : "no worker serves"};
    if (limits.max_queue > 0 && view.waiting().value_or(0) > limits.max_queue) {
        return {false, fmt::format("{} connections wait for a worker, more than {} (--ready-max-queue)",
                                   *view.waiting(), limits.max_queue)};
    }
    const double max_wait = std::chrono::duration<double>(limits.max_wait).count();
    if (max_wait > 0 && view.expected_wait.value_or(0) > max_wait) {
        return {false, fmt::format("a connection waits {:.1f} s for a worker, more than {} s (--ready-max-wait)",
                                   *view.expected_wait, max_wait)};
    }
    return {true, fmt::format("ok: {} of {} workers serve", view.serving(), view.wanted)};
}

} // namespace cppcorn
