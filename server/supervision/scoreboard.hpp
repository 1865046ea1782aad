// The shared memory that holds one slot a worker, and room for what a crash of it leaves, made once by the master and
// inherited by every fork; and the bell of each worker that there is, which only the master and that worker keep.
#pragma once

#include <vector>

#include "base/bell.hpp"
#include "base/crash_record.hpp"
#include "base/shared_array.hpp"
#include "workers/context/scoreboard_slot.hpp"

namespace cppcorn {

class Scoreboard {
  public:
    // Throws std::system_error if the memory cannot be had.
    explicit Scoreboard(int capacity);
    ~Scoreboard();
    Scoreboard(const Scoreboard&) = delete;
    Scoreboard& operator=(const Scoreboard&) = delete;

    // Before a worker is started in that slot. Throws std::system_error if there are no descriptors left.
    void prepare(int number);
    // The worker has ended.
    void vacate(int number);
    // The worker takes it before its next request, at once if it is idle. Never blocks.
    void tell(int number, WorkerOrder order);

    Bell& bell(int number) { return bells_[static_cast<std::size_t>(number)]; }
    ScoreboardSlot& slot(int number) { return slots_[number]; }
    const ScoreboardSlot& slot(int number) const { return slots_[number]; }
    CrashRecord& crash(int number) { return crashes_[number]; }

  private:
    void clear(int number);

    ScoreboardSlot* slots_;
    std::size_t capacity_;
    std::vector<Bell> bells_;
    SharedArray<CrashRecord> crashes_;
};

} // namespace cppcorn
