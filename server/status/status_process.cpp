#include "server/status/status_process.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/log/error_log.hpp"
#include "server/process/daemon.hpp"
#include "server/status/status_app.hpp"
#include "workers/worker.hpp"

namespace cppcorn {
namespace {

constexpr Milliseconds patience{10'000};   // with clients, for each step
constexpr Milliseconds keep_alive{75'000}; // longer than scrapers pause, as a rule
constexpr int most_connections = 4000;
constexpr std::uint64_t most_unsent = std::uint64_t{64} << 20; // of slow readers, in files

// Nothing but the name is the workers': limits and times are its own.
WorkerSettings status_settings(const Settings& settings) {
    WorkerSettings own;
    own.name = settings.display_name();
    own.worker_connections = most_connections;
    own.keep_alive = keep_alive;
    own.header_timeout = own.body_timeout = own.write_timeout = patience;
    own.waits_in_app = false; // once there is no more room for slow readers' answers: others are waiting
    own.body_buffer = 0;
    own.limits.body = 1; // nobody has anything to send here
    own.spool_dir = settings.worker.spool_dir;
    own.spool_limit = most_unsent;
    own.no_understudy = true;
    own.graceful_timeout = Milliseconds(0);
    return own;
}

std::string control_path(const std::vector<ListeningSocket>& listeners) {
    return !listeners.empty() && listeners.back().owner ? listeners.back().server_name : "";
}

int run(const StatusSetup& setup, const std::vector<ListeningSocket>& listeners, ListenQueues queues,
        ServiceFacts facts) {
    const Settings& settings = setup.release.settings();
    if (settings.daemon) {
        leave_terminal(settings);
        reopen_error_log();
    }
    AccessLog no_log({});
    MasterLink link(setup.pipes.notices_write.take(), setup.pipes.leash_read.take(),
                    std::move(setup.scoreboard.bell(setup.own_slot)));
    const WorkerSettings own_settings = status_settings(settings);
    Watcher watcher(setup.scoreboard, setup.board, setup.slots, facts.master, std::move(queues));
    const StatusApp app(watcher, std::move(facts), {setup.board.orders, setup.post}, control_path(listeners));
    Statsd statsd(settings, watcher, setup.statsd_book, SteadyClock::now());
    const Chore chore{SteadyClock::now(), Milliseconds(1000),
                      [&](SteadyTime now) { statsd.tell(watcher.sample(now)); }};
    const int code = run_status({.worker_class = *find_worker_class("sync"),
                                 .settings = own_settings,
                                 .listeners = listeners,
                                 .access_log = no_log,
                                 .master = link,
                                 .slot = setup.scoreboard.slot(setup.own_slot),
                                 .crash = setup.scoreboard.crash(setup.own_slot),
                                 .slot_number = setup.own_slot,
                                 .understudy_bell = nullptr,
                                 .lookout = LookoutLink(),
                                 .queue = nullptr,
                                 .take_understudy_title = {},
                                 .finish_fork = {},
                                 .preloaded = nullptr,
                                 .load_app = {}},
                                app.app(), chore);
    statsd.tell(watcher.sample(SteadyClock::now())); // of what has happened since
    return code;
}

} // namespace

pid_t start_status_process(const StatusSetup& setup) {
    const Release& release = setup.release;
    ChildPlan plan{ChildRole::status, release.settings().display_name(), release.identity, {}};
    plan.keeps = {setup.pipes.notices_write.get(), setup.pipes.leash_read.get(), setup.post.put_fd(),
                  setup.scoreboard.bell(setup.own_slot).fd()};
    std::vector<ListeningSocket> listeners;
    for (const auto& listener : release.status_listeners) {
        listeners.push_back(listener->for_worker());
        plan.keeps.push_back(listeners.back().fd);
    }
    ListenQueues queues(release.listeners);
    ServiceFacts facts = facts_of(release);
    return fork_child(plan, &setup.title, [&] { return run(setup, listeners, std::move(queues), std::move(facts)); });
}

} // namespace cppcorn
