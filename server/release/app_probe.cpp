#include "server/release/app_probe.hpp"

#include <csignal>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crash_report.hpp"
#include "base/log/error_log.hpp"
#include "base/signals.hpp"
#include "base/system_call.hpp"
#include "server/exit_codes.hpp"
#include "workers/transport/spool_file.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t longest_message = 4096;

int probe_main(const Release& release, int message_fd, CrashRecord& crash) {
    unblock_all_signals();
    install_crash_report(crash);
    enter(release);
    apply_environment(release.settings());
    const WorkerSettings& settings = release.settings().worker;
    // Here, since the master may be somebody else, and the workers are many.
    check_spool_directory(settings.spool_dir, settings.spool_limit);
    try {
        [[maybe_unused]] const AppModule app = load_app(release);
        // Not unloaded: a destructor that crashes is none of the probe's business.
        ::_exit(exit_clean);
    } catch (const AppLoadError& error) {
        const std::string text = std::string(error.what()).substr(0, longest_message);
        [[maybe_unused]] const auto ignored = ::write(message_fd, text.data(), text.size());
        return exit_no_app;
    }
}

} // namespace

AppProbe::AppProbe(const Release& release, ProcessTitle* title, SteadyTime now)
    : app_spec_(release.settings().app), identity_(release.identity) {
    int message[2];
    check(::pipe2(message, O_CLOEXEC | O_NONBLOCK), "cannot make a pipe");
    message_.reset(message[0]);
    const UniqueFd write_end(message[1]);
    const ChildPlan plan{
        ChildRole::probe, release.settings().display_name(), release.identity, {release.directory.get()}};
    pid_ = fork_child(plan, title, [&] { return probe_main(release, write_end.get(), crash_[0]); });
    const auto timeout = release.settings().boot_timeout;
    deadline_ = timeout.count() > 0 ? now + timeout : SteadyTime::max();
}

void AppProbe::kill() {
    killed_ = true;
    deadline_ = SteadyTime::max();
    ::kill(pid_, SIGKILL);
}

Death AppProbe::death(int wait_status, long peak_kib) const {
    Death death;
    death.pid = pid_;
    death.signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    death.place = "while loading the app, to try it";
    death.peak_kib = peak_kib;
    death.identity = identity_;
    death.crash = checked(crash_[0]);
    return death;
}

std::optional<std::string> AppProbe::fault(int wait_status) {
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == exit_clean) return std::nullopt;
    if (killed_) return app_spec_ + ": takes longer to load than --boot-timeout allows";
    if (WIFSIGNALED(wait_status)) {
        return app_spec_ + ": crashed while loading (" + signal_name(WTERMSIG(wait_status)) + ")";
    }
    char text[longest_message];
    const auto size = ::read(message_.get(), text, sizeof text);
    if (size > 0) return std::string(text, static_cast<std::size_t>(size));
    return app_spec_ + ": ended the process while loading (exit code " + std::to_string(WEXITSTATUS(wait_status)) + ")";
}

} // namespace cppcorn
