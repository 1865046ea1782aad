// What all connections of one worker share. The worker owns it; a connection is given it with each call.
#pragma once

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include <cppcorn/abi.h>

#include "base/log/rate_limit.hpp"
#include "base/signal_inbox.hpp"
#include "workers/access_log/access_log.hpp"
#include "workers/context/scoreboard_slot.hpp"
#include "workers/context/worker_settings.hpp"
#include "workers/http/forwarded.hpp"
#include "workers/http/response_writer.hpp"

namespace cppcorn {

class Service {
  public:
    Service(const WorkerSettings& settings, const cppcorn_app& app, ScoreboardSlot& slot, AccessLog& access_log,
            const SignalInbox& signals)
        : settings(settings),
          app(app),
          slot(slot),
          access_log(access_log),
          forwarding(settings.secure_scheme_headers, http::ForwarderNames(settings.forwarder_headers)),
          signals_(signals) {}

    const WorkerSettings& settings;
    const cppcorn_app& app;
    ScoreboardSlot& slot;
    AccessLog& access_log;
    RateLimit refusals; // lines about requests that were refused
    const http::ForwardingRules forwarding;
    RateLimit proxy_refusals; // lines about PROXY headers that were refused

    // No connection is kept alive any more. True from the instant the signal arrives, so that the response that the app
    // is working on says so already.
    bool leaving() const { return leaving_ || signals_.noted(SIGTERM); }
    void leave() { leaving_ = true; }

    // The time of this turn of the loop, or of the end of the last call of the app in it: near enough for deadlines,
    // and the clock is read once for each request rather than wherever the time is needed.
    SteadyClock::time_point now() const { return now_; }
    void look_at_clock() { now_ = SteadyClock::now(); }
    // After a call of the app. To a few milliseconds, which the kernel tells for a quarter of the price, unless how
    // long the call took is to be logged.
    void look_at_clock_again() {
        now_ = access_log.wants_duration() ? SteadyClock::now() : std::max(now_, coarse_now());
    }

    // The time of day, for logs: to a few milliseconds as well.
    static std::chrono::system_clock::time_point time_of_day() {
        timespec time;
        ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
        const auto since_epoch = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
        return std::chrono::system_clock::time_point(since_epoch);
    }

    // The Date field; made anew when the second has changed.
    std::string_view date_line() {
        const std::time_t now = std::time(nullptr);
        if (now != date_second_) {
            date_line_ = "Date: " + http::imf_fixdate(now) + "\r\n";
            date_second_ = now;
        }
        return date_line_;
    }

  private:
    static SteadyClock::time_point coarse_now() {
        timespec time;
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
        return SteadyClock::time_point(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
    }

    const SignalInbox& signals_;
    bool leaving_ = false;
    SteadyClock::time_point now_ = SteadyClock::now();
    std::time_t date_second_ = 0;
    std::string date_line_;
};

} // namespace cppcorn
