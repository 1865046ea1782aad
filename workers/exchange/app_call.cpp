#include "workers/exchange/app_call.hpp"

#include <algorithm>

namespace cppcorn {
namespace {

// What a worker needs to give a slow client up before its master gives the worker up.
constexpr Milliseconds timeout_margin{1000};

SteadyTime latest_wait(const WorkerContext& context) {
    const Milliseconds timeout = context.settings.timeout;
    if (timeout.count() == 0) return SteadyTime::max();
    return context.slot.deadline() - std::min(timeout_margin, timeout / 10);
}

} // namespace

SteadyTime ClientWait::begin(SteadyTime now, std::uint64_t bytes, Milliseconds allowance) {
    if (ended_ == SteadyTime{}) {
        patience_.begin(now, bytes);
    } else {
        patience_.postpone(now - ended_);
    }
    return patience_.deadline(now, bytes, allowance);
}

bool AppCall::wait(ClientWait& wait, Stream::Interest interest, std::uint64_t bytes, Milliseconds allowance) {
    const SteadyTime deadline = wait.begin(context.precise_now(), bytes, allowance);
    const bool is_ready = stream.wait_until(interest, std::min(deadline, latest_wait(context)));
    wait.end(context.precise_now());
    return is_ready;
}

} // namespace cppcorn
