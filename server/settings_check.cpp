#include "server/settings_check.hpp"

#include <cstdio>

#include <sys/wait.h>

#include "server/app_probe.hpp"
#include "server/exit_codes.hpp"
#include "server/release.hpp"
#include "workers/system_error.hpp"

namespace cppcorn {

int check_settings(LoadedSettings loaded) {
    const std::shared_ptr<Release> release = prepare_release(std::move(loaded));
    MasterPipes pipes = MasterPipes::open();
    AppProbe probe(release, pipes, std::chrono::steady_clock::now());
    int status = 0;
    check(::waitpid(probe.pid(), &status, 0), "cannot wait for the app's probe");
    const auto error = probe.verdict(status);
    if (!error) return exit_clean;
    std::fprintf(stderr, "cppcorn: %s\n", error->c_str());
    return exit_no_app;
}

} // namespace cppcorn
