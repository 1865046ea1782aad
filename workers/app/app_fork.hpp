// What becomes of a child that the app forks without starting another program in it: a copy of the worker that must not
// act as one. (posix_spawn, system and popen run none of this, and need none: what they start has nothing of ours.)
#pragma once

#include <csignal>

namespace cppcorn {

// In a worker or a mold, before the app is loaded. From now on, a child of this process is cut off from what is the server's: the
// listeners, the clients' sockets, the pipes to the master. So a child that lives on keeps no port and no connection,
// and what it asks the server to send goes nowhere. The error log stays. Signals that the worker handles have their
// default actions, as far as the app has not set others. A worker that was forked from a mold does it once more.
void prepare_for_forks_of_app();

// While it lives, what this process forks is ours, and keeps all.
class OwnFork {
  public:
    OwnFork() { is_under_way = true; }
    ~OwnFork() { is_under_way = false; }
    OwnFork(const OwnFork&) = delete;
    OwnFork& operator=(const OwnFork&) = delete;

    static inline thread_local bool is_under_way = false; // an app's thread may fork meanwhile
};

// In a worker, once the app is loaded and started, and in a mold: signals by which the worker is told something have the server's
// handlers again, with a warning, where the app has put its own in their place.
void take_signals_back();

// Whether this process is such a child.
inline bool is_fork_of_worker();

// For a child in which the app returns to the server: says so in the error log, and ends the process.
[[noreturn]] void end_fork_of_worker() noexcept;

namespace detail {
inline volatile std::sig_atomic_t forked_from_worker = 0;
} // namespace detail

bool is_fork_of_worker() {
    return detail::forked_from_worker != 0;
}

} // namespace cppcorn
