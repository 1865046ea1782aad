#include "workers/context/worker_desk.hpp"

#include <poll.h>
#include <sched.h>

namespace cppcorn {
namespace {

constexpr int looks_before_asking = 1000;

} // namespace

// Microseconds, as a rule. An understudy that has died with the token never gives it back.
void WorkerDesk::wait_for_token() {
    for (;;) {
        for (int i = 0; i < looks_before_asking; ++i) {
            if (memory_->token().take_back()) return;
            ::sched_yield();
        }
        pollfd entry{understudy_, POLLIN, 0};
        if (understudy_ < 0 || ::poll(&entry, 1, 0) != 0) return memory_->token().seize();
    }
}

} // namespace cppcorn
