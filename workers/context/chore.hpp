// What a process does between two turns of its loop, now and then. Most have nothing to do.
#pragma once

#include <functional>

#include "base/clock.hpp"

namespace cppcorn {

struct Chore {
    SteadyTime due = SteadyTime::max();
    Milliseconds pause{1000};
    std::function<void(SteadyTime now)> run; // there, if it is ever due

    void run_if_due(SteadyTime now) {
        if (now < due) return;
        due = now + pause;
        run(now);
    }
};

} // namespace cppcorn
