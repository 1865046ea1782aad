// What ties a worker to its master, besides the scoreboard: a pipe to tell it things, a bell by which it tells that it
// asks for something (what, is in the scoreboard), and a pipe whose end tells that the master is no more.
#pragma once

#include <cstdint>
#include <utility>

#include <unistd.h>

#include "base/bell.hpp"
#include "base/server_fd.hpp"

namespace cppcorn {

// One message on the workers' common pipe; small enough that the kernel never mixes two.
struct Notice {
    static constexpr std::uint32_t current_version = 1;
    enum Kind : std::uint32_t { ready = 1, wants_replacement = 2 };

    std::uint32_t version = current_version;
    Kind kind = ready;
    std::int32_t pid = 0;
};

class MasterLink {
  public:
    // `leash` is the read end of a pipe whose only write end is the master's.
    MasterLink(UniqueFd notices, UniqueFd leash, Bell bell)
        : notices_(std::move(notices)), leash_(std::move(leash)), bell_(std::move(bell)) {}

    void tell(Notice::Kind kind) {
        Notice notice;
        notice.kind = kind;
        notice.pid = ::getpid();
        // A master that cannot be told is gone or going, and the leash says so.
        [[maybe_unused]] const auto ignored = ::write(notices_.get(), &notice, sizeof notice);
    }

    // Readable (end of file) once the master is gone.
    int leash_fd() const { return leash_.get(); }
    // Rings when the master asks for something.
    const Bell& bell() const { return bell_; }

  private:
    ServerFd notices_;
    ServerFd leash_;
    Bell bell_;
};

} // namespace cppcorn
