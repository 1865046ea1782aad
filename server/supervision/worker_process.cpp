#include "server/supervision/worker_process.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/log/error_log.hpp"
#include "server/exit_codes.hpp"
#include "server/process/daemon.hpp"
#include "workers/exchange/stand_in.hpp"
#include "workers/worker.hpp"

namespace cppcorn {

static_assert(int{worker_exit_clean} == exit_clean && int{worker_exit_cannot_start} == exit_no_worker &&
              int{worker_exit_no_app} == exit_no_app);

namespace {

// A daemon's workers never had the terminal that the master may still have.
void leave_streams(const Release& release) {
    leave_terminal(release.settings());
    reopen_error_log();
    release.access_log->reopen();
}

const WorkerClass& class_of(const Settings& settings) {
    const WorkerClass* found = find_worker_class(settings.worker_class);
    if (found == nullptr) throw std::logic_error("there is no worker class " + settings.worker_class);
    return *found;
}

// `settings` are those of the release, or what a stand-in makes of them.
int serve_release(const Release& release, const WorkerSettings& worker_settings, int (*run)(const WorkerSetup& setup),
                  int slot, Scoreboard& scoreboard, MasterPipes& pipes, const MoveQueue* queue, ProcessTitle& title) {
    const Settings& settings = release.settings();
    if (settings.daemon) leave_streams(release);
    apply_environment(settings);
    std::vector<ListeningSocket> listeners;
    for (const auto& listener : release.listeners) listeners.push_back(listener->for_worker());
    // Never deleted: the understudy has the leash, too, and lives on while an app's exit() runs destructors, or while the
    // kernel frees this process's memory.
    MasterLink& master =
        *new MasterLink(pipes.notices_write.take(), pipes.leash_read.take(), std::move(scoreboard.bell(slot)));
    const Bell& understudy_bell = scoreboard.understudy_bell(slot);
    const bool has_understudy = understudy_bell.fd() >= 0;
    return run({.worker_class = class_of(settings),
                .settings = worker_settings,
                .listeners = listeners,
                .access_log = *release.access_log,
                .master = master,
                .slot = scoreboard.slot(slot),
                .crash = scoreboard.crash(slot),
                .slot_number = slot,
                .understudy_bell = has_understudy ? &understudy_bell : nullptr,
                .lookout = has_understudy ? scoreboard.lookout_link() : LookoutLink(),
                .queue = queue,
                .take_understudy_title = [&title, text = fmt::format("cppcorn: understudy [{}]",
                                                                     settings.display_name())] { title.set(text); },
                .finish_fork = [] {},
                .preloaded = release.preloaded ? &release.preloaded->app() : nullptr,
                .load_app = [&] { return load_app(release); }});
}

ChildPlan plan_of(ChildRole role, const Release& release, int slot, Scoreboard& scoreboard, const MasterPipes& pipes) {
    ChildPlan plan{role, release.settings().display_name(), release.identity, {}};
    plan.keeps = {pipes.notices_write.get(), pipes.leash_read.get(), scoreboard.bell(slot).fd(),
                  release.access_log->fd()};
    if (scoreboard.understudy_bell(slot).fd() >= 0) {
        plan.keeps.push_back(scoreboard.understudy_bell(slot).fd());
        plan.keeps.push_back(scoreboard.lookout_bell().fd());
    }
    for (const auto& listener : release.listeners) plan.keeps.push_back(listener->for_worker().fd);
    return plan;
}

} // namespace

pid_t start_worker(const Release& release, int slot, Scoreboard& scoreboard, MasterPipes& pipes, const MoveQueue& queue,
                   ProcessTitle& title) {
    ChildPlan plan = plan_of(ChildRole::worker, release, slot, scoreboard, pipes);
    plan.keeps.push_back(queue.take_fd());
    plan.keeps.push_back(queue.put_fd());
    const WorkerSettings& settings = release.settings().worker;
    return fork_child(plan, &title, [&] {
        return serve_release(release, settings, run_worker, slot, scoreboard, pipes, &queue, title);
    });
}

pid_t start_stand_in(const Release& release, int slot, Scoreboard& scoreboard, MasterPipes& pipes,
                     ProcessTitle& title) {
    const ChildPlan plan = plan_of(ChildRole::stand_in, release, slot, scoreboard, pipes);
    const WorkerSettings settings = stand_in_settings(release.settings().worker);
    return fork_child(plan, &title, [&] {
        return serve_release(release, settings, run_stand_in, slot, scoreboard, pipes, nullptr, title);
    });
}

} // namespace cppcorn
