// The life of one worker process, from the fork to its exit code.
#pragma once

#include "server/process/child.hpp"
#include "server/process/process_title.hpp"
#include "server/release/release.hpp"
#include "workers/context/scoreboard_slot.hpp"

namespace cppcorn {

// What a worker's request may still take once the master is dead.
constexpr auto worker_orphan_grace = std::chrono::seconds(1);

// Runs in the child. Returns its exit code.
int worker_main(const Release& release, int slot_number, ScoreboardSlot& slot, MasterPipes& pipes, ProcessTitle& title);

} // namespace cppcorn
