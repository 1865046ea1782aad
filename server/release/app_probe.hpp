// A short-lived child that loads the app once, so that an app that cannot be loaded, or crashes while it is, is one
// clear message and harms nobody. The master never maps app code itself (unless --preload).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/crash_record.hpp"
#include "base/shared_array.hpp"
#include "server/post_mortem/death.hpp"
#include "server/process/child.hpp"
#include "server/release/release.hpp"

namespace cppcorn {

class AppProbe {
  public:
    // Starts it, in a child that has a copy of the release; nothing of it is kept here. `title` is this process's,
    // which the child changes for itself; it may be null. Throws std::system_error if there can be no child.
    AppProbe(const Release& release, ProcessTitle* title, SteadyTime now);

    pid_t pid() const { return pid_; }
    SteadyTime deadline() const { return deadline_; } // kill() is due
    void kill();

    // Once the child was waited for: what a report of a crash tells of it.
    Death death(int wait_status, long peak_kib) const;

    // Once the child was waited for: what is wrong with the app; nullopt if it loads.
    std::optional<std::string> fault(int wait_status);

  private:
    std::string app_spec_;
    std::optional<Identity> identity_;
    ServerFd message_;
    SharedArray<CrashRecord> crash_{1};
    pid_t pid_ = 0;
    SteadyTime deadline_;
    bool killed_ = false;
};

} // namespace cppcorn
