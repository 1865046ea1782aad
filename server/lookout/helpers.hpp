// The processes that help the workers and are none: the lookout, and each worker's understudy, which the worker makes
// and the master is the parent of. They end after the workers, and the master does not wait long for them.
//
// The workforce's; its scoreboard says which understudies there are.
#pragma once

#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "server/lookout/lookout.hpp"
#include "server/lookout/understudies.hpp"
#include "server/process/child.hpp"
#include "server/process/process_title.hpp"
#include "server/release/release.hpp"
#include "server/supervision/scoreboard.hpp"
#include "server/supervision/worker_table.hpp"

namespace cppcorn {

class Helpers {
  public:
    // All references outlive it.
    Helpers(Scoreboard& scoreboard, const MasterPipes& pipes, ProcessTitle& title)
        : scoreboard_(scoreboard), lookout_(scoreboard, pipes, title) {}

    // The slot has been prepared for a worker, or vacated: another bell, or none.
    void slot_changed(int slot) { lookout_.bell_changed(slot); }
    // The worker in that slot has ended; the slot still shows what it was.
    void worker_ended(int slot) { understudies_.worker_ended(slot, scoreboard_.slot(slot).understudy()); }
    // The log has been reopened, or another release is in use.
    void renew_lookout() { lookout_.renew(); }
    // A child has ended that is no worker. One that is no helper either is passed over: as PID 1, the master inherits
    // orphans.
    void exited(pid_t pid, int wait_status, const std::vector<WorkerEntry>& workers);

    // Starts the lookout, sees to its bells, and has dead understudies replaced by their workers. `stopping`: with the
    // last worker, the lookout goes.
    void supervise(const Release& release, bool stopping, SteadyTime now);
    // When that is due if nothing happens before; SteadyTime::max() for never.
    SteadyTime due() const { return std::min(lookout_.due(), understudies_.due()); }

    // The service has ended: waits a moment for those that are left, and ends those that do not end by themselves.
    // `successor` is another child of this master, which stays; 0: there is none.
    void dismiss(const Release& release, pid_t successor);

  private:
    bool any_left(pid_t successor);

    Scoreboard& scoreboard_;
    Lookout lookout_;
    Understudies understudies_;
};

} // namespace cppcorn
