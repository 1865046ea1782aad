// The lookout as the master keeps it: started when the first worker has an understudy, told which bells there are,
// started again when it dies, and sent home with the last of them. It is no worker, and never counted as one.
//
// The workforce's. It owns the master's end of the bells' post, and no process: it is told of the end. A start that
// fails is logged and tried again.
#pragma once

#include <set>
#include <string>

#include <sys/types.h>

#include "base/clock.hpp"
#include "server/lookout/bell_post.hpp"
#include "server/process/child.hpp"
#include "server/process/process_title.hpp"
#include "server/release/release.hpp"
#include "server/supervision/scoreboard.hpp"

namespace cppcorn {

class Lookout {
  public:
    // All references outlive it.
    Lookout(Scoreboard& scoreboard, const MasterPipes& pipes, ProcessTitle& title)
        : scoreboard_(scoreboard), pipes_(pipes), title_(title) {}

    // There is another bell in that slot of the scoreboard, or none any more.
    void bell_changed(int slot);
    void exited(int wait_status, SteadyTime now);
    // What it has of the master's, its name, user and log, is to be had anew: another one takes its place.
    void renew() { let_go(); }

    // Starts it, as that release's, or lets it go, and tells it what has changed. `stays`: it is kept while there
    // happens to be no understudy.
    void supervise(const Release& release, bool stays, SteadyTime now);
    // When supervise() is due if nothing happens before; SteadyTime::max() for never.
    SteadyTime due() const;

    // 0: there is none.
    pid_t pid() const { return pid_; }

  private:
    void start(const Release& release, SteadyTime now);
    void let_go();
    void tell_changes(SteadyTime now);

    Scoreboard& scoreboard_;
    const MasterPipes& pipes_;
    ProcessTitle& title_;

    pid_t pid_ = 0;
    ServerFd post_;         // not open: it has been let go, or there is none
    SteadyTime kill_at_{};  // if it has not ended by then, though it was let go
    std::set<int> slots_;   // that have a bell
    std::set<int> to_tell_; // that have changed since it was told
    SteadyTime started_at_{};
    SteadyTime not_before_{}; // of a start
    SteadyTime tell_again_ = SteadyTime::max();
    bool trouble_logged_ = false;
};

} // namespace cppcorn
