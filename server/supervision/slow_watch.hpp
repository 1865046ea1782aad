// Which requests are slow (--slow-request): finds each of them once, while it runs, without asking the worker for
// anything. Pure: the time and what the slots show are arguments.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "server/supervision/worker_table.hpp"

namespace cppcorn {

class SlowWatch {
  public:
    // What a slot of the scoreboard shows.
    struct Sight {
        bool busy = false;
        SteadyTime began{};
        std::uint64_t requests = 0; // that were served before
    };
    using Look = std::function<Sight(int slot)>;

    // The workers whose requests have run for `limit` by now, and were not found before.
    std::vector<WorkerEntry> look(SteadyTime now, Milliseconds limit, const std::vector<WorkerEntry>& workers,
                                  const Look& look);
    // When the next look is due: what begins right after one cannot be slow before that.
    SteadyTime due() const { return due_; }
    // The limit is another one, perhaps: that look is due now.
    void look_anew() { due_ = {}; }

    // How many were found.
    std::uint64_t count() const { return count_; }

  private:
    SteadyTime due_{};
    std::map<pid_t, std::uint64_t> found_; // by the worker, how many requests it had served before
    std::uint64_t count_ = 0;
};

} // namespace cppcorn
