#include "server/release/settings_check.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/held_path.hpp"
#include "base/log/escape.hpp"
#include "base/log/log_file.hpp"
#include "base/system_call.hpp"
#include "server/post_mortem/post_mortems.hpp"
#include "server/process/exit_codes.hpp"
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

void check_can_write_in(const HeldPath& place, const std::string& what) {
    check(::faccessat(place.directory.get(), ".", W_OK | X_OK, AT_EACCESS), what);
}

// As it would be opened, but neither made nor changed.
void check_log(const std::string& path, const FileGuard& guard) {
    if (path.empty() || standard_stream(path, STDERR_FILENO)) return;
    const std::string what = "cannot open log file " + path;
    const HeldPath place = hold_path(path, guard.links, what);
    const bool is_guarded = guard.links == Links::roots_only;
    const int flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (is_guarded ? O_NOFOLLOW : 0);
    const UniqueFd file(::openat(place.directory.get(), place.name.c_str(), flags));
    if (!file.is_open() && errno == ENOENT) return check_can_write_in(place, what);
    if (!file.is_open() && errno != ENXIO) throw_system_error(what); // a pipe that nobody reads yet is fine
    struct stat status {};
    const bool is_file = file.is_open() && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
    if (is_guarded && is_file && status.st_nlink > 1) throw_system_error(what + ", which is a link", EPERM);
}

void check_pidfile(const std::string& path, const FileGuard& guard) {
    if (path.empty()) return;
    const std::string what = "cannot create pidfile " + path;
    const HeldPath place = hold_path(path, guard.links, what);
    const auto status = status_at(place.directory.get(), place.name);
    if (status && S_ISDIR(status->st_mode)) throw_system_error(what, EISDIR);
    check_can_write_in(place, what);
}

void check_socket_path(const std::string& bind, const FileGuard& guard) {
    const BindAddress address = parse_bind(bind);
    if (address.kind != BindAddress::Kind::unix_path || address.is_abstract()) return;
    const std::string what = "cannot bind " + address.setting();
    const HeldPath place = hold_path(address.path, guard.links, what);
    const auto status = status_at(place.directory.get(), place.name);
    if (status && !S_ISSOCK(status->st_mode)) throw std::runtime_error(what + ": it exists and is not a socket");
    check_can_write_in(place, what);
}

void check_files(const Settings& settings) {
    check_log(settings.error_log.path, settings.error_log.guard);
    check_log(settings.access_log.path, settings.access_log.guard);
    check_pidfile(settings.pidfile, settings.guard);
    for (const auto& bind : settings.binds) check_socket_path(bind, settings.guard);
    if (!settings.status_bind.empty()) check_socket_path(settings.status_bind, settings.guard);
    if (!settings.control_socket.empty()) check_socket_path("unix:" + settings.control_socket, settings.guard);
    for (const auto& directory : settings.app_dirs) {
        struct stat status {};
        const std::string what = "cannot look for the app in --app-dir " + directory;
        check(::stat(directory.c_str(), &status), what);
        if (!S_ISDIR(status.st_mode)) throw_system_error(what, ENOTDIR);
    }
}

// The arbiter's loop once more.
void explain(Death death, int wait_status) {
    if (!is_crash(wait_status, death.crash)) return;
    PostMortems post_mortems([](pid_t, const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); });
    post_mortems.add(std::move(death), SteadyClock::now());
    for (;;) {
        post_mortems.supervise(SteadyClock::now());
        if (post_mortems.idle()) return;
        const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, post_mortems.reader_pid(), 0)));
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(post_mortems.due() - SteadyClock::now());
        pollfd entry{process.get(), POLLIN, 0};
        ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 10'000)));
        int status = 0;
        if (::waitpid(post_mortems.reader_pid(), &status, WNOHANG) != 0) post_mortems.reader_exited();
    }
}

} // namespace

int check_settings(LoadedSettings loaded) {
    const std::shared_ptr<Release> release = prepare_release(std::move(loaded));
    check_files(release->settings());
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
    explain(probe.death(status, 0), status);
    return exit_no_app;
}

} // namespace cppcorn
