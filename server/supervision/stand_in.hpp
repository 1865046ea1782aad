// When a stand-in serves (workers/exchange/stand_in.hpp): while no worker can, and not before a start has failed. Pure: the time
// is an argument, and the workforce does what tick() answers.
#pragma once

#include <sys/types.h>

#include "base/clock.hpp"

namespace cppcorn {

class StandIn {
  public:
    enum class Command {
        none,
        start,  // then started() or start_failed()
        retire, // it accepts nothing any more, and answers what it has
        exit,   // the same at once: the service ends
        kill,
    };

    // `wanted`: no worker can serve, and nobody else does. It serves on the listeners of one generation.
    Command tick(bool wanted, bool stopping, unsigned generation, SteadyTime now);
    // When tick() is due if nothing happens before; SteadyTime::max() for never.
    SteadyTime due() const;
    // Whether it is time to log that there is no service: at once, then each minute.
    bool is_to_be_logged(SteadyTime now);

    void started(pid_t pid, unsigned generation);
    void start_failed(SteadyTime now);
    void exited(SteadyTime now);
    pid_t pid() const { return pid_; } // 0: there is none

  private:
    Command exit_at_once(SteadyTime now);

    enum class State { absent, serving, retiring, exiting };

    State state_ = State::absent;
    pid_t pid_ = 0;
    unsigned generation_ = 0;
    bool is_wanted_ = false;
    SteadyTime not_before_{};                // absent: after one that has failed
    SteadyTime kill_at_ = SteadyTime::max(); // retiring, exiting
    SteadyTime log_at_{};
};

} // namespace cppcorn
