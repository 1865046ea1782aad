#include "server/supervision/worker_process.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "server/process/daemon.hpp"
#include "server/process/exit_codes.hpp"
#include "server/process/hosting.hpp"
#include "server/supervision/interpreter_stack.hpp"
#include "workers/exchange/stand_in.hpp"
#include "workers/transport/spool_file.hpp"
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

// How workers differ.
struct Service {
    const WorkerSettings& settings; // those of the release, or what a stand-in makes of them
    int (*run)(const WorkerSetup& setup);
    const MoveQueue* queue;
    const cppcorn_app* preloaded;
};

int serve_release(const Release& release, const Service& service, int slot, const WorkerMeans& means) {
    const Settings& settings = release.settings();
    Scoreboard& scoreboard = means.scoreboard;
    if (settings.daemon) leave_streams(release);
    if (service.preloaded == nullptr) apply_environment(settings); // else the app may have changed it since
    std::vector<ListeningSocket> listeners;
    for (const auto& listener : release.listeners) listeners.push_back(listener->for_worker());
    // Never deleted: the understudy has the leash, too, and lives on while an app's exit() runs destructors, or while
    // the kernel frees this process's memory.
    MasterLink& master = *new MasterLink(means.pipes.notices_write.take(), means.pipes.leash_read.take(),
                                         std::move(scoreboard.bell(slot)));
    const Bell& understudy_bell = scoreboard.understudy_bell(slot);
    const bool has_understudy = understudy_bell.fd() >= 0;
    const std::string title = fmt::format("cppcorn: understudy [{}]", settings.display_name());
    return service.run({.worker_class = class_of(settings),
                        .settings = service.settings,
                        .listeners = listeners,
                        .access_log = *release.access_log,
                        .master = master,
                        .slot = scoreboard.slot(slot),
                        .crash = scoreboard.crash(slot),
                        .slot_number = slot,
                        .understudy_bell = has_understudy ? &understudy_bell : nullptr,
                        .lookout = has_understudy ? scoreboard.lookout_link() : LookoutLink(),
                        .queue = service.queue,
                        .take_understudy_title = [&] { means.title.set(title); },
                        .finish_fork = finish_fork,
                        .preloaded = service.preloaded,
                        .load_app = [&] { return load_app(release); }});
}

std::vector<int> kept_by_all(const Release& release, const MasterPipes& pipes) {
    std::vector<int> keeps{pipes.notices_write.get(), pipes.leash_read.get(), release.access_log->fd()};
    for (const auto& listener : release.listeners) keeps.push_back(listener->for_worker().fd);
    if (stack_file() >= 0) keeps.push_back(stack_file());
    return keeps;
}

std::vector<int> kept_by_molds(const Release& release, const WorkerMeans& means) {
    std::vector<int> keeps = kept_by_all(release, means.pipes);
    keeps.insert(keeps.end(), {means.queue.take_fd(), means.queue.put_fd(), means.scoreboard.lookout_bell().fd()});
    return keeps;
}

ChildPlan plan_of(ChildRole role, const Release& release, int slot, const WorkerMeans& means) {
    const Scoreboard& scoreboard = means.scoreboard;
    ChildPlan plan{role, release.settings().display_name(), release.identity, kept_by_all(release, means.pipes)};
    plan.keeps.push_back(means.scoreboard.bell(slot).fd());
    if (scoreboard.understudy_bell(slot).fd() >= 0) {
        plan.keeps.push_back(scoreboard.understudy_bell(slot).fd());
        plan.keeps.push_back(scoreboard.lookout_bell().fd());
    }
    if (role == ChildRole::stand_in) return plan;
    plan.keeps.push_back(means.queue.take_fd());
    plan.keeps.push_back(means.queue.put_fd());
    return plan;
}

// The bells of the worker to be are in the mold only while it is forked.
class BellsOfOrder {
  public:
    BellsOfOrder(Scoreboard& scoreboard, MoldOrder& order) : scoreboard_(scoreboard), slot_(order.slot) {
        scoreboard_.take_bells(slot_, Bell(std::move(order.bell)), Bell(std::move(order.understudy_bell)));
    }
    ~BellsOfOrder() { scoreboard_.take_bells(slot_, Bell(), Bell()); }
    BellsOfOrder(const BellsOfOrder&) = delete;
    BellsOfOrder& operator=(const BellsOfOrder&) = delete;

  private:
    Scoreboard& scoreboard_;
    int slot_;
};

void fork_worker(const Release& release, const cppcorn_app& app, MoldOrder order, const MoldTies& ties,
                 const WorkerMeans& means) {
    const BellsOfOrder bells(means.scoreboard, order);
    const int slot = order.slot;
    fork_sibling(
        plan_of(ChildRole::worker, release, slot, means), &means.title, ties.master,
        [&] {
            return send_notice(ties.post, {MoldNotice::Kind::forked, ::getpid(), 0});
        },
        [&] {
            return serve_release(release, {release.settings().worker, run_worker, &means.queue, &app}, slot, means);
        });
}

} // namespace

pid_t start_worker(const Release& release, bool tries_app, int slot, const WorkerMeans& means) {
    const WorkerSettings& settings = release.settings().worker;
    return fork_child(plan_of(ChildRole::worker, release, slot, means), &means.title, [&] {
        if (tries_app) check_spool_directory(settings.spool_dir, settings.spool_limit);
        return serve_release(release, {settings, run_worker, &means.queue, nullptr}, slot, means);
    });
}

pid_t start_stand_in(const Release& release, int slot, const WorkerMeans& means) {
    const WorkerSettings settings = stand_in_settings(release.settings().worker);
    return fork_child(plan_of(ChildRole::stand_in, release, slot, means), &means.title, [&] {
        return serve_release(release, {settings, run_stand_in, nullptr, nullptr}, slot, means);
    });
}

MoldPlan plan_of_molds(const WorkerMeans& means) {
    return {.keeps = [means](const Release& release) { return kept_by_molds(release, means); },
            .begin = [means] { means.scoreboard.forget_bells(); },
            .fork_worker = [means](const Release& release, const cppcorn_app& app, MoldOrder order,
                                   const MoldTies& ties) { fork_worker(release, app, std::move(order), ties, means); }};
}

} // namespace cppcorn
