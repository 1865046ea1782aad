#include "base/kill_timer.hpp"

#include <atomic>
#include <csignal>
#include <ctime>

#include <sys/prctl.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

timer_t timer;
std::atomic<bool> has_timer{false};
std::atomic<int> grace_s{1};

// Not the last one of all, which valgrind keeps for itself.
int parent_death_signal() {
    return SIGRTMAX - 1;
}

void on_parent_death(int) {
    arm_kill_timer(std::chrono::seconds(grace_s));
}

} // namespace

void make_kill_timer() {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGKILL;
    check(::timer_create(CLOCK_MONOTONIC, &event, &timer), "cannot make a timer");
    has_timer = true;
}

void arm_kill_timer(std::chrono::seconds grace) {
    if (!has_timer) return;
    itimerspec time{};
    time.it_value.tv_sec = grace.count();
    ::timer_settime(timer, 0, &time, nullptr);
}

void arm_kill_timer_with_parent(std::chrono::seconds grace) {
    grace_s = static_cast<int>(grace.count());
    struct sigaction action {};
    action.sa_handler = on_parent_death;
    action.sa_flags = SA_RESTART;
    check(::sigaction(parent_death_signal(), &action, nullptr), "cannot handle the signal at the parent's death");
    check(::prctl(PR_SET_PDEATHSIG, parent_death_signal()), "cannot ask for a signal at the parent's death");
}

} // namespace cppcorn
