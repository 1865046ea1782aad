// The workers as processes, and the stand-in that answers while there are none: starts them, gives them their orders,
// hears what they tell and reads what the scoreboard shows of them, ends those that are late, and tells the log how each
// has ended. What is to be done is decided by WorkerTable, LoopWatch and StandIn, which do nothing themselves; the
// workforce tells them what has happened and carries out what they answer.
//
// The arbiter's, for the master's whole life. It owns the workers' shared memory, bells, pipes and queue, but no process: it
// waits for none, and is told of each end. In a child it is of use only to the start of that worker, which takes the
// child's ends of the pipes and its bell out of it. Its constructor throws std::system_error if there are no
// descriptors or no memory. After that, a process that cannot be started is logged and tried again; nothing else fails.
#pragma once

#include <optional>
#include <string>

#include <sys/resource.h>
#include <sys/types.h>

#include "base/clock.hpp"
#include "base/shared_array.hpp"
#include "server/control/order_post.hpp"
#include "server/lookout/helpers.hpp"
#include "server/post_mortem/post_mortems.hpp"
#include "server/process/child.hpp"
#include "server/process/exit_codes.hpp"
#include "server/process/process_title.hpp"
#include "server/release/deployment.hpp"
#include "server/status/status_keeper.hpp"
#include "server/supervision/loop_watch.hpp"
#include "server/supervision/oom_kills.hpp"
#include "server/supervision/reload_clock.hpp"
#include "server/supervision/scoreboard.hpp"
#include "server/supervision/service_board.hpp"
#include "server/supervision/slow_watch.hpp"
#include "server/supervision/stand_in.hpp"
#include "server/supervision/suspension.hpp"
#include "server/supervision/worker_process.hpp"
#include "server/supervision/worker_table.hpp"
#include "workers/handover/move_queue.hpp"

namespace cppcorn {

struct EndClues;

class Workforce {
  public:
    // All references outlive it. `deployment` has the releases that the workers run; `post_mortems` gets their crashes;
    // by `queue`, connections go from worker to worker, through all reloads.
    Workforce(Deployment& deployment, PostMortems& post_mortems, MoveQueue queue, ProcessTitle& title);
    ~Workforce();
    Workforce(const Workforce&) = delete;
    Workforce& operator=(const Workforce&) = delete;

    // ---- How many are wanted, and of which generation

    void set_policy(WorkerTable::Policy policy) { table_.set_policy(policy); }
    void want(int count) { table_.want(count); }
    void reload_asked(SteadyTime now) { reload_.begin(table_.generation(), now); }
    // What becomes of a release: Deployment's outcomes.
    void begin_generation(unsigned generation);
    void keep_generation() { reload_.drop(); }
    void roll_back();
    // What waits in the listeners' backlogs is to be served before a stop.
    void drain_backlogs();
    // No other worker is left to take connections over from those that retire.
    void end_connections();
    void stop(StopKind kind, SteadyTime now) { table_.stop(kind, now); }
    // To all workers, and the stand-in.
    void tell_all(WorkerOrder order);
    // Another one takes that worker's place before it retires.
    void replace(pid_t pid) { table_.wants_replacement(pid); }

    // ---- Until a reload is adopted

    // The level of the error log, in the master, too.
    void set_log_level(LogLevel level);
    // No requests are wanted, though all that come are served.
    void drain();
    // The releases that have no workers any more.
    void forget_unused_releases();

    // ---- What happens

    void read_notices();
    int notices_fd() const { return pipes_.notices_read.get(); } // readable: read_notices()
    // A child of the master has ended that nobody else knows: a worker, the stand-in, the lookout, an understudy. One
    // that is none of ours either is passed over.
    void exited(pid_t pid, int wait_status, const rusage& usage);
    // What was ordered at the control socket; nullopt: nothing is left.
    std::optional<NumberedOrder> take_order() { return post_.take(); }
    int orders_fd() const { return post_.take_fd(); } // readable: take_order()
    OrderBook& orders() { return board().orders; }
    // What a post-mortem says of a process that was a worker.
    void note_report(pid_t pid, std::string_view text) { board().last_ends.add_report(pid, text); }
    void note_reload(ReloadResult result) { board().reloads[static_cast<std::size_t>(result)].add(); }
    // The master has waited, from `began` on, and was to wake at `due`. If it was suspended, nobody is late for that.
    void master_waited(SteadyTime began, SteadyTime due, SteadyTime now);

    // ---- What is to be done

    // Finds those that stand still; supervise() ends them.
    void watch_loops(SteadyTime now);
    // Tells of requests that are slow.
    void watch_requests(SteadyTime now);
    // `may_stand_in`: no other master serves on the same sockets, which could do better than a stand-in.
    void supervise(SteadyTime now, bool may_stand_in);
    // How the service is, for those who look at the board; in each turn of the master's loop.
    // `shows_status`: it is this master's status process that answers.
    void show(MasterState state, bool shows_status, SteadyTime now);
    // When one of these is due if nothing happens before; SteadyTime::max() for never.
    SteadyTime due(SteadyTime now) const;

    // The service has ended: what remains to be done. As Helpers::dismiss().
    void dismiss_helpers(pid_t successor);

    // ---- Questions

    const WorkerTable& table() const { return table_; }
    const MoveQueue& queue() const { return queue_; }
    const ScoreboardSlot& slot(int number) const { return scoreboard_.slot(number); }
    const ServiceBoard& shown_board() const { return board_[0]; }
    // The status process is there, where there is to be one.
    bool shows_status() const { return status_.is_serving(); }
    // Neither a worker nor a stand-in is left.
    bool empty() const { return table_.empty() && stand_in_.pid() == 0; }
    // The first worker, which was to try the app, has ended before it was ready.
    bool first_worker_failed() const { return first_worker_failed_; }
    // The exit code for that workers cannot start: why the last one could not.
    int start_failure() const { return start_failure_; }

    static constexpr int most_processes = 1024; // old and new workers together

  private:
    static constexpr int stand_in_slot = most_processes;
    static constexpr int status_slot = most_processes + 1;

    bool spawn(int slot, SteadyTime now);
    pid_t start(int slot);
    WorkerMeans means() { return {scoreboard_, pipes_, queue_, title_}; }
    void prepare_slot(int slot, Scoreboard::Understudy understudy);
    void tell_log_level(LogLevel level);
    void set_draining(bool drains);
    void vacate_slot(int slot);
    void send(const SignalCommand& command);
    void ready(pid_t pid);
    ServiceBoard& board() { return board_[0]; }
    void worker_exited(pid_t pid, int wait_status, const rusage& usage);
    void note_end(const WorkerEntry& entry, int wait_status, const rusage& usage, const EndClues& clues);
    void log_end(const WorkerEntry& entry, int wait_status, const rusage& usage, SteadyTime now);
    bool was_asked_to_end(const WorkerEntry& entry) const {
        return entry.state == WorkerState::retiring || table_.stopping();
    }
    void supervise_stand_in(SteadyTime now, bool may_stand_in);
    void start_stand_in(SteadyTime now);
    void stand_in_exited(int wait_status);
    WorkerTable::RequestDeadline request_deadline() const;
    Milliseconds slow_request() const { return deployment_.current().settings().slow_request; }
    Milliseconds timeout() const { return deployment_.current().settings().worker.timeout; }

    Deployment& deployment_;
    PostMortems& post_mortems_;
    ProcessTitle& title_;

    MasterPipes pipes_;
    OrderPost post_;
    MoveQueue queue_;
    Scoreboard scoreboard_;
    SharedArray<ServiceBoard> board_;
    WorkerTable table_;
    LoopWatch loops_;
    SlowWatch slow_;
    StandIn stand_in_;
    Helpers helpers_;
    StatusKeeper status_;
    ReloadClock reload_;
    OomKills oom_kills_;
    Suspension suspension_;

    std::optional<LogLevel> log_level_; // that was ordered
    SteadyTime heartbeat_due_ = SteadyTime::max();
    int start_failure_ = exit_no_worker;
    bool first_worker_failed_ = false;
    std::string last_failure_;  // how the last worker ended that was not asked to, for the log
    bool fork_failing_ = false; // and that was logged
};

} // namespace cppcorn
