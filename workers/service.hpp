// What all connections of one worker share. The worker owns it; a connection is given it with each call.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include <cppcorn/abi.h>

#include "workers/http/forwarded.hpp"
#include "workers/http/response_writer.hpp"
#include "workers/log/access_log.hpp"
#include "workers/log/rate_limit.hpp"
#include "workers/scoreboard_slot.hpp"
#include "workers/settings.hpp"
#include "workers/signal_inbox.hpp"

namespace cppcorn {

using SteadyClock = std::chrono::steady_clock;

class Service {
  public:
    Service(const Settings& settings, const cppcorn_app& app, ScoreboardSlot& slot, AccessLog& access_log,
            const SignalInbox& signals)
        : settings(settings),
          app(app),
          slot(slot),
          access_log(access_log),
          forwarding(settings.secure_scheme_headers, http::ForwarderNames(settings.forwarder_headers)),
          signals_(signals) {}

    const Settings& settings;
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

    // For the Date field; made anew when the second has changed.
    std::string_view date() {
        const std::time_t now = std::time(nullptr);
        if (now != date_second_) {
            date_text_ = http::imf_fixdate(now);
            date_second_ = now;
        }
        return date_text_;
    }

  private:
    const SignalInbox& signals_;
    bool leaving_ = false;
    std::time_t date_second_ = 0;
    std::string date_text_;
};

} // namespace cppcorn
