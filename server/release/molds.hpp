// The molds that there are, and another one in the place of one that has ended though its release is in use: made from
// that release, which is tried again, with pauses, until it succeeds. Meanwhile workers serve on, and none is started.
//
// The deployment's. It owns the process that becomes another mold, and waits for none: it is told of each end.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "server/post_mortem/death.hpp"
#include "server/process/process_title.hpp"
#include "server/release/app_probe.hpp"
#include "server/release/mold_pace.hpp"
#include "server/release/mold_process.hpp"
#include "server/release/release.hpp"

namespace cppcorn {

class Molds {
  public:
    explicit Molds(ProcessTitle& title) : title_(title) {}

    // How workers are made in molds; before the first is.
    void use(MoldPlan plan) { plan_ = std::move(plan); }
    // For the probe of that release; null if it is to have no mold.
    const MoldPlan* plan_of(const Release& release) const { return release.settings().preload ? &plan_ : nullptr; }

    // The probe has loaded the app, and is that release's mold from now on.
    void settle(Release& release, AppProbe& probe);
    // Of a release that is wanted no more.
    void let_go(AppProbe& probe) { known_[probe.pid()] = {probe.take_mold(), probe.began()}; }
    // To one that is on its way; others are told by the release that they are of.
    void tell(MoldOrder::Kind order) const {
        if (probe_) probe_->tell(order);
    }

    // It is a mold, or is to become one in the place of another.
    bool knows(pid_t pid) const { return known_.count(pid) != 0 || (probe_ && probe_->pid() == pid); }
    // Such a child has ended. `releases`: those whose mold it may be. What a report of a crash tells of it.
    Death exited(pid_t pid, int wait_status, long peak_kib, const std::vector<std::shared_ptr<Release>>& releases,
                 SteadyTime now);

    // Ends those that were let go and are stuck. `release`: the one in use. Null: none is to be made.
    void supervise(const std::shared_ptr<Release>& release, SteadyTime now);
    int probe_fd() const { return probe_ ? probe_->post_fd() : -1; } // readable: supervise(); -1: there is none
    // When supervise() is due if nothing happens before; SteadyTime::max() for never.
    SteadyTime due() const;

    // The last one could not be made anew.
    bool have_failed() const { return pace_.has_failed(); }
    // Each has ended.
    bool empty() const { return known_.empty() && !probe_; }

  private:
    void start(SteadyTime now);
    void failed(const std::string& reason, SteadyTime now);

    ProcessTitle& title_;
    MoldPlan plan_;
    struct Known {
        std::weak_ptr<Mold> mold; // null: it was let go
        SteadyTime since;
        SteadyTime kill_at = SteadyTime::max();
    };

    void end_those_that_were_let_go(SteadyTime now);

    std::map<pid_t, Known> known_; // those that were not waited for yet

    std::shared_ptr<Release> lacking_; // the release in use, if it lacks a mold
    std::optional<AppProbe> probe_;    // becomes its mold
    std::weak_ptr<Release> paced_;     // whose molds' troubles that counts
    MoldPace pace_;
};

} // namespace cppcorn
