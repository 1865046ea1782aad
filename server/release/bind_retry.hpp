// --bind-retry: an address that cannot be bound is tried again for a while, since what is in its way may pass: workers
// of a killed master that end within a second, an interface that comes up, a resolver that is not there yet. The master
// serves and handles signals meanwhile.
#pragma once

#include "base/clock.hpp"
#include "server/release/listener.hpp"

namespace cppcorn {

class BindRetry {
  public:
    // Binding has failed. True if it is to be tried again, at due(); the first time, that is logged. False if it is
    // over: then nothing is due.
    bool again(const BindError& error, SteadyTime now);
    // When to try again; SteadyTime::max() for never.
    SteadyTime due() const { return due_; }
    // It has come to an end some other way.
    void stop();

  private:
    SteadyTime until_ = SteadyTime::max(); // until the first failure
    SteadyTime due_ = SteadyTime::max();
    Milliseconds pause_{0};
};

} // namespace cppcorn
