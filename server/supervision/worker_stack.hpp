// Where the app is in a worker that lives: asked for because its request is slow, or by whoever looks after the service.
#pragma once

#include <string>

#include "server/post_mortem/post_mortems.hpp"
#include "server/release/release.hpp"
#include "server/supervision/worker_table.hpp"
#include "workers/context/scoreboard_slot.hpp"

namespace cppcorn {

// What the slot says of the worker and of the request that it serves, without its stack. The request is empty where
// there is none.
Death facts_of_living(const WorkerEntry& worker, const ScoreboardSlot& slot, const Release& release);

// "GET /x HTTP/1.1 from 192.0.2.1, for 3.2 s", escaped.
std::string request_text(const Death& facts);

// Whoever does not handle a signal may die of it.
bool handles_signal(pid_t pid, int signal);

// An interpreter serves there, and listens.
bool has_interpreter(pid_t pid, const Release& release);
// It is to write its stack to the log.
void ask_interpreter(pid_t pid);

} // namespace cppcorn
