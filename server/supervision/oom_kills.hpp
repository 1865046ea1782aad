// Whether the kernel has killed for lack of memory: it counts such kills, for each control group and for the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"

namespace cppcorn {

class OomKills {
  public:
    enum class Answer {
        yes,     // of a process of our control group; or, where that is not counted, of one of the machine
        no,      // none
        unknown, // the count cannot be read
    };

    // Reads the count. `root` is where /proc and /sys are, in tests.
    explicit OomKills(const std::string& root = "");

    // Just now: since the last look or shortly before, as one lack of memory may end several processes.
    Answer recent(SteadyTime now);

  private:
    std::string counter_; // the file
    std::optional<std::uint64_t> count_;
    std::optional<SteadyTime> grown_at_;
};

} // namespace cppcorn
