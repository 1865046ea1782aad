#include "workers/exchange/app_call.hpp"

#include <algorithm>

namespace cppcorn {
namespace {

// What a worker needs to give a slow client up before the app's own time would be over.
constexpr Milliseconds timeout_margin{1000};

// The deadline in the scoreboard has to move before it comes.
constexpr Milliseconds longest_pause{1000};
constexpr Milliseconds shortest_pause{5};

Milliseconds bounded(Milliseconds allowance, Milliseconds timeout) {
    if (timeout.count() == 0) return allowance;
    const Milliseconds most = timeout - std::min(timeout_margin, timeout / 10);
    return allowance.count() == 0 ? most : std::min(allowance, most);
}

SteadyTime end_of_pause(SteadyTime now, SteadyTime app_deadline) {
    if (app_deadline == SteadyTime::max()) return app_deadline;
    const auto half = std::chrono::duration_cast<Milliseconds>(app_deadline - now) / 2;
    return now + std::clamp(half, shortest_pause, longest_pause);
}

} // namespace

SteadyTime ClientWait::begin(SteadyTime now, std::uint64_t bytes, Milliseconds allowance, std::uint64_t rate) {
    if (ended_ == SteadyTime{}) {
        patience_.begin(now, bytes);
    } else {
        patience_.postpone(now - ended_);
    }
    return patience_.deadline(now, bytes, allowance, rate);
}

bool AppCall::wait(ClientWait& wait, Stream::Interest interest, std::uint64_t bytes, Milliseconds allowance) {
    if (!context.settings.waits_in_app) return false;
    allowance = bounded(allowance, context.settings.timeout);
    for (;;) {
        const SteadyTime now = context.precise_now();
        // What the kernel has taken and the client has not is not through.
        const std::uint64_t untaken = interest == Stream::Interest::to_write ? stream.untaken() : 0;
        const std::uint64_t passed = bytes - std::min(bytes, untaken);
        const SteadyTime deadline = wait.begin(now, passed, allowance, context.settings.min_rate);
        if (now >= deadline) return false;
        const SteadyTime app_deadline = context.slot.deadline();
        const SteadyTime until = std::min(deadline, end_of_pause(now, app_deadline));
        const bool is_ready = stream.wait_until(interest, until);
        const SteadyTime then = context.precise_now();
        wait.end(then);
        if (app_deadline != SteadyTime::max()) context.slot.extend_deadline(app_deadline + (then - now));
        if (is_ready) return true;
        if (then < until) return false;
    }
}

} // namespace cppcorn
