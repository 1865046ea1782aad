#include "server/release/mold_process.hpp"

#include <csignal>
#include <filesystem>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "base/signals.hpp"
#include "server/process/daemon.hpp"
#include "server/process/hosting.hpp"
#include "server/process/spare_memory.hpp"
#include "server/release/release.hpp"
#include "workers/app/app_fork.hpp"

namespace cppcorn {
namespace {

void do_nothing(int) {}

// Whoever sends a signal to all processes of the service (Ctrl-C, systemd) means the master, which sees to its molds.
void ignore_what_the_master_handles() {
    for (const int signal : signals_used(ProcessKind::master, SignalUse::handled)) {
        if (signal != SIGCHLD && signal != SIGWINCH) set_signal_handler(signal, do_nothing);
    }
    ignore_signals(ProcessKind::master);
    unblock_all_signals();
}

// An interpreter knows more of its threads: those of libraries that see to forks themselves are not among them.
void warn_of_threads() {
    std::error_code error;
    int others = -1;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error))
        others += task.exists() ? 1 : 0;
    if (error || others <= 0) return;
    spdlog::warn("The app has started {} {} while it was loaded: with --preload they run in the mold, and in no worker",
                 others, others == 1 ? "thread" : "threads");
}

void settle_down(const Release& release) {
    take_signals_back();
    ignore_what_the_master_handles();
    if (is_for_interpreter(release.settings())) {
        hosting()->settle_for_forks();
    } else {
        warn_of_threads();
    }
    close_gaps_of_heap();
    if (!release.settings().daemon) return;
    leave_terminal(release.settings());
    reopen_error_log();
    release.access_log->reopen();
}

void fork_worker(const MoldPlan& plan, const Release& release, const cppcorn_app& app, MoldOrder order,
                 const MoldTies& ties) {
    try {
        plan.fork_worker(release, app, std::move(order), ties);
    } catch (const std::system_error& error) {
        send_notice(ties.post, {MoldNotice::Kind::failed, 0, error.code().value()});
    }
}

} // namespace

void run_mold(const MoldPlan& plan, const Release& release, const cppcorn_app& app, const MoldTies& ties) {
    settle_down(release);
    if (!send_notice(ties.post, {MoldNotice::Kind::loaded, ::getpid(), 0})) return;
    MoldOrder order;
    while (receive_order(ties.post, order)) {
        switch (order.kind) {
            case MoldOrder::Kind::fork:
                fork_worker(plan, release, app, std::move(order), ties);
                break;
            case MoldOrder::Kind::change_log:
                change_error_log(release.settings().error_log);
                break;
            case MoldOrder::Kind::reopen_logs:
                reopen_error_log();
                release.access_log->reopen();
                break;
        }
    }
}

} // namespace cppcorn
