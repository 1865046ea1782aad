// How a new master takes the place of an old one, on the same sockets (SIGUSR2). Both serve until the old one is told
// to stop; if the new one is no good, it is told to stop, and nothing was lost. server/release/hand_over.hpp has what passes
// between them.

#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signals.hpp"
#include "server/arbiter.hpp"

namespace cppcorn {
namespace {

bool has_terminal() {
    return UniqueFd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)).is_open();
}

} // namespace

void Arbiter::handle_usr2() {
    const char* refused = "Handling signal: usr2; refused:";
    if (is_stopping() || !started_)
        return spdlog::warn("{} the server is about to stop, or has not started yet", refused);
    if (successor_ != 0) return spdlog::warn("{} the new master with pid {} is still there", refused, successor_);
    if (predecessor_) return spdlog::warn("{} the old master with pid {} is still there", refused, predecessor_->pid);
    if (::getpid() == 1) return spdlog::warn("{} when process 1 of a container leaves, all of it ends", refused);
    try {
        successor_ = start_successor(around_.start, release_->listeners, settings().daemon);
    } catch (const std::system_error& error) {
        return spdlog::error("Handling signal: usr2; cannot start a new master: {}", error.what());
    }
    for (const auto& listener : release_->listeners) listener->own_file(false);
    spdlog::info("Handling signal: usr2; the new master has pid {}", successor_);
}

void Arbiter::successor_exited(int wait_status) {
    const pid_t pid = successor_;
    const bool is_clean = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == exit_clean;
    const std::string how = WIFEXITED(wait_status) ? "exited with code " + std::to_string(WEXITSTATUS(wait_status))
                                                   : std::string("was sent ") + signal_name(WTERMSIG(wait_status));
    successor_ = 0;
    for (const auto& listener : release_->listeners) listener->own_file(true);
    if (is_stopping()) {
        spdlog::critical("The new master (pid:{}) {}, while this one is stopping: nothing serves after it", pid, how);
        if (!is_clean) exit_code_ = exit_no_worker;
        return;
    }
    spdlog::log(is_clean ? spdlog::level::info : spdlog::level::err, "The new master (pid:{}) {}; this one serves on",
                pid, how);
    if (!std::exchange(retired_, false)) return;
    spdlog::info("The workers come back");
    apply_policy();
}

void Arbiter::become_the_master() {
    spdlog::info("The old master (pid:{}) has ended; this one takes its place", predecessor_->pid);
    predecessor_.reset();
    for (const auto& listener : release_->listeners) listener->own_file(true);
    update_pidfile();
    around_.service_manager.take_over();
}

// Its workers retire and it stays, to be sent SIGHUP or SIGTERM. Terminals send it as well, when their size changes.
void Arbiter::handle_winch() {
    if (table_.stopping() || !started_) return;
    if (has_terminal()) return spdlog::debug("Handling signal: winch; ignored: this master has a terminal");
    spdlog::info("Handling signal: winch; the workers retire, the master stays");
    retired_ = true;
    apply_policy();
}

} // namespace cppcorn
