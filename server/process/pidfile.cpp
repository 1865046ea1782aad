#include "server/process/pidfile.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

constexpr int most_attempts = 100; // others make and remove it all the time
constexpr int pause_ms = 2;

// The pid in the file; 0 for one that holds no pid.
pid_t read_pid(int file) {
    char text[32];
    const auto size = ::pread(file, text, sizeof text, 0);
    pid_t pid = 0;
    if (size > 0) std::from_chars(text, text + size, pid);
    return pid;
}

UniqueFd open_present(int directory, const std::string& name) {
    const int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
    const int file = ::openat(directory, name.c_str(), O_RDWR | flags);
    // To lock it, NFS wants it open for writing; others are content with this.
    return UniqueFd(file >= 0 || errno == ENOENT ? file : ::openat(directory, name.c_str(), O_RDONLY | flags));
}

bool is_named(int directory, const std::string& name, int file) {
    struct stat open_file {};
    const auto named = status_at(directory, name);
    return named && ::fstat(file, &open_file) == 0 && named->st_dev == open_file.st_dev &&
           named->st_ino == open_file.st_ino;
}

// One that has ended and only waits for its parent to notice does not count.
bool is_alive(pid_t pid) {
    if (pid <= 0) return false;
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process.is_open()) return ::kill(pid, 0) == 0 || errno == EPERM;
    pollfd ended{process.get(), POLLIN, 0};
    return ::poll(&ended, 1, 0) == 0;
}

// A child that it was making when it died has the lock until it closes what it has of its parent.
bool lock_of_dead(int file) {
    for (int left = most_attempts; ::flock(file, LOCK_EX | LOCK_NB) != 0; --left) {
        if (errno != EWOULDBLOCK || left == 0) return false;
        const pid_t pid = read_pid(file);
        if (pid <= 0 || is_alive(pid)) return false;
        ::poll(nullptr, 0, pause_ms);
    }
    return true;
}

UniqueFd write_pid(int directory, const std::string& name, const std::string& path) {
    UniqueFd file(check(::openat(directory, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644),
                        "cannot create pidfile ", path));
    ::flock(file.get(), LOCK_EX | LOCK_NB); // where there are no locks, there is none
    const std::string text = std::to_string(::getpid()) + "\n";
    const auto written = check(::write(file.get(), text.data(), text.size()), "cannot write pidfile ", path);
    if (static_cast<std::size_t>(written) != text.size()) throw_system_error("cannot write pidfile " + path, ENOSPC);
    return file;
}

} // namespace

Pidfile::Pidfile(const std::string& path, Links links) : path_(std::filesystem::absolute(path)) {
    HeldPath place = hold_path(path_, links, "cannot create pidfile " + path_);
    directory_ = std::move(place.directory);
    name_ = std::move(place.name);
    const std::string temporary = name_ + "." + std::to_string(::getpid()) + ".tmp";
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        bool is_there = false;
        const UniqueFd present = hold_present(is_there);
        ::unlinkat(directory_.get(), temporary.c_str(), 0);
        try {
            file_ = write_pid(directory_.get(), temporary, path_);
            // Another one may have used the same temporary name: in a container of its own, it has the same pid.
            if (put_in_place(temporary, is_there) && is_named(directory_.get(), name_, file_.get())) return;
            file_.reset();
        } catch (...) {
            ::unlinkat(directory_.get(), temporary.c_str(), 0);
            throw;
        }
    }
    throw_system_error("cannot create pidfile " + path_, EEXIST);
}

// What has the name, locked by us until the new one is in its place: else two that start together would both find the
// old one free. Closed if there is nothing that could be locked.
UniqueFd Pidfile::hold_present(bool& is_there) const {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        UniqueFd file = open_present(directory_.get(), name_);
        is_there = file.is_open() || errno != ENOENT;
        if (!file.is_open()) return {};
        if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            throw std::runtime_error("already running (pid:" + std::to_string(read_pid(file.get())) +
                                     "), says pidfile " + path_);
        }
        if (is_named(directory_.get(), name_, file.get())) return file;
    }
    return {};
}

// False if there is one meanwhile.
bool Pidfile::put_in_place(const std::string& temporary, bool is_there) const {
    const int directory = directory_.get();
    if (!is_there) {
        const int result = ::linkat(directory, temporary.c_str(), directory, name_.c_str(), 0);
        const int error = errno;
        if (result == 0 || error == EEXIST) {
            ::unlinkat(directory, temporary.c_str(), 0);
            return result == 0;
        }
        // Some file systems have no links.
    }
    check(::renameat(directory, temporary.c_str(), directory, name_.c_str()), "cannot write pidfile ", path_);
    return true;
}

bool Pidfile::is_gone() const {
    struct stat status {};
    return ::lstat(path_.c_str(), &status) != 0;
}

Pidfile::~Pidfile() {
    const bool is_ours = is_named(directory_.get(), name_, file_.get()) && read_pid(file_.get()) == ::getpid();
    if (is_ours) ::unlinkat(directory_.get(), name_.c_str(), 0);
}

void move_pidfile(std::unique_ptr<Pidfile>& file, const std::string& path, Links links) {
    try {
        if (path.empty()) {
            file.reset();
        } else if (!file || file->path() != path || file->is_gone()) {
            file = std::make_unique<Pidfile>(path, links);
        }
    } catch (const std::exception& error) {
        spdlog::error("{}", error.what());
    }
}

void remove_left_over_pidfile(const std::string& path, Links links) {
    try {
        const HeldPath place = hold_path(path, links, path);
        const UniqueFd file = open_present(place.directory.get(), place.name);
        if (!file.is_open() || !lock_of_dead(file.get())) return;
        const pid_t pid = read_pid(file.get());
        if (pid > 0 && !is_alive(pid)) ::unlinkat(place.directory.get(), place.name.c_str(), 0);
    } catch (const std::system_error&) {
        return; // there is no such directory
    }
}

} // namespace cppcorn
