// Which crashes have been told in full: the next equal ones are counted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/crash_record.hpp"
#include "server/post_mortem/death.hpp"

namespace cppcorn {

// The same for crashes whose signal and app frames are the same, in the same build: wherever its files were mapped,
// whatever called the app. Stacks that have overflown are equal where the same functions call each other.
std::string crash_key(const Death& death);

class KnownCrashes {
  public:
    struct Repeat {
        pid_t first_pid; // whose stack is in the log
        unsigned count;  // this one is the how-manieth
    };

    // nullopt if it is to be told in full: it is not known, or that was an hour ago.
    std::optional<Repeat> note(const Death& death, SteadyTime now);
    // Each is told in full once more: the log is another one.
    void forget() { known_.clear(); }

  private:
    struct Known {
        std::string key;
        pid_t first_pid;
        unsigned count;
        SteadyTime told_at;
    };

    std::vector<Known> known_; // the oldest first
};

} // namespace cppcorn
