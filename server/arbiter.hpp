// The master: the only place that forks, signals and waits. What is to be done about the workers is decided by
// WorkerTable; the arbiter tells it what happened and carries out what it answers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/signal_inbox.hpp"
#include "server/exit_codes.hpp"
#include "server/process/child.hpp"
#include "server/process/daemon.hpp"
#include "server/process/file_watch.hpp"
#include "server/process/pidfile.hpp"
#include "server/process/process_title.hpp"
#include "server/process/service_manager.hpp"
#include "server/release/app_probe.hpp"
#include "server/release/hand_over.hpp"
#include "server/release/release.hpp"
#include "server/release/start_context.hpp"
#include "server/supervision/scoreboard.hpp"
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
    using Time = std::chrono::steady_clock::time_point;

    void start();
    bool finished() const;
    void shut_down();

    // The loop's steps.
    void reap();
    void supervise();
    void wait();
    void handle_signals();
    void read_notices();

    // One a signal.
    void handle_term();
    void handle_int_or_quit(int signal);
    void handle_hup();
    void handle_ttin(unsigned count);
    void handle_ttou(unsigned count);
    void handle_usr1();
    void handle_usr2();
    void handle_winch();

    bool spawn(int slot, Time now);
    void send(const SignalCommand& command);
    void worker_exited(pid_t pid, int wait_status);
    void stop(StopKind kind);

    // In arbiter_reload.cpp, with handle_hup().
    void reload();
    void return_to_release();
    void begin_probe(std::shared_ptr<Release> release);
    void probe_exited(int wait_status);
    void reject(const std::string& reason);
    void adopt(std::shared_ptr<Release> release);
    void apply_policy();
    void update_pidfile();
    std::string pidfile_path() const;
    void watch_files();
    void reload_if_changed(Time now);
    void log_listeners(const Listeners& known) const;
    void give_up();

    // In arbiter_upgrade.cpp, with handle_usr2() and handle_winch().
    void successor_exited(int wait_status);
    void become_the_master();
    bool is_stopping() const { return table_.stopping() || stop_at_ != Time::max(); }
    bool is_alone() const { return successor_ == 0 && !predecessor_; }

    // In arbiter_report.cpp.
    void report(ServiceManager::State state);
    Time report_due() const;
    ServiceManager::State state() const;
    std::string status() const;

    std::optional<Time> next_wake(Time now) const;
    void note_pause(Time wait_began, Time should_have_woken, Time now);
    WorkerTable::RequestDeadline request_deadline() const;
    const Settings& settings() const { return release_->settings(); }

    static constexpr int most_processes = 1024; // old and new workers together

    Surroundings around_;
    SignalInbox signals_;
    MasterPipes pipes_;
    Scoreboard scoreboard_;
    WorkerTable table_;

    std::shared_ptr<Release> release_;  // in use; its workers are the current generation
    std::shared_ptr<Release> previous_; // to go back to, until a worker of release_ is ready
    std::optional<AppProbe> probe_;     // a release that is being tried
    Time pause_end_{};                  // the last time that the master did not run when it should have
    Time::duration pause_{};            // and for how long
    bool reload_again_ = false;         // HUP came meanwhile
    std::unique_ptr<FileWatch> watch_;  // --reload
    std::unique_ptr<Pidfile> pidfile_;

    pid_t successor_ = 0;                    // the new master that SIGUSR2 has started; 0: none
    std::optional<Predecessor> predecessor_; // the master that has started this one, while it is there

    bool retired_ = false;       // SIGWINCH: no workers, until somebody wants some
    Time stop_at_ = Time::max(); // SIGTERM came, and --shutdown-delay is not over
    int exit_code_ = exit_clean;
    int last_start_failure_ = exit_no_worker;
    bool started_ = false;      // the app could be loaded once
    bool fork_failing_ = false; // and that was logged
};

} // namespace cppcorn
