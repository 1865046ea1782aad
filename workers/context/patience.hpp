// How long a transfer may take: a fixed time, begun anew each time that enough has gone through, by a rate: --min-rate.
// So a byte now and then does not keep a connection alive, and yet a large transfer over a slow line gets through.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace cppcorn {

// 0 is for ever.
inline SteadyTime deadline_after(SteadyTime begin, std::chrono::milliseconds allowance) {
    return allowance.count() > 0 ? begin + allowance : SteadyTime::max();
}

class Patience {
  public:
    // A transfer begins, of which `bytes` have gone through before.
    void begin(SteadyTime now, std::uint64_t bytes) {
        began_ = now;
        bytes_before_ = bytes;
    }

    // When it has lasted too long, now that `bytes` have gone through. `rate`: the least, in bytes a second.
    SteadyTime deadline(SteadyTime now, std::uint64_t bytes, std::chrono::milliseconds allowance,
                        std::uint64_t rate = usual_rate) {
        const auto enough = static_cast<std::uint64_t>(allowance.count()) * rate / 1000;
        if (bytes - bytes_before_ > enough) begin(now, bytes);
        return deadline_after(began_, allowance);
    }

    // So much time has passed in which nobody waited for the transfer.
    void postpone(SteadyClock::duration time) { began_ += time; }

    SteadyTime began() const { return began_; }
    // Of `bytes` that have gone through, how many since then.
    std::uint64_t passed(std::uint64_t bytes) const { return bytes - bytes_before_; }

    static constexpr std::uint64_t usual_rate = 1024;

  private:
    SteadyTime began_{};
    std::uint64_t bytes_before_ = 0;
};

} // namespace cppcorn
