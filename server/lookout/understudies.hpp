// What the master knows of the workers' understudies: their pids, which the workers write into their slots, and which
// are therefore believed no further than that a child of that number has ended. Pure: the workforce tells what has
// happened, and carries out what is answered.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"

namespace cppcorn {

class Understudies {
  public:
    struct Loss {
        int slot;
        pid_t worker;
        pid_t understudy;
        int wait_status;
    };

    // The understudy of a worker that is there, as far as the master knows, has ended.
    void lost(const Loss& loss) { losses_[loss.slot] = loss; }
    // That worker has ended, and leaves this understudy behind, if it is one.
    void worker_ended(int slot, pid_t understudy);
    // A child of that pid has ended.
    void exited(pid_t pid) { left_behind_.erase(pid); }

    // Those whose workers are to make another one: each worker once in `pause`.
    std::vector<Loss> to_replace(SteadyTime now);
    // When there is one to replace if nothing happens before; SteadyTime::max() for never.
    SteadyTime due() const;

    // Of workers that have ended; not waited for yet.
    const std::set<pid_t>& left_behind() const { return left_behind_; }

    static constexpr auto pause = std::chrono::seconds(1);

  private:
    std::map<int, Loss> losses_;            // by slot
    std::map<int, SteadyTime> replaced_at_; // by slot, while its worker lives
    std::set<pid_t> left_behind_;
};

} // namespace cppcorn
