// Wakes a process that waits for descriptors, as a signal would, but breaks no system call off that its other code is
// in. It says that there is something to do, not what. Kept across a fork: either side rings, the other one waits.
#pragma once

#include <cstdint>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/server_fd.hpp"
#include "base/system_call.hpp"

namespace cppcorn {

class Bell {
  public:
    // One that nobody hears.
    Bell() = default;
    // One that was made in another process.
    explicit Bell(UniqueFd fd) : fd_(std::move(fd)) {}
    // Throws std::system_error.
    static Bell make() {
        return Bell(UniqueFd(check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "cannot make an eventfd")));
    }

    // Never blocks, however often it has rung unheard: it is an eventfd's count that grows.
    void ring() const {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto ignored = ::write(fd_.get(), &one, sizeof one);
    }
    // No longer readable, until it rings again.
    void silence() const {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto ignored = ::read(fd_.get(), &count, sizeof count);
    }
    // Readable once it has rung. For poll or epoll.
    int fd() const { return fd_.get(); }

  private:
    ServerFd fd_;
};

} // namespace cppcorn
