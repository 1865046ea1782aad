// A worker as the master starts it: a child with the identity, title, environment and streams that the settings ask
// for, in which workers/worker.hpp serves.
#pragma once

#include <sys/types.h>

#include "server/process/child.hpp"
#include "server/process/process_title.hpp"
#include "server/release/release.hpp"
#include "server/supervision/scoreboard.hpp"
#include "workers/handover/move_queue.hpp"

namespace cppcorn {

// Both throw std::system_error if there can be no process. The slot of the scoreboard is prepared.
pid_t start_worker(const Release& release, int slot, Scoreboard& scoreboard, MasterPipes& pipes, const MoveQueue& queue,
                   ProcessTitle& title);
// In the place of workers that cannot start: without an app it answers each request with 503.
pid_t start_stand_in(const Release& release, int slot, Scoreboard& scoreboard, MasterPipes& pipes, ProcessTitle& title);

} // namespace cppcorn
