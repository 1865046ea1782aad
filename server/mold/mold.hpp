// A mold, as the master has it: a child that has loaded a release's app, and that the release's workers are forked
// from.
//
// A release owns its mold. The destructor lets it go: it ends by itself, unless it is stuck.
#pragma once

#include <optional>

#include <sys/types.h>

#include "base/crash_record.hpp"
#include "base/server_fd.hpp"
#include "base/shared_array.hpp"
#include "server/mold/mold_post.hpp"
#include "server/post_mortem/death.hpp"
#include "server/process/identity.hpp"

namespace cppcorn {

class Mold {
  public:
    // A process that has said MoldNotice::loaded on this post. `crash` is where it leaves what a crash leaves.
    Mold(pid_t pid, ServerFd post, SharedArray<CrashRecord> crash, std::optional<Identity> identity);
    Mold(const Mold&) = delete;
    Mold& operator=(const Mold&) = delete;

    pid_t pid() const { return pid_; } // 0: it has ended

    // Waits for a worker in that slot: a child of this process. Throws std::system_error if there can be none. A mold
    // that does not answer within a few seconds is killed.
    pid_t fork_worker(int slot, int bell, int understudy_bell);
    // change_log or reopen_logs.
    void tell(MoldOrder::Kind order) const;

    // It was waited for: what a report of a crash tells of it.
    Death exited(int wait_status, long peak_kib);

  private:
    pid_t kill_and_look_again();

    pid_t pid_;
    ServerFd post_;
    SharedArray<CrashRecord> crash_;
    std::optional<Identity> identity_;
};

} // namespace cppcorn
