// A child that loads the app once, so that an app that cannot be loaded, or crashes while it is, is one clear message
// and harms nobody. The master never maps app code itself. The child is a short-lived one, or stays as the release's mold.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/crash_record.hpp"
#include "base/shared_array.hpp"
#include "server/mold/mold.hpp"
#include "server/post_mortem/death.hpp"
#include "server/process/child.hpp"
#include "server/release/mold_process.hpp"
#include "server/release/release.hpp"

namespace cppcorn {

class AppProbe {
  public:
    // Starts it, in a child that has a copy of the release; nothing of it is kept here. `title` is this process's,
    // which the child changes for itself; it may be null. Throws std::system_error if there can be no child.
    // With `mold`, which outlives it, a child that has loaded the app stays, and has_loaded() says that it is there.
    AppProbe(const Release& release, ProcessTitle* title, SteadyTime now, const MoldPlan* mold = nullptr);

    pid_t pid() const { return pid_; }
    SteadyTime deadline() const { return deadline_; } // kill() is due
    void kill();

    // Readable: has_loaded() may have changed. -1 without a mold.
    int post_fd() const { return post_.get(); }
    bool has_loaded();
    // Once it has loaded the app, it does so.
    void tell(MoldOrder::Kind order) const {
        if (post_.is_open()) send_order(post_.get(), order);
    }
    // Once it has. The probe is over.
    std::shared_ptr<Mold> take_mold();
    SteadyTime began() const { return began_; }

    // Once the child was waited for: what a report of a crash tells of it.
    Death death(int wait_status, long peak_kib) const;

    // Once the app is loaded, or the child was waited for: the files that the app has asked to be watched.
    std::vector<std::string> watched() const;

    // Once the child was waited for: what is wrong with the app; nullopt if it loads.
    std::optional<std::string> fault(int wait_status);

  private:
    void start(const Release& release, ProcessTitle* title, const MoldPlan* mold);

    std::string app_spec_;
    std::optional<Identity> identity_;
    ServerFd message_;
    ServerFd watched_; // a file in memory that the child writes; not open without --reload
    SharedArray<CrashRecord> crash_{1};
    ServerFd post_; // the master's end; not open without a mold
    pid_t pid_ = 0;
    SteadyTime began_;
    SteadyTime deadline_;
    bool killed_ = false;
    bool becomes_mold_;
};

} // namespace cppcorn
