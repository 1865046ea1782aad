#include "server/process/child.hpp"

#include <csignal>
#include <exception>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/kill_timer.hpp"
#include "base/signals.hpp"
#include "base/system_call.hpp"

namespace cppcorn {

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

void MasterPipes::forget_master() {
    notices_read.reset();
    leash_write.reset();
}

pid_t fork_child(std::chrono::seconds orphan_grace, const std::optional<Identity>& identity,
                 const std::function<int()>& main) {
    spdlog::default_logger_raw()->flush();
    const SignalBlock block;
    const pid_t master = ::getpid();
    const pid_t pid = check(::fork(), "cannot fork");
    if (pid != 0) return pid;
    reset_signals();
    int code = 1;
    try {
        if (identity) assume_identity(*identity);
        make_last_resort();
        arm_last_resort_with_parent(orphan_grace);
        if (::getppid() != master) arm_last_resort(orphan_grace); // it died before it could be told
        code = main();
    } catch (const std::exception& error) {
        spdlog::error("{}", error.what());
    }
    ::_exit(code);
}

} // namespace cppcorn
