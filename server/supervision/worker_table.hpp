// Who works, who should, and what to do about the difference. Pure bookkeeping: events go in, commands come out; no
// system call is made and the time is an argument, so that every rule of supervision can be tested without a fork.
#pragma once

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <iterator>
#include <optional>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"

namespace cppcorn {

enum class WorkerState { starting, serving, retiring, overdue };

enum class WorkerEvent {
    ready,        // it has loaded its app
    late,         // starting: the boot timeout is over; retiring: its grace; overdue: the second since the last signal
    request_late, // the request that it serves is past its deadline
    stands_still, // it serves no request, and its loop does not turn
    unneeded,     // another one stands in its place, or fewer are wanted
    stopped,      // all are told to exit
};

// What an event does to a worker: its next state, and the signal that it is sent (0: none). Spawned, it is starting;
// exited, it is gone, whatever it was.
struct WorkerRule {
    WorkerState state;
    WorkerEvent event;
    WorkerState next;
    int signal;
};

inline constexpr WorkerRule worker_rules[] = {
    {WorkerState::starting, WorkerEvent::ready, WorkerState::serving, 0},
    {WorkerState::starting, WorkerEvent::late, WorkerState::overdue, SIGABRT},
    {WorkerState::starting, WorkerEvent::request_late, WorkerState::overdue, SIGABRT},
    {WorkerState::starting, WorkerEvent::stands_still, WorkerState::starting, 0}, // it has no loop yet
    {WorkerState::starting, WorkerEvent::unneeded, WorkerState::retiring, SIGTERM},
    {WorkerState::starting, WorkerEvent::stopped, WorkerState::retiring, SIGTERM},

    {WorkerState::serving, WorkerEvent::ready, WorkerState::serving, 0},
    {WorkerState::serving, WorkerEvent::late, WorkerState::serving, 0}, // it has no deadline of its own
    {WorkerState::serving, WorkerEvent::request_late, WorkerState::overdue, SIGABRT},
    {WorkerState::serving, WorkerEvent::stands_still, WorkerState::overdue, SIGABRT},
    {WorkerState::serving, WorkerEvent::unneeded, WorkerState::retiring, SIGTERM},
    {WorkerState::serving, WorkerEvent::stopped, WorkerState::retiring, SIGTERM},

    {WorkerState::retiring, WorkerEvent::ready, WorkerState::retiring, 0},
    {WorkerState::retiring, WorkerEvent::late, WorkerState::retiring, SIGKILL},
    {WorkerState::retiring, WorkerEvent::request_late, WorkerState::overdue, SIGABRT},
    {WorkerState::retiring, WorkerEvent::stands_still, WorkerState::retiring, 0}, // its grace goes on
    {WorkerState::retiring, WorkerEvent::unneeded, WorkerState::retiring, 0},
    {WorkerState::retiring, WorkerEvent::stopped, WorkerState::retiring, SIGTERM}, // SIGQUIT hurries it

    {WorkerState::overdue, WorkerEvent::ready, WorkerState::overdue, 0},
    {WorkerState::overdue, WorkerEvent::late, WorkerState::overdue, SIGKILL},
    {WorkerState::overdue, WorkerEvent::request_late, WorkerState::overdue, 0},
    {WorkerState::overdue, WorkerEvent::stands_still, WorkerState::overdue, 0},
    {WorkerState::overdue, WorkerEvent::unneeded, WorkerState::overdue, 0},
    {WorkerState::overdue, WorkerEvent::stopped, WorkerState::overdue, 0},
};

constexpr const WorkerRule& rule_of(WorkerState state, WorkerEvent event) {
    return *std::find_if(std::begin(worker_rules), std::end(worker_rules),
                         [&](const WorkerRule& rule) { return rule.state == state && rule.event == event; });
}

// Each pair of a state and an event has one rule.
constexpr bool has_each_rule_once() {
    using enum WorkerState;
    using enum WorkerEvent;
    std::size_t pairs = 0;
    for (const WorkerState state : {starting, serving, retiring, overdue}) {
        for (const WorkerEvent event : {ready, late, request_late, stands_still, unneeded, stopped}) {
            pairs++;
            const auto matches = [&](const WorkerRule& rule) { return rule.state == state && rule.event == event; };
            if (std::count_if(std::begin(worker_rules), std::end(worker_rules), matches) != 1) return false;
        }
    }
    return std::size(worker_rules) == pairs;
}
static_assert(has_each_rule_once());

struct WorkerEntry {
    int slot = 0;
    pid_t pid = 0;
    WorkerState state = WorkerState::starting;
    unsigned generation = 0;
    bool wants_replacement = false;
    bool stands_still = false; // as the master has found
    bool killed = false;       // by our SIGKILL
    SteadyTime spawned_at;
    SteadyTime ready_at;
    SteadyTime act_at; // when the next signal is due: boot deadline, end of the grace, or the KILL after the ABRT
};

struct SignalCommand {
    pid_t pid;
    int slot;
    int signal; // what the worker is to do is said as a signal; TERM and QUIT reach it by its bell (Workforce::send())
    const char* reason =
        ""; // of a SIGKILL: "did not exit within --graceful-timeout"; of a SIGABRT outside of a request
};

struct WorkerCommands {
    std::vector<SignalCommand> signals;
    std::vector<int> spawns; // slots
};

enum class StopKind { graceful, quick };

class WorkerTable {
  public:
    struct Policy {
        Milliseconds boot_timeout{30'000};
        Milliseconds graceful_timeout{30'000};
        int reload_surge = 0; // workers above the wanted number while old ones still serve; 0: no limit
    };

    // When the request that a slot serves is overdue; nullopt while it serves none, or has no deadline.
    using RequestDeadline = std::function<std::optional<SteadyTime>(int slot)>;

    // At most `capacity` workers at once, old and new together.
    explicit WorkerTable(int capacity) : capacity_(capacity) {}

    void set_policy(Policy policy) { policy_ = policy; }
    // False: there is nothing that workers could be started from just now. Those that are missing are spawned later.
    void let_spawn(bool can_spawn) { can_spawn_ = can_spawn; }
    // 0: keep none, until some are wanted again.
    void want(int count) { wanted_ = count; }
    int wanted() const { return wanted_; }

    // From here on only workers spawned later count, which are of that generation; the older ones retire as those
    // become ready. The number is one that no workers have had before.
    void begin_generation(unsigned generation);
    // The newest generation cannot start: the last one that could is the current one again.
    void roll_back();
    // A worker of the newest generation has become ready.
    bool settled() const { return generation_ready_; }
    // As many of the newest generation are ready as are wanted.
    bool is_complete() const { return count(true, WorkerState::serving) >= wanted_; }
    // Workers that are ready, of every generation.
    int serving() const { return count(true, WorkerState::serving) + count(false, WorkerState::serving); }
    // Some are wanted, none serves, and since one has been ready a start has failed, or none can be tried: it is not
    // just a matter of time.
    bool cannot_serve() const { return (start_has_failed_ || !can_spawn_) && wanted_ > 0 && !stop_ && serving() == 0; }
    // The newest generation has failed to start so often that it is pointless to go on.
    bool hopeless() const { return !generation_ready_ && failed_rounds_ >= max_failed_rounds; }

    // All are told to exit, and none is spawned any more. Quick after graceful hurries them; graceful after either
    // changes nothing.
    void stop(StopKind kind, SteadyTime now);
    bool stopping() const { return stop_.has_value(); }
    bool empty() const { return entries_.empty(); }

    void spawned(int slot, pid_t pid, SteadyTime now);
    void spawn_failed(SteadyTime now);
    void ready(pid_t pid, SteadyTime now);
    void wants_replacement(pid_t pid);
    void stands_still(pid_t pid);
    // Takes the entry out; nullopt for a pid that is none of ours. `served`: it has answered at least one request.
    std::optional<WorkerEntry> exited(pid_t pid, bool served, SteadyTime now);

    // The master itself did not run for so long (stopped, or the machine was suspended): nobody is to be late for that.
    void postpone(SteadyClock::duration time);

    // What is to be done now. The caller carries it all out, and reports spawned() or spawn_failed() for each spawn.
    WorkerCommands tick(SteadyTime now, const RequestDeadline& request_deadline);
    // When tick() has something to do next if nothing happens before; nullopt for never.
    std::optional<SteadyTime> next_tick(SteadyTime now, const RequestDeadline& request_deadline) const;

    // Null for a pid that is none of ours.
    const WorkerEntry* entry_of(pid_t pid) const;
    const std::vector<WorkerEntry>& entries() const { return entries_; }
    unsigned generation() const { return generation_; }
    bool has_workers(unsigned generation) const;

    static constexpr int max_failed_rounds = 4;

  private:
    WorkerEntry* find(pid_t pid);
    bool is_current(const WorkerEntry& entry) const { return entry.generation == generation_; }
    int count(bool current, WorkerState state) const;
    void start_failed(SteadyTime spawned_at, SteadyTime now);
    void forget_failures(SteadyTime now);

    void end_overdue(SteadyTime now, const RequestDeadline& request_deadline, WorkerCommands& commands);
    void retire_unneeded(SteadyTime now, WorkerCommands& commands);
    void spawn_missing(SteadyTime now, WorkerCommands& commands);
    void apply(WorkerEvent event, WorkerEntry& entry, SteadyTime act_at, WorkerCommands& commands);
    const char* kill_reason(const WorkerEntry& entry) const;
    WorkerEntry* most_dispensable(bool current);
    int missing() const;

    int capacity_;
    Policy policy_;
    int wanted_ = 0;
    bool can_spawn_ = true;
    std::vector<WorkerEntry> entries_;

    unsigned generation_ = 1;
    unsigned settled_generation_ = 1; // the last one that had a worker ready
    bool generation_ready_ = false;

    std::optional<StopKind> stop_;
    SteadyTime stop_at_{}; // when those that are still here are killed
    bool stop_announced_ = false;

    bool start_has_failed_ = false; // since a worker has become ready

    // Starts that fail together (all workers of a bad app) are one round; each round doubles the pause before the next.
    int failed_rounds_ = 0;
    SteadyTime round_began_{};
    SteadyTime spawn_not_before_{};
    int waiting_ = 0; // how many spawns wait for that; those in the place of workers that had started do not
};

} // namespace cppcorn
