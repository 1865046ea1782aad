// How a worker tells the lookout (server/lookout/), which looks at what all workers do, that there is something to see
// again: by a flag in memory that all share, which says that the lookout sleeps, and by its bell.
#pragma once

#include <atomic>

#include "base/bell.hpp"

namespace cppcorn {

// A value; what it refers to outlives it.
class LookoutLink {
  public:
    // There is no lookout.
    LookoutLink() = default;
    // `sleeping` is in shared memory. The lookout sets it, and whoever wakes it takes it back.
    LookoutLink(std::atomic<bool>& sleeping, const Bell& bell) : sleeping_(&sleeping), bell_(&bell) {}

    // Worker: since just now its slot of the scoreboard shows a request. One load and no system call, unless the lookout
    // sleeps. The processor may load before others see the slot; the lookout knows that, and looks once more a while
    // after it has set the flag.
    void note_request() const {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        if (sleeping_->load(std::memory_order_relaxed)) wake();
    }

  private:
    void wake() const;

    inline static std::atomic<bool> never_{false};

    std::atomic<bool>* sleeping_ = &never_;
    const Bell* bell_ = nullptr;
};

} // namespace cppcorn
