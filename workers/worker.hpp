// The life of one worker process, from the fork to its exit code.
#pragma once

#include <functional>
#include <vector>

#include "base/crash_record.hpp"
#include "base/master_link.hpp"
#include "workers/access_log/access_log.hpp"
#include "workers/app/app_module.hpp"
#include "workers/context/chore.hpp"
#include "workers/context/listening_socket.hpp"
#include "workers/context/lookout_link.hpp"
#include "workers/context/scoreboard_slot.hpp"
#include "workers/context/worker_settings.hpp"
#include "workers/handover/move_queue.hpp"
#include "workers/worker_class.hpp"

namespace cppcorn {

// What a worker ends with. The master's own codes (server/process/exit_codes.hpp) say the same where it has to give up.
enum WorkerExit {
    worker_exit_clean = 0,
    worker_exit_cannot_start = 3,
    worker_exit_no_app = 4, // it cannot be loaded
};

// What a worker is given by the process that has forked it. All of it outlives the worker.
struct WorkerSetup {
    const WorkerClass& worker_class;
    const WorkerSettings& settings;
    const std::vector<ListeningSocket>& listeners;
    AccessLog& access_log;
    MasterLink& master;
    ScoreboardSlot& slot;
    CrashRecord& crash; // in memory of the master's, for what a crash leaves
    int slot_number;
    // Of the worker's understudy, which has it from the worker; the lookout rings it. Null: there is to be no understudy.
    const Bell* understudy_bell;
    LookoutLink lookout;
    // By which connections come from and go to other workers. Null: by none (a stand-in takes no worker's connections).
    const MoveQueue* queue;
    std::function<void()> take_understudy_title; // in the process that is one; allocates nothing
    std::function<void()> finish_fork;           // once the understudy is there; nothing of the app's has run before it
    const cppcorn_app* preloaded;                // null: the worker loads the app itself,
    std::function<AppModule()> load_app;         // by this. Throws AppLoadError
};

// Runs in the child, which has the identity and environment that the app is to have, and blocks all signals. Serves
// until it is told to exit, and returns the exit code. What cannot go on in another way throws.
int run_worker(const WorkerSetup& setup);

// The same without an app: each request is answered with 503. It is told to exit when workers serve again.
int run_stand_in(const WorkerSetup& setup);

// The same with an app of our own, which is asked about the service and does that chore. No signal but a KILL ends it, so
// that it outlives the workers.
int run_status(const WorkerSetup& setup, const cppcorn_app& app, Chore chore);

} // namespace cppcorn
