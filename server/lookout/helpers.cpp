#include "server/lookout/helpers.hpp"

#include <chrono>
#include <csignal>
#include <set>

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>

namespace cppcorn {
namespace {

constexpr auto time_to_leave = std::chrono::milliseconds(200);

} // namespace

void Helpers::exited(pid_t pid, int wait_status, const std::vector<WorkerEntry>& workers) {
    if (pid == lookout_.pid()) return lookout_.exited(wait_status, SteadyClock::now());
    understudies_.exited(pid);
    for (const auto& worker : workers) {
        const bool is_its = scoreboard_.slot(worker.slot).understudy() == pid;
        if (is_its) understudies_.lost({worker.slot, worker.pid, pid, wait_status});
    }
}

void Helpers::supervise(const Release& release, bool stopping, SteadyTime now) {
    for (const auto& loss : understudies_.to_replace(now)) {
        spdlog::error("The understudy (pid:{}) of worker (pid:{}) {}; the worker makes another one", loss.understudy,
                      loss.worker, text_of_end(loss.wait_status));
        scoreboard_.tell(loss.slot, WorkerOrder::make_understudy);
    }
    const bool stays = !stopping && !release.settings().worker.no_understudy;
    lookout_.supervise(release, stays, now);
}

void Helpers::dismiss(const Release& release, pid_t successor) {
    const SteadyTime begin = SteadyClock::now();
    supervise(release, true, begin);
    while (any_left(successor) && SteadyClock::now() < begin + time_to_leave) ::poll(nullptr, 0, 1);
    if (lookout_.pid() != 0) ::kill(lookout_.pid(), SIGKILL);
    for (const pid_t pid : understudies_.left_behind()) ::kill(pid, SIGKILL);
}

// A number that a broken worker has left behind is no child's, or that of the one which stays.
bool Helpers::any_left(pid_t successor) {
    int status = 0;
    if (lookout_.pid() != 0 && ::waitpid(lookout_.pid(), &status, WNOHANG) != 0) {
        lookout_.exited(status, SteadyClock::now());
    }
    understudies_.exited(successor);
    const std::set<pid_t> left_behind = understudies_.left_behind();
    for (const pid_t pid : left_behind) {
        if (::waitpid(pid, &status, WNOHANG) != 0) understudies_.exited(pid);
    }
    return lookout_.pid() != 0 || !understudies_.left_behind().empty();
}

} // namespace cppcorn
