// The soft timeout: a signal a second before --timeout, whose handler in Python raises RequestTimeout in the request that
// is stuck. The timer is armed once in a while and not for each request: when it goes off it looks at the request that
// runs by then, and if that is not overdue, it is armed for the rest of its time.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace cppcorn::python {

class RequestTimer {
  public:
    using Clock = std::chrono::steady_clock;

    // The real-time signal that it sends to the thread that calls prepare().
    static int signal();
    // In the worker. Without a timeout it does nothing from then on. False: the system has no timer left.
    bool prepare(std::uint32_t timeout_ms);

    void begin_request();
    void end_request() { deadline_ = Clock::time_point::max(); }
    // The request has at least that long from now.
    void extend(std::uint32_t ms);

    // For the signal's handler: whether the request that runs is overdue, and may be told (`may_tell`); if not, the timer
    // is armed again. True once in the time that a request has.
    bool take_overdue(bool may_tell);

    // While one lives, the request waits for its client: that is not the app's time. Begins and ends with Python's lock.
    class Pause {
      public:
        explicit Pause(RequestTimer& timer) : timer_(timer), began_(timer.now()) {}
        ~Pause() { timer_.postpone(timer_.now() - began_); }
        Pause(const Pause&) = delete;
        Pause& operator=(const Pause&) = delete;

      private:
        RequestTimer& timer_;
        const Clock::time_point began_;
    };

  private:
    Clock::time_point now() const { return limit_ > Clock::duration::zero() ? Clock::now() : Clock::time_point(); }
    void postpone(Clock::duration time);
    void arm(Clock::time_point when);

    timer_t timer_{};
    Clock::duration limit_{}; // 0: none
    Clock::duration margin_{};
    Clock::time_point deadline_ = Clock::time_point::max(); // of the request that runs; max: none, or it was told
    Clock::time_point goes_off_ = Clock::time_point::max(); // the timer; later than this deadline after an extended one
};

} // namespace cppcorn::python
