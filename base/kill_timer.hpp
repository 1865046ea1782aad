// A timer that ends this process by SIGKILL, whatever it is stuck in: for when nobody else is left to do it.
#pragma once

#include <chrono>

namespace cppcorn {

// Once a process, after the fork. Throws std::system_error.
void make_kill_timer();

// From now on, the process has this long; 0 takes that back. May be called in a signal handler. Without effect before
// make_kill_timer().
void arm_kill_timer(std::chrono::seconds grace);

// Arms it when the process that forked this one dies, however it dies. Not for a process that loads code of its own and
// uses SIGRTMAX - 1.
void arm_kill_timer_with_parent(std::chrono::seconds grace);

} // namespace cppcorn
