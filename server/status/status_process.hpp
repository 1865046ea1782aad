// The status process: a child of the master without the app, which answers those who look after the service, also while
// all workers are stuck. It reads memory that the master and the workers share with it and asks none of them anything.
#pragma once

#include "server/control/order_post.hpp"
#include "server/process/child.hpp"
#include "server/process/process_title.hpp"
#include "server/release/release.hpp"
#include "server/status/statsd.hpp"
#include "server/status/watcher.hpp"
#include "server/supervision/scoreboard.hpp"
#include "server/supervision/service_board.hpp"

namespace cppcorn {

// What the child takes of the master's.
struct StatusSetup {
    const Release& release;
    Scoreboard& scoreboard; // its own slot there is prepared
    int own_slot;
    Watcher::Slots slots;
    ServiceBoard& board;
    StatsdBook& statsd_book;
    MasterPipes& pipes;
    const OrderPost& post;
    ProcessTitle& title;
};

// On the status listeners of the release. Throws std::system_error if there can be no process.
pid_t start_status_process(const StatusSetup& setup);

} // namespace cppcorn
