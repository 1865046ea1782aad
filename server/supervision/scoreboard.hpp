// The shared memory that holds one slot a worker. Made once by the master, inherited by every fork.
#pragma once

#include "workers/context/scoreboard_slot.hpp"

namespace cppcorn {

class Scoreboard {
  public:
    // Throws std::system_error if the memory cannot be had.
    explicit Scoreboard(int capacity);
    ~Scoreboard();
    Scoreboard(const Scoreboard&) = delete;
    Scoreboard& operator=(const Scoreboard&) = delete;

    ScoreboardSlot& slot(int number) { return slots_[number]; }
    const ScoreboardSlot& slot(int number) const { return slots_[number]; }

  private:
    ScoreboardSlot* slots_;
    std::size_t capacity_;
};

} // namespace cppcorn
