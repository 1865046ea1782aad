// What the service manager is told, worked out from the present state in each turn of the arbiter's loop rather than at
// each event. Pure.
#pragma once

#include <string>

#include "server/process/service_manager.hpp"
#include "server/release/rollout.hpp"
#include "server/supervision/master_state.hpp"
#include "server/supervision/worker_table.hpp"

namespace cppcorn {

// `has_successor`: a new master serves on the same sockets.
ServiceManager::State service_state(const MasterLife& life, const WorkerTable& table, const Rollout& rollout,
                                    bool has_successor);

// One line for people: "3 of 4 workers serve".
std::string service_status(const WorkerTable& table);

} // namespace cppcorn
