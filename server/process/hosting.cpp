#include "server/process/hosting.hpp"

#include <cerrno>
#include <optional>
#include <utility>

#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system_call.hpp"
#include "base/unique_fd.hpp"

namespace cppcorn {
namespace {

std::optional<Hosting> present;
bool is_finished = true; // the fork that this process comes from

} // namespace

void set_hosting(Hosting hosting) {
    present = std::move(hosting);
}

const Hosting* hosting() {
    return present ? &*present : nullptr;
}

pid_t fork_process() {
    if (!present) return ::fork();
    present->before_fork();
    const pid_t pid = ::fork();
    const int error = errno;
    if (pid == 0) {
        present->after_fork_in_child();
    } else {
        present->after_fork_in_parent();
    }
    errno = error;
    return pid;
}

namespace {

// In the child: the process between has ended, and somebody else is our parent.
void wait_for_other_parent(pid_t between) {
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, between, 0)));
    pollfd entry{process.get(), POLLIN, 0};
    if (process.is_open()) ::poll(&entry, 1, -1);
    while (::getppid() == between) ::sched_yield();
}

// The process between runs nothing but the second fork.
[[nodiscard]] bool fork_again(pid_t parent) {
    const pid_t between = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) ::_exit(errno);
    if (pid > 0) ::_exit(0);
    wait_for_other_parent(between);
    return ::getppid() == parent;
}

} // namespace

int fork_process_for(pid_t parent) {
    if (present) present->before_fork();
    const pid_t pid = ::fork();
    int error = errno;
    if (pid == 0) {
        if (!fork_again(parent)) ::_exit(ESRCH); // it died meanwhile
        is_finished = !present;
        return 0;
    }
    if (present) present->after_fork_in_parent();
    int status = 0;
    // An app may have taken the end of that child for one of its own.
    if (pid > 0 && retry_interrupted([&] { return ::waitpid(pid, &status, 0); }) == pid) {
        error = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
    } else if (pid > 0) {
        error = 0;
    }
    errno = error;
    return error == 0 ? 1 : -1;
}

void finish_fork() {
    if (!std::exchange(is_finished, true)) present->after_fork_in_child();
}

} // namespace cppcorn
