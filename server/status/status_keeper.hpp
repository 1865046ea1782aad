// The status process as the master keeps it: started where --status-bind, --control-socket or --statsd-host asks for it,
// started again when it dies, with longer and longer pauses where it dies again and again, replaced when a release takes
// another's place or its loop stands still, and ended after the workers. It is no worker, and never counted as one.
//
// The workforce's. It owns no process: it is told of the end. A start that fails is logged and tried again.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/shared_array.hpp"
#include "server/post_mortem/post_mortems.hpp"
#include "server/process/identity.hpp"
#include "server/status/status_process.hpp"
#include "server/supervision/loop_watch.hpp"

namespace cppcorn {

class StatusKeeper {
  public:
    struct Ways { // to the master
        MasterPipes& pipes;
        const OrderPost& post;
    };

    // All references outlive it. The slot of the scoreboard is its process's.
    StatusKeeper(Scoreboard& scoreboard, int slot, Watcher::Slots slots, ServiceBoard& board, Ways ways,
                 ProcessTitle& title);

    // Statsd is to be told of all that is served from now on, also of what is before a process is there to do it. Without
    // that it is from the first process on.
    void begin_statsd(SteadyTime now);
    // Another release is in use: another process takes its place.
    void renew() { is_renewed_ = is_serving(); }
    void reopen_logs();
    // A crash is explained by `post_mortems`.
    void exited(int wait_status, const rusage& usage, PostMortems& post_mortems, SteadyTime now);
    // Starts or ends it. `shows`: this master's is to answer, where the release has somewhere to do so.
    void supervise(const Release& release, bool shows, SteadyTime now);
    // When that is due if nothing happens before; SteadyTime::max() for never.
    SteadyTime due() const;

    // 0: there is none.
    pid_t pid() const { return pid_; }
    // It is there, and nobody has told it to end.
    bool is_serving() const { return state_ == State::serving; }
    // The service ends: it is told to end.
    void end(SteadyTime now);
    // The service has ended: waits a moment for it, and kills it if need be.
    void dismiss();

  private:
    enum class State { absent, serving, ending };

    void start(const Release& release, SteadyTime now);
    void kill() const;
    void watch_loop(SteadyTime now);
    void pause(SteadyTime now);
    std::string explain(int wait_status, long peak_kib, PostMortems& post_mortems, SteadyTime now) const;

    Scoreboard& scoreboard_;
    int slot_;
    Watcher::Slots slots_;
    ServiceBoard& board_;
    SharedArray<StatsdBook> statsd_book_{1}; // its processes'
    Ways ways_;
    ProcessTitle& title_;

    LoopWatch loop_;
    State state_ = State::absent;
    pid_t pid_ = 0;
    std::optional<Identity> identity_; // that it has taken on
    bool is_renewed_ = false;
    bool is_wanted_ = false;
    bool is_watched_ = false; // not with a --timeout of 0, which is for people with debuggers
    SteadyTime started_at_{};
    SteadyTime not_before_{};                // of a start
    Milliseconds pause_{0};                  // that the last one took
    SteadyTime kill_at_ = SteadyTime::max(); // ending
};

} // namespace cppcorn
