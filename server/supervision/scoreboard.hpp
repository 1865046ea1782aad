// The shared memory that holds one slot a worker, and room for what a crash of it leaves, made once by the master and
// inherited by every fork; and the bell of each worker that there is, which only the master and that worker keep. The
// same of each worker's understudy, which shares the worker's descriptors; and what workers wake the lookout by.
#pragma once

#include <atomic>
#include <vector>

#include "base/bell.hpp"
#include "base/crash_record.hpp"
#include "base/shared_array.hpp"
#include "workers/context/lookout_link.hpp"
#include "workers/context/scoreboard_slot.hpp"

namespace cppcorn {

class Scoreboard {
  public:
    // Throws std::system_error if the memory cannot be had.
    explicit Scoreboard(int capacity);
    ~Scoreboard();
    Scoreboard(const Scoreboard&) = delete;
    Scoreboard& operator=(const Scoreboard&) = delete;

    enum class Understudy { none, wanted };

    // Before a worker is started in that slot. Throws std::system_error if there are no descriptors left.
    void prepare(int number, Understudy understudy);
    // The worker has ended.
    void vacate(int number);

    // In a mold, whose bells are closed: it has none.
    void forget_bells();
    // In a mold, for the worker that it forks: bells of the master's for that slot.
    void take_bells(int number, Bell bell, Bell understudy_bell);
    // The worker takes it before its next request, at once if it is idle. Never blocks.
    void tell(int number, WorkerOrder order);

    Bell& bell(int number) { return bells_[static_cast<std::size_t>(number)]; }
    // Nobody's if the worker is to have no understudy.
    Bell& understudy_bell(int number) { return understudy_bells_[static_cast<std::size_t>(number)]; }
    const Bell& understudy_bell(int number) const { return understudy_bells_[static_cast<std::size_t>(number)]; }
    ScoreboardSlot& slot(int number) { return slots_[number]; }
    const ScoreboardSlot& slot(int number) const { return slots_[number]; }
    CrashRecord& crash(int number) { return crashes_[number]; }
    // The lookout sleeps, and is to be woken by its bell.
    std::atomic<bool>& lookout_sleeps() { return shared_->lookout_sleeps; }
    const Bell& lookout_bell() const { return lookout_bell_; }
    LookoutLink lookout_link() { return {lookout_sleeps(), lookout_bell_}; }

  private:
    void clear(int number);
    void make(int number);

    // Before the slots. Each request reads it, and next to nobody writes it: it shares its cache line with nothing.
    struct alignas(64) Shared {
        std::atomic<bool> lookout_sleeps{false};
    };

    std::size_t size() const { return sizeof(Shared) + capacity_ * sizeof(ScoreboardSlot); }

    std::size_t capacity_;
    Shared* shared_;
    ScoreboardSlot* slots_;
    std::vector<bool> is_made_; // of slots: memory that nobody has touched takes none
    std::vector<Bell> bells_;
    std::vector<Bell> understudy_bells_;
    Bell lookout_bell_;
    SharedArray<CrashRecord> crashes_;
};

} // namespace cppcorn
