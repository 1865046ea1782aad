// A worker's understudy: a process that shares the worker's descriptors and none of its memory but what both are meant
// to see (workers/handover/worker_memory.hpp). It runs no code of the app. While the worker is in the app it moves to
// other workers what clients send meanwhile, and when the worker dies it answers the request that was in the app, moves
// all other connections, and ends.
//
//     asleep ── rung: the app has run for a while ──► watching ── the worker is back ──► asleep
//     either ── the worker is dead ──► mourning ──► the end
//
// It may be made of a worker whose memory is in any state, with threads that hold locks: it allocates nothing, logs
// nothing and takes no lock. What it reads in the shared memory it believes as far as the kernel confirms it.
#pragma once

#include <functional>

#include <sys/types.h>

#include "base/counter.hpp"
#include "workers/handover/late_arrival.hpp"
#include "workers/handover/log_place.hpp"
#include "workers/handover/move_queue.hpp"
#include "workers/handover/worker_memory.hpp"

namespace cppcorn {

// All of it outlives the worker.
struct UnderstudyPlan {
    WorkerMemory& memory;
    const MoveQueue& queue;
    Counter& moved_from_busy; // in memory that others read: connections of the worker's that it has moved,
    Counter& moved_from_dead; // and once the worker is dead
    LogPlace access_log;
    int epoll; // the worker's, with its connections
    int bell;  // rings when the app has run for a while, or has crashed
    int leash; // readable once the master is gone
    std::function<void()> take_title;
    TellNewcomer tell_newcomer;
};

// Run by the worker, in the thread that serves. The understudy is a child of the worker's parent. Throws
// std::system_error.
pid_t start_understudy(const UnderstudyPlan& plan);

} // namespace cppcorn
