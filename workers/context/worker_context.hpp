// What all connections of one worker share. The worker owns it; a connection is given it with each call. One thread.
#pragma once

#include <csignal>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>

#include <cppcorn/abi.h>

#include "base/clock.hpp"
#include "base/log/rate_limit.hpp"
#include "base/signal_inbox.hpp"
#include "workers/access_log/access_log.hpp"
#include "workers/context/chore.hpp"
#include "workers/context/lookout_link.hpp"
#include "workers/context/request_ids.hpp"
#include "workers/context/scoreboard_slot.hpp"
#include "workers/context/worker_desk.hpp"
#include "workers/context/worker_settings.hpp"
#include "workers/http/fixdate.hpp"
#include "workers/http/forwarded.hpp"
#include "workers/transport/spool.hpp"

namespace cppcorn {

class MoveQueue;

class WorkerContext {
  public:
    // All references outlive it.
    WorkerContext(const WorkerSettings& settings, const cppcorn_app& app, ScoreboardSlot& slot, AccessLog& access_log,
                  const SignalInbox& signals, ClockSource clock = {})
        : settings(settings),
          app(app),
          slot(slot),
          access_log(access_log),
          forwarding(settings.secure_scheme_headers, http::ForwarderNames(settings.forwarder_headers)),
          spool(settings.spool_dir, settings.spool_limit),
          signals_(signals),
          clock_(clock) {}

    const WorkerSettings& settings;
    const cppcorn_app& app;
    ScoreboardSlot& slot;
    AccessLog& access_log;
    WorkerMemory* memory = nullptr;        // what outlives this worker; it outlives the context. Null: nothing does
    const MoveQueue* queue = nullptr;      // to other workers, and from them; it outlives the context, too. Null: none
    WorkerDesk desk;                       // what its understudy sees, if there is one
    std::function<void()> make_understudy; // in the place of one that has died
    RateLimit refusals;                    // lines about requests that were refused
    const http::ForwardingRules forwarding;
    RateLimit cuts;           // lines about responses that were cut
    RateLimit proxy_refusals; // lines about PROXY headers that were refused
    LookoutLink lookout;      // to be told of each request
    RequestIds ids{RequestIds::random_seed()};
    Spool spool;
    Chore chore;            // what this process does besides serving
    std::size_t unsent = 0; // bytes in memory that wait for clients who do not take them at once, of all connections

    // The worker is to end. True from the instant the master asks for it or the signal arrives.
    bool retiring() const { return retiring_ || slot.orders().end_wanted() || signals_.noted(SIGTERM); }
    void retire() { retiring_ = true; }
    // It has nobody to give its connections to any more.
    void stay_alone() { is_alone_ = true; }
    // What it has, another worker goes on with.
    bool gives_connections_away() const {
        return retiring() && memory != nullptr && queue != nullptr && !is_alone_ && !slot.ends_connections() &&
               !slot.orders().exit_wanted();
    }
    // No connection is kept alive any more, which the response that the app is working on says already.
    bool ends_connections() const { return retiring() && !gives_connections_away(); }
    // The master asks for something, which is to be done before the next request.
    bool has_orders() const { return slot.orders().any(); }

    // For its understudy: a connection is about to come, or has a seat or is gone.
    void note_arrival(Arrival arrival) {
        if (memory != nullptr) memory->notes().arrival.store(arrival, std::memory_order_release);
    }

    // The time of this turn of the loop, or of the end of the last call of the app in it.
    SteadyTime now() const { return clock_.now(); }
    // The time as it is, for waits inside a call of the app.
    SteadyTime precise_now() const { return clock_.precise_now(); }
    void refresh_clock() { clock_.refresh(); }
    // After a call of the app: to a few milliseconds, unless it is to be known how long the call took.
    void refresh_clock_after_call() {
        if (access_log.wants_duration() || settings.measures_durations) {
            clock_.refresh();
        } else {
            clock_.refresh_coarsely();
        }
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
    const SignalInbox& signals_;
    bool retiring_ = false;
    bool is_alone_ = false;
    CachedClock clock_;
    std::time_t date_second_ = 0;
    std::string date_line_;
};

} // namespace cppcorn
