// A connection that was accepted, and of which nothing was read yet.
#pragma once

#include <vector>

#include "workers/context/listening_socket.hpp"
#include "workers/context/worker_settings.hpp"
#include "workers/handover/connection_record.hpp"

namespace cppcorn {

// For another worker, what is to be told of `socket`. False if it came by none of `listeners`, or its client is gone.
// Allocates nothing.
bool record_of_newcomer(int socket, const std::vector<ListeningSocket>& listeners, const WorkerSettings& settings,
                        ConnectionRecord& record);

} // namespace cppcorn
