// The one clock of the program's deadlines, and a reading of it that a loop keeps.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>

namespace cppcorn {

using SteadyClock = std::chrono::steady_clock;
using SteadyTime = SteadyClock::time_point;
using Milliseconds = std::chrono::milliseconds;

// The time as it was when it was last asked for: near enough for deadlines, and read once in a turn of a loop rather
// than wherever it is needed. One thread uses it.
class CachedClock {
  public:
    SteadyTime now() const { return now_; }
    void refresh() { now_ = SteadyClock::now(); }
    // To a few milliseconds, which the kernel tells for a quarter of the price. Never back.
    void refresh_coarsely() { now_ = std::max(now_, coarse_now()); }

  private:
    static SteadyTime coarse_now() {
        timespec time;
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
        return SteadyTime(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
    }

    SteadyTime now_ = SteadyClock::now();
};

// The time of day, for logs, to a few milliseconds as well.
inline std::chrono::system_clock::time_point coarse_time_of_day() {
    timespec time;
    ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
    const auto since_epoch = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    return std::chrono::system_clock::time_point(since_epoch);
}

} // namespace cppcorn
