// How much time may go into pages that take time to make: half a second at once, and a tenth of all time. Whoever asks
// now and then has each made anew; a flood of questions does not make /live and /ready wait behind it.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace cppcorn {

class PageBudget {
  public:
    // False: a page that was made before must do.
    bool allows(SteadyTime now) {
        left_ = std::min<SteadyClock::duration>(left_ + (now - seen_) / part, most);
        seen_ = now;
        return left_ > SteadyClock::duration::zero();
    }
    void spend(SteadyClock::duration time) { left_ = std::max<SteadyClock::duration>(left_ - time, -longest_debt); }

    static constexpr int part = 10;
    static constexpr std::chrono::milliseconds most{500};
    static constexpr std::chrono::milliseconds longest_debt{100}; // were this process stopped while it made a page

  private:
    SteadyClock::duration left_ = most;
    SteadyTime seen_{};
};

} // namespace cppcorn
