// The master: forks, signals and waits. What is to be done is decided by three objects that do nothing themselves:
// MasterLife about signals, WorkerTable about workers, Rollout about releases (within Deployment). The arbiter tells
// them what has happened and carries out what they answer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/signal_inbox.hpp"
#include "server/exit_codes.hpp"
#include "server/post_mortem/post_mortems.hpp"
#include "server/process/child.hpp"
#include "server/process/daemon.hpp"
#include "server/process/process_title.hpp"
#include "server/process/service_manager.hpp"
#include "server/release/deployment.hpp"
#include "server/release/start_context.hpp"
#include "server/release/upgrade.hpp"
#include "server/supervision/loop_watch.hpp"
#include "server/supervision/master_state.hpp"
#include "server/supervision/oom_kills.hpp"
#include "server/supervision/scoreboard.hpp"
#include "server/supervision/stand_in.hpp"
#include "server/supervision/suspension.hpp"
#include "server/supervision/worker_table.hpp"

namespace cppcorn {

class Arbiter {
  public:
    // What the process is to the world around it. All of it outlives the arbiter.
    struct Surroundings {
        const StartContext& start;
        ServiceManager& service_manager;
        Daemon& daemon;
        ProcessTitle& title;
    };

    // `predecessor`: the master that this one is to replace, if there is one.
    Arbiter(std::shared_ptr<Release> release, std::optional<Predecessor> predecessor, Surroundings surroundings);

    // Serves until it is told to stop, or cannot go on. Returns the exit code of the program.
    int run();

  private:
    void start();
    bool finished() const;
    bool service_has_ended() const;
    void shut_down();

    // The loop's steps.
    void attempt(void (Arbiter::*step)());
    void reap();
    void supervise();
    void watch_loops(SteadyTime now);
    void wait();
    void read_notices();
    void handle_signals();

    // What a signal asks for.
    void handle(const MasterSignalRow& signal, unsigned count);
    void begin_delay();
    void begin_reload();
    void log_end_of_reload(SteadyTime now);
    void change_workers(const MasterSignalRow& signal, int change);
    void reopen_logs();
    void begin_upgrade();
    void stop(StopKind kind);

    // Workers.
    void settle(const Deployment::Outcomes& outcomes);
    void apply_policy();
    void forget_unused_releases();
    void supervise_stand_in(SteadyTime now);
    void start_stand_in(SteadyTime now);
    bool spawn(int slot, SteadyTime now);
    void send(const SignalCommand& command);
    void worker_ready(pid_t pid);
    void worker_exited(pid_t pid, int wait_status, long peak_kib);
    void probe_exited(int wait_status, long peak_kib);

    // The masters before and after this one.
    void successor_exited(int wait_status);
    void become_the_master();

    void report(ServiceManager::State state);
    std::optional<SteadyTime> next_wake(SteadyTime now) const;
    WorkerTable::RequestDeadline request_deadline() const;
    const Release& release() const { return deployment_.current(); }
    const Settings& settings() const { return release().settings(); }

    static constexpr int most_processes = 1024; // old and new workers together
    static constexpr int stand_in_slot = most_processes;

    Surroundings around_;
    SignalInbox signals_;
    MasterPipes pipes_;
    Scoreboard scoreboard_;

    MasterLife life_{exit_clean};
    WorkerTable table_;
    LoopWatch loops_;
    StandIn stand_in_;
    Upgrade upgrade_;
    Deployment deployment_;

    // A reload that is under way, for the log: since when, and which generation it replaces.
    struct ReloadStart {
        SteadyTime time;
        unsigned generation;
    };
    std::optional<ReloadStart> reload_start_;

    PostMortems post_mortems_;
    OomKills oom_kills_;
    Suspension suspension_;
    int start_failure_ = exit_no_worker; // why the last worker that could not start could not
    std::string last_failure_;           // and how it ended, for the log
    bool fork_failing_ = false;          // and that was logged
};

} // namespace cppcorn
