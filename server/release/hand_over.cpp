#include "server/release/hand_over.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "base/signals.hpp"
#include "base/system_call.hpp"
#include "server/process/child.hpp"
#include "server/process/environment.hpp"
#include "server/release/passed_queue.hpp"

namespace cppcorn {
namespace {

constexpr int first_activated = 3; // systemd's SD_LISTEN_FDS_START
constexpr int most_listeners = 1024;
constexpr const char* upgrade_variable = "CPPCORN_UPGRADE";
constexpr const char* upgrade_version = "1 ";
constexpr const char* status_variable = "CPPCORN_STATUS";
constexpr std::string_view listener_prefix = "CPPCORN_LISTENER_";

template <class Number>
bool read_number(std::string_view text, Number& number) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    return result.ec == std::errc{} && result.ptr == text.data() + text.size();
}

// The listeners' variables, by descriptor.
std::map<int, std::string> take_listener_variables() {
    std::map<int, std::string> found;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        const auto equals = text.find('=');
        if (text.substr(0, listener_prefix.size()) != listener_prefix || equals == std::string_view::npos) continue;
        int fd = -1;
        if (!read_number(text.substr(listener_prefix.size(), equals - listener_prefix.size()), fd)) continue;
        found.emplace(fd, text.substr(equals + 1));
    }
    for (const auto& [fd, bind] : found) ::unsetenv((std::string(listener_prefix) + std::to_string(fd)).c_str());
    return found;
}

// For a predecessor that has ended already, nullopt.
std::optional<Predecessor> watch_predecessor(pid_t pid) {
    Predecessor predecessor{pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
    // A process of that number that is not our parent is another one.
    if (!predecessor.process.is_open() || ::getppid() != pid) return {};
    return predecessor;
}

// Not open where there is none: the old master is one that knows of no status process.
ServerFd own_pipe(const std::string& text) {
    int fd = -1;
    struct stat status {};
    const bool is_pipe = read_number(std::string_view(text), fd) && fd > STDERR_FILENO && ::fstat(fd, &status) == 0 &&
                         S_ISFIFO(status.st_mode);
    if (!is_pipe) return ServerFd();
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    return ServerFd(fd);
}

// "<number of the unix socket's file> <bind>"
InheritedSocket parse_listener(int fd, const std::string& value) {
    const auto space = value.find(' ');
    std::uint64_t file_number = 0;
    if (space == std::string::npos || !read_number(std::string_view(value).substr(0, space), file_number)) {
        throw std::runtime_error(std::string(listener_prefix) + std::to_string(fd) + "='" + value +
                                 "' is not understood");
    }
    return {parse_bind(value.substr(space + 1)), UniqueFd(fd), file_number};
}

// `count` is of systemd's making when the pid is ours, and of our predecessor's in an upgrade.
std::vector<std::string> activated_binds(const std::string& count_text) {
    int count = 0;
    if (!read_number(std::string_view(count_text), count) || count < 0 || count > most_listeners) {
        throw std::runtime_error("LISTEN_FDS: '" + count_text + "' is not a number of sockets");
    }
    std::vector<std::string> binds;
    for (int fd = first_activated; fd < first_activated + count; ++fd) binds.push_back("fd://" + std::to_string(fd));
    return binds;
}

// What was meant for the process that is to be replaced.
bool is_of_one_process(std::string_view variable) {
    const std::string_view name = variable.substr(0, variable.find('='));
    const bool is_listener = name.substr(0, listener_prefix.size()) == listener_prefix;
    return is_listener || name == upgrade_variable || name == connections_variable || name == status_variable ||
           name == "LISTEN_PID" || name == "LISTEN_FDS" || name == "LISTEN_FDNAMES" || name == "LISTEN_PIDFDID" ||
           name == "WATCHDOG_PID";
}

// Of the same, under a number that does not close on exec.
int pass_on(int fd) {
    return check(::fcntl(fd, F_DUPFD, first_activated), "cannot pass on a socket");
}

// In the child. What it passes on is open under the numbers that the variables say.
std::vector<std::string> environment_for(const StartContext& start, const Legacy& legacy, pid_t master) {
    std::vector<std::string> environment;
    for (const auto& variable : start.environment()) {
        if (!is_of_one_process(variable)) environment.push_back(variable);
    }
    environment.push_back(upgrade_variable + ("=" + (upgrade_version + std::to_string(master))));
    if (start.has_binds()) environment.push_back("LISTEN_FDS=" + std::to_string(legacy.listeners.size()));
    for (const auto* listeners : {&legacy.listeners, &legacy.status_listeners}) {
        for (const auto& listener : *listeners) {
            const int fd = pass_on(listener->for_worker().fd);
            environment.push_back(std::string(listener_prefix) + std::to_string(fd) + "=" +
                                  std::to_string(listener->file_number()) + " " + listener->address().setting());
        }
    }
    if (legacy.status_news >= 0) {
        environment.push_back(status_variable + ("=" + std::to_string(pass_on(legacy.status_news))));
    }
    environment.push_back(connections_variable +
                          ("=" + offer_of_queue(pass_on(legacy.queue.take_fd()), pass_on(legacy.queue.put_fd()),
                                                pass_on(legacy.answer))));
    return environment;
}

// Runs in the child, with all signals blocked. Throws if the program cannot be run; else it never returns.
int run_program(const StartContext& start, const Legacy& legacy, pid_t master, bool to_error_log) {
    std::vector<std::string> environment = environment_for(start, legacy, master);
    std::vector<char*> arguments;
    for (const auto& argument : start.command()) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    std::vector<char*> variables;
    for (auto& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    start.enter_directory();
    ::umask(start.umask());
    // A daemon's stderr leads nowhere, and why it could not start is worth knowing.
    if (to_error_log) check(::dup2(error_log_fd(), STDERR_FILENO), "cannot pass on the error log");
    unblock_all_signals();
    // execvpe() would give a file that is no program to the shell.
    const bool is_path = start.command().front().find('/') != std::string::npos;
    (is_path ? ::execve : ::execvpe)(arguments[0], arguments.data(), variables.data());
    throw_system_error("cannot run " + start.command().front());
}

} // namespace

Inheritance take_inheritance() {
    Inheritance inheritance;
    const std::string listen_pid = take_variable("LISTEN_PID");
    const std::string listen_fds = take_variable("LISTEN_FDS");
    take_variable("LISTEN_FDNAMES");
    const std::string upgrade = take_variable(upgrade_variable);
    const std::string queue = take_variable(connections_variable);
    const std::string status_news = take_variable(status_variable);
    const auto listeners = take_listener_variables();
    inheritance.is_upgrade = !upgrade.empty();
    if (!listen_fds.empty() && (inheritance.is_upgrade || listen_pid == std::to_string(::getpid()))) {
        inheritance.activated_binds = activated_binds(listen_fds);
    }
    if (!inheritance.is_upgrade) return inheritance;

    pid_t pid = 0;
    const std::string_view text = upgrade;
    const std::string_view version = upgrade_version;
    if (text.substr(0, version.size()) != version || !read_number(text.substr(version.size()), pid)) {
        throw std::runtime_error(std::string(upgrade_variable) + "='" + upgrade +
                                 "' is not understood: the old master is of another version; stop it, then start anew");
    }
    inheritance.predecessor = watch_predecessor(pid);
    if (inheritance.predecessor) inheritance.predecessor->status_news = own_pipe(status_news);
    inheritance.queue = queue;
    for (const auto& [fd, value] : listeners) inheritance.sockets.push_back(parse_listener(fd, value));
    return inheritance;
}

Listeners open_inherited(Inheritance& inheritance, Links links) {
    Listeners listeners;
    for (auto& [address, socket, file_number] : inheritance.sockets) {
        listeners.push_back(std::make_shared<Listener>(address, std::move(socket), file_number, links));
        listeners.back()->own_file(!inheritance.predecessor);
    }
    inheritance.sockets.clear();
    return listeners;
}

pid_t start_successor(const StartContext& start, const Legacy& legacy, bool to_error_log) {
    ChildPlan plan{
        ChildRole::successor,
        "",
        {},
        {start.directory_fd(), legacy.queue.take_fd(), legacy.queue.put_fd(), legacy.answer, legacy.status_news}};
    for (const auto* listeners : {&legacy.listeners, &legacy.status_listeners}) {
        for (const auto& listener : *listeners) plan.keeps.push_back(listener->for_worker().fd);
    }
    const pid_t master = ::getpid();
    return fork_child(plan, nullptr, [&] { return run_program(start, legacy, master, to_error_log); });
}

} // namespace cppcorn
