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
#include "server/process/hosting.hpp"
#include "workers/app/app_fork.hpp"

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

// All that a fresh child must not keep of the process that forked it.
void forget_descriptors(const ChildPlan& plan, const ChildRoleRow& row, ProcessTitle* title) {
    reset_signals();
    if (row.title != nullptr) set_log_role(row.title);
    std::vector<int> keeps = plan.keeps;
    keeps.push_back(error_log_fd());
    close_server_fds(keeps);
    if (row.title != nullptr && title != nullptr) title->set(fmt::format("cppcorn: {} [{}]", row.title, plan.name));
}

void end_with_master(const ChildRoleRow& row, pid_t master) {
    if (row.orphan_grace.count() == 0) return;
    make_kill_timer();
    arm_kill_timer_with_parent(row.orphan_grace);
    if (::getppid() != master) arm_kill_timer(row.orphan_grace); // it died before it could be told
}

[[noreturn]] void run_child(const std::function<int()>& main) {
    int code = 1;
    try {
        code = main();
    } catch (const std::exception& error) {
        spdlog::error("{}", error.what());
    } catch (...) {
        spdlog::error("An error without a text");
    }
    ::_exit(code);
}

} // namespace

pid_t fork_child(const ChildPlan& plan, ProcessTitle* title, const std::function<int()>& main) {
    spdlog::default_logger_raw()->flush();
    const SignalBlock block;
    const pid_t master = ::getpid();
    const ChildRoleRow& row = row_of(plan.role);
    const pid_t pid = check(row.runs_app ? fork_process() : ::fork(), "cannot fork");
    if (pid != 0) return pid;
    run_child([&] {
        forget_descriptors(plan, row, title);
        if (row.takes_identity && plan.identity) {
            assume_identity(*plan.identity, row.is_closed ? Access::closed : Access::open);
        }
        end_with_master(row, master);
        return main();
    });
}

void fork_sibling(const ChildPlan& plan, ProcessTitle* title, pid_t master, const std::function<bool()>& announce,
                  const std::function<int()>& main) {
    const SignalBlock block;
    const auto fork_as_ours = [master] {
        const OwnFork ours;
        return fork_process_for(master);
    };
    if (check(fork_as_ours(), "cannot fork") != 0) return;
    if (!announce()) ::_exit(0);
    run_child([&] {
        const ChildRoleRow& row = row_of(plan.role);
        forget_descriptors(plan, row, title);
        end_with_master(row, master);
        return main();
    });
}

} // namespace cppcorn
