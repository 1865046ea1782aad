// cppcorn MODULE:APP [options]
//
// Reads the settings, opens what they ask for, and runs the arbiter, which forks the workers and looks after them.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "server/arbiter.hpp"
#include "server/exit_codes.hpp"
#include "server/process_title.hpp"
#include "server/release.hpp"
#include "server/settings_check.hpp"
#include "server/settings_loader.hpp"
#include "workers/log/error_log.hpp"
#include "workers/signal_inbox.hpp"
#include "workers/system_error.hpp"

namespace {

using namespace cppcorn;

// A descriptor that was closed when we started must not become a socket that something prints to.
void open_standard_streams() {
    int fd;
    do {
        fd = check(::open("/dev/null", O_RDWR), "cannot open /dev/null");
    } while (fd <= STDERR_FILENO);
    ::close(fd);
}

void enter_folder(const Settings& settings) {
    if (settings.chdir.empty()) return;
    check(::chdir(settings.chdir.c_str()), "cannot change to folder " + settings.chdir);
}

// Settings are read in the folder where we were started; everything else happens in --chdir.
LoadedSettings read_settings(const std::vector<std::string>& arguments, const UniqueFd& start_folder) {
    check(::fchdir(start_folder.get()), "cannot go back to the folder of the start");
    LoadedSettings loaded = load_settings(arguments, [](const char* name) { return std::getenv(name); });
    enter_folder(loaded.values);
    return loaded;
}

int serve(int argc, char** argv) {
    open_standard_streams();
    unblock_all_signals();
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const UniqueFd start_folder(check(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), "cannot open the folder ."));
    LoadedSettings loaded = read_settings(arguments, start_folder);
    if (loaded.values.print_config) std::fputs(print_settings(loaded).c_str(), stdout);
    if (loaded.values.check_config) return check_settings(std::move(loaded));
    if (loaded.values.print_config) return exit_clean;

    ProcessTitle title(argc, argv);
    open_error_log(loaded.values);
    Arbiter arbiter(
        open_release(std::move(loaded), nullptr), [&] { return read_settings(arguments, start_folder); }, title);
    return arbiter.run();
}

int complain(const std::exception& error, int code) {
    std::fprintf(stderr, "cppcorn: %s\n", error.what());
    return code;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return serve(argc, argv);
    } catch (const InformationRequest& answer) {
        std::fputs(answer.what(), stdout);
        return exit_clean;
    } catch (const UsageError& error) {
        return complain(error, exit_usage);
    } catch (const std::exception& error) {
        return complain(error, exit_settings);
    }
}
