#include "workers/app/app_fork.hpp"

#include <array>
#include <iterator>

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/fork_copies.hpp"
#include "base/log/error_log.hpp"
#include "base/server_fd.hpp"
#include "base/signals.hpp"

namespace cppcorn {
namespace {

constexpr unsigned patience_s = 2;

// Our handlers, by their place in the table of signals.
std::array<struct sigaction, std::size(signal_table)> our_actions;

bool is_reset_in_forks(const SignalRow& row) {
    const bool is_for_us = row.in_worker == SignalUse::handled || row.in_worker == SignalUse::ignored;
    return is_for_us && row.number != SIGPIPE && row.number != SIGXFSZ; // of these the app expects an error
}

void reset_our_signals() {
    for (std::size_t i = 0; i < our_actions.size(); ++i) {
        const SignalRow& row = signal_table[i];
        struct sigaction present {};
        if (!is_reset_in_forks(row) || ::sigaction(row.number, nullptr, &present) != 0) continue;
        if (present.sa_handler == our_actions[i].sa_handler) std::signal(row.number, SIG_DFL);
    }
}

// Async-signal-safe: the worker may have had threads.
void in_child() {
    if (OwnFork::is_under_way) return;
    detail::forked_from_worker = 1;
    take_fork_copies();
    reset_our_signals();
    const int kept[] = {error_log_fd()};
    cut_off_server_fds(kept);
}

} // namespace

void prepare_for_forks_of_app() {
    for (std::size_t i = 0; i < our_actions.size(); ++i) ::sigaction(signal_table[i].number, nullptr, &our_actions[i]);
    static bool is_prepared = false; // which is inherited
    if (!is_prepared) ::pthread_atfork(copy_for_fork, drop_fork_copies, in_child);
    is_prepared = true;
}

void take_signals_back() {
    for (std::size_t i = 0; i < our_actions.size(); ++i) {
        const SignalRow& row = signal_table[i];
        struct sigaction present {};
        if (row.in_worker != SignalUse::handled || ::sigaction(row.number, nullptr, &present) != 0) continue;
        if (present.sa_handler == our_actions[i].sa_handler) continue;
        ::sigaction(row.number, &our_actions[i], nullptr);
        spdlog::warn("The app has taken {}, which tells workers to exit or to reopen logs: its handler is removed",
                     row.name);
    }
}

void end_fork_of_worker() noexcept {
    ::alarm(patience_s); // a thread that is not here may have held the log's lock
    spdlog::warn("A child that the app has forked came back to the server, and is ended (pid:{}); it should call _exit",
                 ::getpid());
    ::_exit(0);
}

} // namespace cppcorn
