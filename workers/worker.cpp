#include "workers/worker.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/crash_report.hpp"
#include "base/signal_inbox.hpp"
#include "base/signals.hpp"
#include "workers/app/app_boundary.hpp"
#include "workers/app/app_fork.hpp"
#include "workers/exchange/stand_in.hpp"
#include "workers/understudied.hpp"

namespace cppcorn {
namespace {

constexpr int events_at_once = 128;
constexpr rlim_t descriptors_of_ours = 64;      // besides those for connections:
constexpr rlim_t descriptors_of_connection = 2; // its socket, and the file that its body or response waits in

// --worker-connections is a promise: the soft limit follows it as far as the hard one allows.
void raise_descriptor_limit(const WorkerSettings& settings) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t wanted =
        static_cast<rlim_t>(settings.worker_connections) * descriptors_of_connection + descriptors_of_ours;
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool start_app(const cppcorn_app& app, int slot_number, const WorkerSettings& settings) {
    if (app.worker_start == nullptr) return true;
    cppcorn_worker worker{};
    worker.size = sizeof worker;
    worker.slot = static_cast<std::uint32_t>(slot_number);
    worker.name = settings.name.c_str();
    const int result = call_app(app.worker_start, app.self, &worker);
    if (result != 0) spdlog::error("Worker cannot start: the app's worker_start returned {}", result);
    return result == 0;
}

// Also when the worker ends by an exception.
struct AccessLogFlush {
    AccessLog& log;
    ~AccessLogFlush() { log.flush(); }
};

void serve(const WorkerSetup& setup, const cppcorn_app& app, SignalInbox& signals, Epoll& epoll,
           Understudied* understudied, Chore chore = {}) {
    WorkerContext context(setup.settings, app, setup.slot, setup.access_log, signals);
    context.lookout = setup.lookout;
    context.chore = std::move(chore);
    if (understudied != nullptr) understudied->introduce(context);
    const AccessLogFlush flush{setup.access_log};
    setup.worker_class.run(context, epoll, setup.listeners, setup.master, signals);
}

void settle_in(const WorkerSetup& setup) {
    ignore_signals(ProcessKind::worker);
    install_crash_report(setup.crash);
    prepare_for_forks_of_app();
    raise_descriptor_limit(setup.settings);
    unblock_all_signals();
}

} // namespace

int run_worker(const WorkerSetup& setup) {
    SignalInbox signals(signals_used(ProcessKind::worker, SignalUse::handled));
    settle_in(setup);
    spdlog::info("Booting worker with pid: {}", ::getpid());
    Epoll epoll(events_at_once);
    const auto understudied = Understudied::make(setup, epoll); // early: what it maps, it shares with nobody later
    setup.finish_fork();
    std::optional<AppModule> loaded;
    try {
        if (setup.preloaded == nullptr) loaded.emplace(setup.load_app());
    } catch (const AppLoadError& error) {
        spdlog::error("{}", error.what());
        return worker_exit_no_app;
    }
    const cppcorn_app& app = loaded ? loaded->app() : *setup.preloaded;
    setup.slot.enter(WorkerPhase::worker_start);
    if (!start_app(app, setup.slot_number, setup.settings)) return worker_exit_cannot_start;
    take_signals_back();
    setup.slot.enter(WorkerPhase::serving);
    serve(setup, app, signals, epoll, understudied.get());
    spdlog::info("Worker exiting (pid: {})", ::getpid());
    setup.slot.enter(WorkerPhase::worker_exit);
    if (app.worker_exit != nullptr) call_app(app.worker_exit, app.self);
    setup.slot.enter(WorkerPhase::destroy);
    return worker_exit_clean;
}

int run_stand_in(const WorkerSetup& setup) {
    SignalInbox signals(signals_used(ProcessKind::worker, SignalUse::handled));
    settle_in(setup);
    setup.slot.enter(WorkerPhase::serving);
    Epoll epoll(events_at_once);
    serve(setup, stand_in_app(), signals, epoll, nullptr);
    return worker_exit_clean;
}

int run_status(const WorkerSetup& setup, const cppcorn_app& app, Chore chore) {
    SignalInbox no_signals({});
    ignore_what_masters_handle();
    settle_in(setup);
    setup.slot.enter(WorkerPhase::serving);
    Epoll epoll(events_at_once);
    serve(setup, app, no_signals, epoll, nullptr, std::move(chore));
    return worker_exit_clean;
}

} // namespace cppcorn
