// A descriptor that this program has opened for itself, and that a fork has to decide about: the child closes those
// that it is not to keep. Others are none of our business: what whoever started us has passed on for the app, what an
// app that was loaded before the fork has opened (--preload), and what libraries keep (syslog, name services), which would
// be shattered by a descriptor that is closed behind their backs.
#pragma once

#include <span>
#include <utility>

#include "base/unique_fd.hpp"

namespace cppcorn {

// As UniqueFd, and known to close_server_fds() for as long as it is open. For what lives as long as a fork may come;
// sockets of clients and files that are read at once need none.
class ServerFd {
  public:
    ServerFd() = default;
    explicit ServerFd(int fd) { reset(fd); }
    ServerFd(UniqueFd fd) { reset(fd.release()); }
    ServerFd(ServerFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    ServerFd& operator=(ServerFd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    ServerFd(const ServerFd&) = delete;
    ServerFd& operator=(const ServerFd&) = delete;
    ~ServerFd() { reset(); }

    int get() const { return fd_; }
    bool is_open() const { return fd_ >= 0; }
    void reset(int fd = -1);
    // From now on it is like any other.
    UniqueFd take();

  private:
    int fd_ = -1;
};

// In a fresh child: closes all of them but `kept`. Their owners, copies of the parent's, do not close them again.
// Async-signal-safe.
void close_server_fds(std::span<const int> kept);

// The same for a child in which our code may yet use their numbers: in the place of each there is a socket whose other
// end is closed, so that nothing else can get that number, and what is written to it is refused. Without a descriptor
// for that, they are closed. Async-signal-safe.
void cut_off_server_fds(std::span<const int> kept);

} // namespace cppcorn
