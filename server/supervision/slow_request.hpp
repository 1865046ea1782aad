// What the log says of a request that is slow, while it runs: what it is, and where the app is.
#pragma once

#include "server/post_mortem/post_mortems.hpp"
#include "server/release/release.hpp"
#include "server/supervision/worker_table.hpp"
#include "workers/context/scoreboard_slot.hpp"

namespace cppcorn {

// One warning: now, if the stack cannot be had; else with the stack, once that has been looked up. A worker with a
// Python app is asked to write Python's stack behind the warning. Nothing fails.
void tell_of_slow_request(const WorkerEntry& worker, const ScoreboardSlot& slot, const Release& release,
                          PostMortems& post_mortems);

} // namespace cppcorn
