// What ties a worker to its master, besides signals and the scoreboard: one pipe to tell it things, and one whose end
// tells that the master is no more.
#pragma once

#include <cstdint>

#include <unistd.h>

#include "base/unique_fd.hpp"

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
    MasterLink(UniqueFd notices, UniqueFd leash) : notices_(std::move(notices)), leash_(std::move(leash)) {}

    void tell(Notice::Kind kind) {
        Notice notice;
        notice.kind = kind;
        notice.pid = ::getpid();
        // A master that cannot be told is gone or going, and the leash says so.
        [[maybe_unused]] const auto ignored = ::write(notices_.get(), &notice, sizeof notice);
    }

    // Readable (end of file) once the master is gone.
    int leash_fd() const { return leash_.get(); }

  private:
    UniqueFd notices_;
    UniqueFd leash_;
};

} // namespace cppcorn
