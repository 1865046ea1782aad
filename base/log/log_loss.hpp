// The lines that a log could not take: how many, and when to say so. Once when it begins and once when it is over; a
// destination that fails and works by turns is told of only now and then.
#pragma once

#include <chrono>
#include <cstdint>

#include <unistd.h>

#include "base/clock.hpp"
#include "base/counter.hpp"

namespace cppcorn {

// What came of a write that somebody should be told of.
struct LogNews {
    enum class Kind { none, fails, works_again };

    Kind kind = Kind::none;
    int error = 0;          // fails: why
    std::uint64_t lost = 0; // works_again: how many lines
};

// From now on, lines that this process and those that it forks lose are counted there, too, in memory that they share.
// Null: nowhere.
void count_lost_lines(Counter* counter);

// A fork begins anew: each process tells of what it has lost itself.
class LogLoss {
  public:
    static constexpr auto quiet_time = std::chrono::seconds(10); // after it was told that the log works again

    bool any() const { return lines_ > 0; }

    // After a write of which `lines` were lost because of `error`; 0: everything was written.
    LogNews note(std::uint64_t lines, int error, SteadyTime now);

  private:
    pid_t owner_ = 0;
    std::uint64_t lines_ = 0; // not yet told of
    bool told_ = false;       // that it fails
    SteadyTime quiet_until_ = SteadyTime::min();
};

} // namespace cppcorn
