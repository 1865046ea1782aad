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

bool AppCall::wait_for_client(Stream::Interest interest, SteadyTime deadline) {
    return stream.wait_until(interest, std::min(deadline, latest_wait(context)));
}

} // namespace cppcorn
