// Keeps log lines that strangers can cause from flooding the log: so many in a stretch of time, then a count.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace cppcorn {

class RateLimit {
  public:
    struct Answer {
        bool allowed = false;
        std::uint64_t suppressed = 0; // in the stretch before, to be logged with this line
    };

    Answer ask(SteadyTime now) {
        Answer answer;
        if (now >= stretch_end_) {
            stretch_end_ = now + stretch;
            answer.suppressed = asked_ > most_in_stretch ? asked_ - most_in_stretch : 0;
            asked_ = 0;
        }
        answer.allowed = ++asked_ <= most_in_stretch;
        return answer;
    }

    static constexpr std::uint64_t most_in_stretch = 10;
    static constexpr std::chrono::seconds stretch{10};

  private:
    SteadyTime stretch_end_{};
    std::uint64_t asked_ = 0;
};

} // namespace cppcorn
