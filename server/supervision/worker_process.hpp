// A worker as the master starts it: a child with the identity, title, environment and streams that the settings ask
// for, in which workers/worker.hpp serves.
#pragma once

#include <sys/types.h>

#include "server/process/child.hpp"
#include "server/process/process_title.hpp"
#include "server/release/mold_process.hpp"
#include "server/release/release.hpp"
#include "server/supervision/scoreboard.hpp"
#include "workers/handover/move_queue.hpp"

namespace cppcorn {

// What the master shares with workers. All of it outlives them.
struct WorkerMeans {
    Scoreboard& scoreboard;
    MasterPipes& pipes;
    const MoveQueue& queue;
    ProcessTitle& title;
};

// Both throw std::system_error if there can be no process. The slot of the scoreboard is prepared. `tries_app`: no probe
// has done so, and this worker says besides what a probe would have.
pid_t start_worker(const Release& release, bool tries_app, int slot, const WorkerMeans& means);
// In the place of workers that cannot start: without an app it answers each request with 503.
pid_t start_stand_in(const Release& release, int slot, const WorkerMeans& means);

// How molds make workers. What `means` refers to outlives the plan.
MoldPlan plan_of_molds(const WorkerMeans& means);

} // namespace cppcorn
