// The one clock of the program's deadlines, and a reading of it that a loop keeps.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>

namespace cppcorn {

using SteadyClock = std::chrono::steady_clock;
using SteadyTime = SteadyClock::time_point;
using Milliseconds = std::chrono::milliseconds;

// To a few milliseconds, which the kernel tells for a quarter of the price.
inline SteadyTime coarse_now() {
    timespec time;
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return SteadyTime(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

// The time of day, for logs, to a few milliseconds as well.
inline std::chrono::system_clock::time_point coarse_time_of_day() {
    timespec time;
    ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
    const auto since_epoch = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    return std::chrono::system_clock::time_point(since_epoch);
}

// Where the time comes from; in tests, from them.
struct ClockSource {
    SteadyTime (*precise)() = [] { return SteadyClock::now(); };
    SteadyTime (*coarse)() = coarse_now;
};

// The time as it was when it was last asked for: near enough for deadlines, and read once in a turn of a loop rather
// than wherever it is needed. One thread uses it.
class CachedClock {
  public:
    explicit CachedClock(ClockSource source = {}) : source_(source), now_(source.precise()) {}

    SteadyTime now() const { return now_; }
    SteadyTime precise_now() const { return source_.precise(); }
    void refresh() { now_ = source_.precise(); }
    // To a few milliseconds; never back.
    void refresh_coarsely() { now_ = std::max(now_, source_.coarse()); }

  private:
    ClockSource source_;
    SteadyTime now_;
};

} // namespace cppcorn
