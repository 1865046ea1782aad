#include "server/master.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "base/signals.hpp"
#include "base/system_call.hpp"
#include "server/arbiter.hpp"
#include "server/control/ctl.hpp"
#include "server/control/top/top.hpp"
#include "server/post_mortem/symbol_reader.hpp"
#include "server/process/daemon.hpp"
#include "server/process/exit_codes.hpp"
#include "server/process/hosting.hpp"
#include "server/process/process_title.hpp"
#include "server/process/service_manager.hpp"
#include "server/release/hand_over.hpp"
#include "server/release/interpreter.hpp"
#include "server/release/passed_queue.hpp"
#include "server/release/release.hpp"
#include "server/release/settings_check.hpp"
#include "server/release/start_context.hpp"
#include "server/settings/print.hpp"
#include "server/settings/settings_loader.hpp"
#include "workers/app/app_spec.hpp"

namespace cppcorn {
namespace {

// In the place of an app. An app of that name is named with what is in it: ctl:app.
struct ClientCommand {
    std::string_view word;
    int (*run)(const std::vector<std::string>& arguments);
};
constexpr std::array client_commands{ClientCommand{"ctl", run_ctl}, ClientCommand{"top", run_top}};

// A descriptor that was closed when we started must not become a socket that something prints to.
void open_standard_streams() {
    int fd;
    do {
        fd = check(::open("/dev/null", O_RDWR), "cannot open /dev/null");
    } while (fd <= STDERR_FILENO);
    ::close(fd);
}

int serve(int argc, char** argv, Daemon& daemon) {
    open_standard_streams();
    unblock_all_signals();
    StartContext start(argc, argv);
    Inheritance inheritance = take_inheritance();
    start.use_binds(inheritance.activated_binds);
    LoadedSettings loaded = start.read_settings();
    become_interpreter_if_needed(loaded.values, start);
    if (loaded.values.print_config) std::fputs(print_settings(loaded).c_str(), stdout);
    if (loaded.values.check_config) return check_settings(std::move(loaded));
    if (loaded.values.print_config) return exit_clean;

    auto release = prepare_release(std::move(loaded));
    if (release->settings().daemon && !inheritance.is_upgrade) daemon.detach();
    apply_umask(release->settings());
    open_error_log(release->settings().error_log);
    ServiceManager service_manager;
    // After all that takes variables out of the environment.
    ProcessTitle title =
        hosting() != nullptr ? ProcessTitle::of_interpreter(start.command()) : ProcessTitle(argc, argv);
    open_logs(*release);
    note_unread_settings(start);
    release->listeners = open_inherited(inheritance, release->settings().guard.links);
    ServiceQueue service_queue = open_queue(inheritance.queue);
    if (inheritance.predecessor) inheritance.predecessor->shares_queue = service_queue.is_predecessors;
    Arbiter arbiter(std::move(release), std::move(inheritance.predecessor), std::move(service_queue.queue),
                    {start, service_manager, daemon, title});
    return arbiter.run();
}

int complain(const std::exception& error, int code) {
    std::fprintf(stderr, "cppcorn: %s\n", error.what());
    return code;
}

int run(int argc, char** argv, Daemon& daemon) {
    try {
        return serve(argc, argv, daemon);
    } catch (const InformationRequest& answer) {
        std::fputs(answer.what(), stdout);
        return exit_clean;
    } catch (const UsageError& error) {
        return complain(error, exit_usage);
    } catch (const AppSpecError& error) { // that an interpreter might have understood, had there been one
        return complain(error, exit_usage);
    } catch (const std::exception& error) {
        return complain(error, exit_settings);
    }
}

} // namespace

int run_master(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], symbol_reader_argument) == 0) return run_symbol_reader();
    for (const auto& command : client_commands) {
        if (argc >= 2 && argv[1] == command.word) return command.run({argv + 2, argv + argc});
    }
    Daemon daemon;
    const int code = run(argc, argv, daemon);
    daemon.failed(code);
    return code;
}

} // namespace cppcorn
