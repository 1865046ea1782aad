// The kernel's list of descriptors that a loop waits for, each with a tag that says what it is.
#pragma once

#include <cstdint>
#include <vector>

#include <sys/epoll.h>

#include "base/server_fd.hpp"
#include "base/system_call.hpp"

namespace cppcorn {

// Not valid across a fork: both processes would change one list.
class Epoll {
  public:
    // Up to `events_at_once` are told in one wait. Throws std::system_error, as the other calls do.
    explicit Epoll(int events_at_once)
        : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "cannot make an epoll")),
          events_(static_cast<std::size_t>(events_at_once)) {}

    void add(int fd, std::uint32_t interest, std::uint64_t tag) { control(EPOLL_CTL_ADD, fd, interest, tag); }
    void change(int fd, std::uint32_t interest, std::uint64_t tag) { control(EPOLL_CTL_MOD, fd, interest, tag); }
    // The interest in it, if it is in the list at all, is this.
    void watch_again(int fd, std::uint32_t interest, std::uint64_t tag) {
        epoll_event event{};
        event.events = interest;
        event.data.u64 = tag;
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    }
    void remove(int fd) { control(EPOLL_CTL_DEL, fd, 0, 0); }

    // Waits, at most so long (-1: for ever); what is ready is told by tag(0) to tag(count - 1). 0 after a signal, too.
    int wait(int timeout_ms) {
        const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
        if (count < 0 && errno != EINTR) throw_system_error("cannot wait for descriptors");
        return count < 0 ? 0 : count;
    }
    std::uint64_t tag(int index) const { return events_[static_cast<std::size_t>(index)].data.u64; }

    int fd() const { return epoll_.get(); }

  private:
    void control(int operation, int fd, std::uint32_t interest, std::uint64_t tag) {
        epoll_event event{};
        event.events = interest;
        event.data.u64 = tag;
        check(::epoll_ctl(epoll_.get(), operation, fd, &event), "cannot watch a descriptor");
    }

    ServerFd epoll_;
    std::vector<epoll_event> events_;
};

} // namespace cppcorn
