#include "server/process/child.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/kill_timer.hpp"
#include "base/log/error_log.hpp"
#include "base/signals.hpp"
#include "base/system_call.hpp"

namespace cppcorn {

std::string text_of_end(int wait_status) {
    if (WIFEXITED(wait_status)) return fmt::format("exited with code {}", WEXITSTATUS(wait_status));
    return fmt::format("was sent {}", signal_name(WTERMSIG(wait_status)));
}

MasterPipes MasterPipes::open() {
    int notices[2];
    int leash[2];
    check(::pipe2(notices, O_CLOEXEC | O_NONBLOCK), "cannot make a pipe");
    MasterPipes pipes;
    pipes.notices_read.reset(notices[0]);
    pipes.notices_write.reset(notices[1]);
    check(::pipe2(leash, O_CLOEXEC | O_NONBLOCK), "cannot make a pipe");
    pipes.leash_read.reset(leash[0]);
    pipes.leash_write.reset(leash[1]);
    return pipes;
}

namespace {

const ChildRoleRow& row_of(ChildRole role) {
    return *std::find_if(std::begin(child_roles), std::end(child_roles),
                         [&](const ChildRoleRow& row) { return row.role == role; });
}

// All that a fresh child must not keep of the master's.
void forget_master(const ChildPlan& plan, const ChildRoleRow& row, ProcessTitle* title, pid_t master) {
    reset_signals();
    std::vector<int> keeps = plan.keeps;
    keeps.push_back(error_log_fd());
    close_server_fds(keeps);
    if (row.title != nullptr && title != nullptr) title->set(fmt::format("cppcorn: {} [{}]", row.title, plan.name));
    if (row.takes_identity && plan.identity) assume_identity(*plan.identity);
    if (row.orphan_grace.count() == 0) return;
    make_kill_timer();
    arm_kill_timer_with_parent(row.orphan_grace);
    if (::getppid() != master) arm_kill_timer(row.orphan_grace); // it died before it could be told
}

} // namespace

pid_t fork_child(const ChildPlan& plan, ProcessTitle* title, const std::function<int()>& main) {
    spdlog::default_logger_raw()->flush();
    const SignalBlock block;
    const pid_t master = ::getpid();
    const pid_t pid = check(::fork(), "cannot fork");
    if (pid != 0) return pid;
    int code = 1;
    try {
        forget_master(plan, row_of(plan.role), title, master);
        code = main();
    } catch (const std::exception& error) {
        spdlog::error("{}", error.what());
    } catch (...) {
        spdlog::error("An error without a text");
    }
    ::_exit(code);
}

} // namespace cppcorn
