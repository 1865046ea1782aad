#include "server/process/pidfile.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/system_call.hpp"
#include "base/unique_fd.hpp"

namespace cppcorn {
namespace {

// The pid in the file; 0 for no file, or one that holds no pid.
pid_t read_pid(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) return 0;
    char text[32];
    const auto size = ::read(file.get(), text, sizeof text);
    pid_t pid = 0;
    if (size > 0) std::from_chars(text, text + size, pid);
    return pid;
}

// One that has ended and only waits for its parent to notice does not count.
bool is_alive(pid_t pid) {
    if (pid <= 0) return false;
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process.is_open()) return ::kill(pid, 0) == 0 || errno == EPERM;
    pollfd ended{process.get(), POLLIN, 0};
    return ::poll(&ended, 1, 0) == 0;
}

void write_pid(const std::string& path) {
    const UniqueFd file(check(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644),
                              "cannot create pidfile " + path));
    const std::string text = std::to_string(::getpid()) + "\n";
    const auto written = check(::write(file.get(), text.data(), text.size()), "cannot write pidfile ", path);
    if (static_cast<std::size_t>(written) != text.size()) throw_system_error("cannot write pidfile " + path, ENOSPC);
}

} // namespace

Pidfile::Pidfile(const std::string& path) : path_(std::filesystem::absolute(path)) {
    const pid_t holder = read_pid(path_);
    if (holder != ::getpid() && is_alive(holder)) {
        throw std::runtime_error("already running (pid:" + std::to_string(holder) + "), says pidfile " + path_ +
                                 "; stop it, or remove the file if that is another program");
    }
    const std::string temporary = path_ + "." + std::to_string(::getpid()) + ".tmp";
    ::unlink(temporary.c_str());
    try {
        write_pid(temporary);
        check(::rename(temporary.c_str(), path_.c_str()), "cannot write pidfile ", path_);
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
}

Pidfile::~Pidfile() {
    if (read_pid(path_) == ::getpid()) ::unlink(path_.c_str());
}

void move_pidfile(std::unique_ptr<Pidfile>& file, const std::string& path) {
    try {
        if (path.empty()) {
            file.reset();
        } else if (!file || file->path() != path) {
            file = std::make_unique<Pidfile>(path);
        }
    } catch (const std::exception& error) {
        spdlog::error("{}", error.what());
    }
}

} // namespace cppcorn
