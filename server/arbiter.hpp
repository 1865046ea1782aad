// The master's loop: waits for signals, notices, deadlines and the ends of children, and passes each on to the object
// whose it is: MasterLife (what a signal is to do), Deployment (releases), Workforce (workers and the stand-in), Upgrade
// (the masters before and after), PostMortems, Steering (what is ordered at the control socket). What one of them answers and others have to follow, it tells those.
//
// There is one, in main(), for the life of the process. It owns these objects, and is the only one that waits for
// children. No child returns into it. The constructor throws std::system_error if descriptors or memory are missing, and
// run() what the first start throws (Deployment::start()); later errors are logged, and the loop goes on.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/signal_inbox.hpp"
#include "server/control/steering.hpp"
#include "server/post_mortem/post_mortems.hpp"
#include "server/process/daemon.hpp"
#include "server/process/exit_codes.hpp"
#include "server/process/process_title.hpp"
#include "server/process/service_manager.hpp"
#include "server/release/deployment.hpp"
#include "server/release/start_context.hpp"
#include "server/release/upgrade.hpp"
#include "server/supervision/master_state.hpp"
#include "server/supervision/worker_table.hpp"
#include "server/supervision/workforce.hpp"

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

    // `predecessor`: the master that this one is to replace, if there is one. `queue`: of connections, among all workers.
    Arbiter(std::shared_ptr<Release> release, std::optional<Predecessor> predecessor, MoveQueue queue,
            Surroundings surroundings);

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
    void wait();
    void read_notices();
    void handle_signals();
    void take_orders();

    // What a signal asks for.
    void handle(const MasterSignalRow& signal, unsigned count);
    // What orders ask for, too. `signal`: by which it was asked for; 0: by none.
    void act(MasterAction action, const std::string& cause, int signal);
    void begin_delay(const std::string& cause);
    void begin_reload();
    void change_workers(const MasterSignalRow& signal, int change);
    void reopen_logs();
    void begin_upgrade();
    void stop(StopKind kind);

    // What releases come to.
    void settle(const Deployment::Outcomes& outcomes);
    void apply_policy();
    void probe_exited(int wait_status, long peak_kib);
    void mold_exited(pid_t pid, int wait_status, long peak_kib);
    bool newest_cannot_start() const;

    // The masters before and after this one.
    void successor_exited(int wait_status);
    void become_the_master();

    void report(ServiceManager::State state);
    std::optional<SteadyTime> next_wake(SteadyTime now) const;
    const Release& release() const { return deployment_.current(); }
    const Settings& settings() const { return release().settings(); }

    Surroundings around_;
    SignalInbox signals_;
    MasterLife life_{exit_clean};
    Upgrade upgrade_;
    Deployment deployment_;
    PostMortems post_mortems_;
    Workforce workforce_;
    Steering steering_;
};

} // namespace cppcorn
