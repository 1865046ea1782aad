// A master that was stopped, or lay in a suspended machine with its workers, finds deadlines passed that nobody could
// meet. This tells when that has happened, and by how much deadlines are to be extended.
#pragma once

#include <optional>

#include "base/clock.hpp"

namespace cppcorn {

class Suspension {
  public:
    // The master has waited, from `began` on, and was to wake at `due`. How long it was suspended; nullopt if it woke
    // in time, as busy machines let it: within a second. Logged.
    std::optional<SteadyTime::duration> note_wait(SteadyTime began, SteadyTime due, SteadyTime now);

    // The deadline of something that began then.
    SteadyTime extended(SteadyTime deadline, SteadyTime began) const;

  private:
    SteadyTime ended_{};
    SteadyTime::duration length_{};
};

} // namespace cppcorn
