// A call of the app under way: what it may use of its surroundings, and the one place where a worker waits for a
// client.
#pragma once

#include "workers/context/patience.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/transport/stream.hpp"

namespace cppcorn {

// Lives on the stack of Exchange::run_app().
struct AppCall {
    Stream& stream;
    WorkerContext& context;
    Patience patience; // with the client that sends the body

    // Blocks until something can be done. False: the client has had its time, which ends at `deadline`, or where that
    // is sooner, a moment before the master would take this worker for stuck.
    bool wait_for_client(Stream::Interest interest, SteadyTime deadline);
};

} // namespace cppcorn
