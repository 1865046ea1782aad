// The worker classes: what --worker-class chooses from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/epoll.hpp"
#include "base/master_link.hpp"
#include "base/signal_inbox.hpp"
#include "workers/context/listening_socket.hpp"
#include "workers/context/worker_context.hpp"

namespace cppcorn {

struct WorkerClass {
    const char* name;
    // Serves until the worker is told to exit or the master is gone.
    void (*run)(WorkerContext& context, Epoll& epoll, const std::vector<ListeningSocket>& listeners, MasterLink& master,
                SignalInbox& signals);
};

// Null if there is none of that name.
const WorkerClass* find_worker_class(std::string_view name);
// "sync": all of them, for messages.
std::string worker_class_names();

} // namespace cppcorn
