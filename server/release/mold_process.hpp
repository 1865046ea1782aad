// What a mold does: a child of the master's that has loaded the app and waits for orders to fork a worker. It serves
// nothing, and ends when the master lets it go or ends.
#pragma once

#include <functional>
#include <vector>

#include <cppcorn/abi.h>
#include <sys/types.h>

#include "server/mold/mold_post.hpp"

namespace cppcorn {

struct Release;

// Of a mold, to its master.
struct MoldTies {
    int post;     // its end
    pid_t master; // whose children the workers are to be
};

// What whoever has the workers does in molds.
struct MoldPlan {
    // In the master: the descriptors that a mold of this release keeps, for its workers.
    std::function<std::vector<int>(const Release& release)> keeps;
    // In a fresh mold, before it opens anything.
    std::function<void()> begin;
    // In a mold: forks a worker with this app. Throws std::system_error if there can be none; does not return in the
    // worker.
    std::function<void(const Release& release, const cppcorn_app& app, MoldOrder order, const MoldTies& ties)>
        fork_worker;
};

// In the mold, with the app loaded. Says so, and returns when it is over.
void run_mold(const MoldPlan& plan, const Release& release, const cppcorn_app& app, const MoldTies& ties);

} // namespace cppcorn
