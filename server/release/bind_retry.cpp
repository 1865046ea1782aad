#include "server/release/bind_retry.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace cppcorn {
namespace {

constexpr Milliseconds first_pause{50};
constexpr Milliseconds longest_pause{500};

} // namespace

bool BindRetry::again(const BindError& error, SteadyTime now) {
    if (until_ == SteadyTime::max()) {
        until_ = now + error.retry_for();
        pause_ = first_pause;
        if (now < until_) {
            const std::chrono::duration<double> seconds = error.retry_for();
            spdlog::warn("{}; retrying for {} s (--bind-retry)", error.what(), seconds.count());
        }
    }
    if (now >= until_ || error.retry_for().count() == 0) {
        stop();
        return false;
    }
    due_ = std::min(now + pause_, until_);
    pause_ = std::min(pause_ * 2, longest_pause);
    return true;
}

void BindRetry::stop() {
    until_ = due_ = SteadyTime::max();
}

} // namespace cppcorn
