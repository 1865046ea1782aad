#include "bridges/python/request_timer.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

namespace cppcorn::python {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds usual_margin{1000};
constexpr milliseconds short_timeout{5000};
constexpr milliseconds until_told{50}; // where the request could not be told yet

} // namespace

int RequestTimer::signal() {
    return SIGRTMAX - 2;
}

bool RequestTimer::prepare(std::uint32_t timeout_ms) {
    if (timeout_ms == 0) return true;
    const milliseconds timeout(timeout_ms);
    margin_ = timeout < short_timeout ? timeout / 5 : usual_margin;
    limit_ = timeout - margin_;
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal();
    event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
    if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0) return true;
    limit_ = {};
    return false;
}

void RequestTimer::begin_request() {
    if (limit_ == Clock::duration::zero()) return;
    deadline_ = Clock::now() + limit_;
    if (goes_off_ > deadline_) arm(deadline_);
}

void RequestTimer::extend(std::uint32_t ms) {
    if (limit_ == Clock::duration::zero()) return;
    const bool was_told = deadline_ == Clock::time_point::max();
    const auto now = Clock::now();
    const auto wanted = now + milliseconds(ms) - margin_;
    deadline_ = was_told ? wanted : std::max(deadline_, wanted);
    if (goes_off_ > deadline_) arm(std::max(wanted, now + until_told));
}

void RequestTimer::postpone(Clock::duration time) {
    if (deadline_ != Clock::time_point::max()) deadline_ += time;
}

bool RequestTimer::take_overdue(bool may_tell) {
    goes_off_ = Clock::time_point::max();
    if (deadline_ == Clock::time_point::max()) return false;
    const auto now = Clock::now();
    const bool is_overdue = deadline_ <= now;
    if (is_overdue && may_tell) {
        deadline_ = Clock::time_point::max();
        return true;
    }
    arm(is_overdue ? now + until_told : deadline_);
    return false;
}

// The clock of a steady_clock is CLOCK_MONOTONIC, which the timer counts by, too.
void RequestTimer::arm(Clock::time_point when) {
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
    itimerspec spec{};
    spec.it_value.tv_sec = ns / 1'000'000'000;
    spec.it_value.tv_nsec = ns % 1'000'000'000;
    if (::timer_settime(timer_, TIMER_ABSTIME, &spec, nullptr) == 0) goes_off_ = when;
}

} // namespace cppcorn::python
