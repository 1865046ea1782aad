#include "workers/worker.hpp"

#include <algorithm>
#include <csignal>
#include <optional>

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/crash_report.hpp"
#include "base/log/error_log.hpp"
#include "base/signals.hpp"
#include "server/exit_codes.hpp"
#include "server/process/daemon.hpp"
#include "workers/sync_worker.hpp"

namespace cppcorn {
namespace {

constexpr rlim_t descriptors_of_ours = 64; // besides one for each connection

// --worker-connections is a promise: the soft limit follows it as far as the hard one allows.
void raise_descriptor_limit(const WorkerSettings& settings) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t wanted = static_cast<rlim_t>(settings.worker_connections) + descriptors_of_ours;
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

// All that a fresh child must not keep of the master's.
void become_worker(const Release& release, MasterPipes& pipes, ProcessTitle& title) {
    pipes.forget_master();
    if (release.settings().daemon) {
        leave_terminal(release.settings());
        reopen_error_log();
        release.access_log->reopen();
    }
    title.set("cppcorn: worker [" + release.settings().display_name() + "]");
    ignore_signals(ProcessKind::worker);
    install_crash_report();
    raise_descriptor_limit(release.settings().worker);
    apply_environment(release.settings());
}

bool start_app(const cppcorn_app& app, int slot_number, const WorkerSettings& settings) {
    if (app.worker_start == nullptr) return true;
    cppcorn_worker worker{};
    worker.size = sizeof worker;
    worker.slot = static_cast<std::uint32_t>(slot_number);
    worker.name = settings.name.c_str();
    const int result = app.worker_start(app.self, &worker);
    if (result != 0) spdlog::error("Worker cannot start: the app's worker_start returned {}", result);
    return result == 0;
}

// Also when the worker ends by an exception.
struct AccessLogFlush {
    AccessLog& log;
    ~AccessLogFlush() { log.flush(); }
};

void serve(const Release& release, const cppcorn_app& app, ScoreboardSlot& slot, SignalInbox& signals,
           MasterPipes& pipes) {
    std::vector<ListeningSocket> listeners;
    for (const auto& listener : release.listeners) listeners.push_back(listener->for_worker());
    WorkerContext context(release.settings().worker, app, slot, *release.access_log, signals);
    MasterLink master(std::move(pipes.notices_write), std::move(pipes.leash_read));
    SyncWorker worker(context, listeners, master, signals);
    const AccessLogFlush flush{*release.access_log};
    master.tell(Notice::ready);
    worker.run();
}

} // namespace

int worker_main(const Release& release, int slot_number, ScoreboardSlot& slot, MasterPipes& pipes,
                ProcessTitle& title) {
    SignalInbox signals(signals_used(ProcessKind::worker, SignalUse::handled));
    become_worker(release, pipes, title);
    unblock_all_signals();
    spdlog::info("Booting worker with pid: {}", ::getpid());
    std::optional<AppModule> loaded;
    try {
        if (!release.preloaded) loaded.emplace(load_app(release));
    } catch (const AppLoadError& error) {
        spdlog::error("{}", error.what());
        return exit_no_app;
    }
    const cppcorn_app& app = loaded ? loaded->app() : release.preloaded->app();
    if (!start_app(app, slot_number, release.settings().worker)) return exit_no_worker;
    serve(release, app, slot, signals, pipes);
    spdlog::info("Worker exiting (pid: {})", ::getpid());
    if (app.worker_exit != nullptr) app.worker_exit(app.self);
    return exit_clean;
}

} // namespace cppcorn
