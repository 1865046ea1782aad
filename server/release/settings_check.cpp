#include "server/release/settings_check.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log/escape.hpp"
#include "base/system_call.hpp"
#include "server/exit_codes.hpp"
#include "server/release/app_probe.hpp"
#include "server/release/release.hpp"

namespace cppcorn {
namespace {

// The arbiter's loop in small: until the child has ended, killing it when its time is over.
int wait_for_end(AppProbe& probe) {
    const UniqueFd process(
        static_cast<int>(check(::syscall(SYS_pidfd_open, probe.pid(), 0), "cannot watch the app's probe")));
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(probe.deadline() - SteadyTime::clock::now());
        pollfd entry{process.get(), POLLIN, 0};
        ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000)));
        if (SteadyTime::clock::now() >= probe.deadline()) probe.kill();
        int status = 0;
        if (check(::waitpid(probe.pid(), &status, WNOHANG), "cannot wait for the app's probe") > 0) return status;
    }
}

// What a start would serve.
std::string summary_of(const Settings& settings) {
    std::string addresses;
    for (const std::string& bind : settings.binds) addresses += (addresses.empty() ? "" : ", ") + escaped(bind);
    return fmt::format("The configuration is fine: {} at {}, {} worker{}", escaped(settings.app), addresses,
                       settings.workers, settings.workers == 1 ? "" : "s");
}

} // namespace

int check_settings(LoadedSettings loaded) {
    const std::shared_ptr<Release> release = prepare_release(std::move(loaded));
    AppProbe probe(*release, nullptr, SteadyClock::now());
    const int status = wait_for_end(probe);
    const auto error = probe.fault(status);
    if (!error) {
        // Beside --print-config, whose output is a file of settings, it is a comment.
        const char* const mark = release->settings().print_config ? "# " : "";
        std::printf("%s%s\n", mark, summary_of(release->settings()).c_str());
        return exit_clean;
    }
    std::fprintf(stderr, "cppcorn: %s\n", error->c_str());
    return exit_no_app;
}

} // namespace cppcorn
