// When a mold is made in the place of one that has died: at once, and later and later where that does not help, be it
// that none can be made or that the new ones die soon. Pure: the time is an argument.
#pragma once

#include <chrono>

#include "base/clock.hpp"

namespace cppcorn {

class MoldPace {
  public:
    // One has died that was there since then.
    void died(SteadyTime since, SteadyTime now);
    // One could not be made.
    void failed(SteadyTime now);
    // Another release's are made now.
    void begin_anew() { *this = MoldPace(); }

    SteadyTime not_before() const { return not_before_; }
    std::chrono::seconds pause() const;
    // The last one could not be made.
    bool has_failed() const { return has_failed_; }

  private:
    int troubles_ = 0; // one after the other
    bool has_failed_ = false;
    SteadyTime not_before_{};
};

} // namespace cppcorn
