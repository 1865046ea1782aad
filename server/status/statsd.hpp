// Tells statsd once a second what the service does, if --statsd-host asks for it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "server/settings/settings.hpp"
#include "server/status/statsd_sender.hpp"
#include "server/status/statsd_text.hpp"
#include "server/status/totals.hpp"
#include "server/status/watcher.hpp"

namespace cppcorn {

// What statsd was told so far, in memory that outlives a status process: the next one goes on from there. Plain data.
struct StatsdBook {
    std::int64_t time_ns; // of the steady clock: when that was, or is to have begun; 0: never
    Totals told;          // zero at first
};

class Statsd {
  public:
    // Watcher and book outlive it. Nobody else writes the book meanwhile.
    Statsd(const Settings& settings, const Watcher& watcher, StatsdBook& book, SteadyTime now);

    // `view` is the service as it is now.
    void tell(const ServiceView& view);

  private:
    void begin_anew_if_old(SteadyTime now);

    const Watcher& watcher_;
    StatsdBook& book_;
    StatsdNames names_;
    std::optional<StatsdSender> sender_; // nullopt: nobody is to be told
};

} // namespace cppcorn
