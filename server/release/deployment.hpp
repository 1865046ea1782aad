// Brings releases into use in this process: carries out what Rollout decides, and lets the pidfile and the watched
// files follow. What that means for the workers is left to the caller, who gets the outcomes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "server/process/pidfile.hpp"
#include "server/process/process_title.hpp"
#include "server/release/app_probe.hpp"
#include "server/release/app_watch.hpp"
#include "server/release/bind_retry.hpp"
#include "server/release/molds.hpp"
#include "server/release/rollout.hpp"
#include "server/release/start_context.hpp"
#include "server/release/upgrade.hpp"

namespace cppcorn {

class Deployment {
  public:
    enum class Outcome {
        adopted,     // a release is in use: workers of the newest generation are to be started
        kept,        // a reload has failed: all stays as it was
        rolled_back, // the release before is in use again
        gave_up,     // nothing can be served; failure() has the exit code
    };
    using Outcomes = std::vector<Outcome>; // in the order in which they came about

    // All references outlive it.
    Deployment(std::shared_ptr<Release> first, const StartContext& start, const Upgrade& upgrade, ProcessTitle& title);

    // Writes the pidfile and begins to bind and try the first release, whose listeners are those that were inherited.
    // Throws as Pidfile and AppProbe do.
    Outcomes start();
    // Once the one that is being tried is through, if there is one.
    Outcomes reload();
    // The newest workers cannot start; `exit_code` is the one for that, if there is nothing to go back to.
    Outcomes workers_cannot_start(int exit_code);
    // A worker of the newest generation is ready.
    void settled() {
        rollout_.settled();
        first_worker_tries_ = false;
    }
    // The app that is in use was not tried: the first worker does that, and the others are to wait for it. An interpreter
    // takes long to import an app, and a probe would have to do it once more before anybody is served.
    bool first_worker_tries() const { return first_worker_tries_; }
    // The service ends.
    void stop();

    // The process that tries a release; 0 if there is none.
    pid_t probe_pid() const { return probe_ ? probe_->pid() : 0; }
    const AppProbe* probe() const { return probe_ ? &*probe_ : nullptr; }
    Outcomes probe_exited(int wait_status);
    // Readable: supervise() has something to do. -1: there is nothing to read.
    int probe_fd() const { return probe_ ? probe_->post_fd() : -1; }
    // Hears of a probe that has become a mold; kills one that takes too long; binds again what could not be bound (--bind-retry).
    Outcomes supervise(SteadyTime now);

    // --preload: what workers are forked from.
    Molds& molds() { return molds_; }
    const Molds& molds() const { return molds_; }
    Death mold_exited(pid_t pid, int wait_status, long peak_kib) {
        return molds_.exited(pid, wait_status, peak_kib, rollout_.releases(), SteadyClock::now());
    }
    // Workers of current() can be started.
    bool can_spawn() const { return !current().settings().preload || current().mold != nullptr; }

    // --reload: the file that has changed.
    std::optional<std::string> changed_file(SteadyTime now) { return watch_.changed(now); }
    int watch_fd() const { return watch_.fd(); } // readable: take_changes(); -1: nothing is watched
    void take_changes(SteadyTime now) { watch_.take_changes(now); }

    // A worker is about to be started from current(): the build that it runs is there, and that the files on disk are
    // another one is logged, once for each change.
    void before_spawn();

    // When supervise() or changed_file() is due; SteadyTime::max() for never.
    SteadyTime due() const;

    const Release& current() const { return *rollout_.current(); }
    Rollout& rollout() { return rollout_; }
    const Rollout& rollout() const { return rollout_; }
    int failure() const { return failure_; }
    // Why the last reload that has failed did, in one line.
    const std::string& reload_failure() const { return reload_failure_; }

    // Opens the access logs anew, those of the releases that only old workers run too.
    void reopen_access_logs();
    // The pidfile is at the place where this master's belongs now.
    void update_pidfile();
    // Of a new master that has crashed.
    void remove_successors_pidfile();

  private:
    Outcomes carry_out(const Rollout::Commands& commands);
    Outcomes bind();
    bool may_be_tried_by_worker() const;
    Outcomes try_candidate();
    void fix_candidate();
    Outcomes adopt();
    Outcomes keep();
    Outcomes roll_back();
    Outcomes try_to_bind();
    Outcomes mold_loaded();
    std::shared_ptr<Release> in_use() const;
    void listen_first();
    Outcomes reject(const std::string& reason, int exit_code);
    void follow_settings();
    void return_to_current();
    std::string pidfile_path() const;

    const StartContext& start_;
    const Upgrade& upgrade_;
    ProcessTitle& title_;
    Rollout rollout_;
    BindRetry bind_retry_;
    std::optional<AppProbe> probe_; // tries the rollout's candidate
    Molds molds_;
    std::unique_ptr<Pidfile> pidfile_;
    AppWatch watch_;
    int failure_ = 0;
    std::string reload_failure_;
    bool is_stopped_ = false;
    bool first_worker_tries_ = false;
};

} // namespace cppcorn
