#include "server/process/daemon.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/log/log_file.hpp"
#include "base/system_call.hpp"
#include "server/process/exit_codes.hpp"
#include "server/process/hosting.hpp"

namespace cppcorn {
namespace {

[[noreturn]] void wait_for_report(int fd) {
    int code = exit_settings; // of a daemon that dies without a word
    while (::read(fd, &code, sizeof code) < 0 && errno == EINTR) {
    }
    ::_exit(code);
}

} // namespace

bool has_terminal() {
    return UniqueFd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)).is_open();
}

void leave_terminal(const Settings& settings) {
    const UniqueFd nothing(check(::open("/dev/null", O_RDWR | O_CLOEXEC), "cannot open /dev/null"));
    check(::dup2(nothing.get(), STDIN_FILENO), "cannot let go of the terminal");
    const bool logs_to_file = !standard_stream(settings.error_log.path, STDERR_FILENO);
    if (settings.error_log.capture_output && logs_to_file) return;
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
        check(::dup2(nothing.get(), fd), "cannot let go of the terminal");
    }
}

void Daemon::detach() {
    int promise[2];
    check(::pipe2(promise, O_CLOEXEC), "cannot make a pipe");
    UniqueFd read_end(promise[0]);
    promise_.reset(promise[1]);
    if (check(fork_process(), "cannot fork") != 0) {
        promise_.reset();
        wait_for_report(read_end.get());
    }
    check(::setsid(), "cannot leave the session");
    // The leader of a session may get a terminal when it opens one; its child may not.
    if (check(fork_process(), "cannot fork") != 0) ::_exit(exit_clean);
}

bool Daemon::serves(const Settings& settings) {
    if (serves_ || !settings.daemon) return false;
    serves_ = true;
    leave_terminal(settings);
    if (promise_.is_open()) report(exit_clean);
    return true;
}

void Daemon::failed(int code) {
    // Also of one that was told to stop: it does not serve.
    if (promise_.is_open()) report(code == exit_clean ? exit_no_worker : code);
}

void Daemon::report(int code) {
    [[maybe_unused]] const auto ignored = ::write(promise_.get(), &code, sizeof code);
    promise_.reset();
}

} // namespace cppcorn
