// How long a reload takes, for the log: from when it was asked for until workers of the new release serve. Lives as long
// as the master and knows one reload at a time; children have no use for it. Nothing in it can fail.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "server/supervision/worker_table.hpp"

namespace cppcorn {

class ReloadClock {
  public:
    // A reload was asked for, which is to replace that generation. Changes nothing while one is under way.
    void begin(unsigned generation, SteadyTime now);
    // Nothing has come of it.
    void drop() { start_.reset(); }
    // A worker has become ready. Logs the end of the reload that is under way, if that worker was the last one that was
    // missing; old ones may still finish what they have begun. `build`: the id of the build that serves now.
    // True if that was it.
    bool log_end(const WorkerTable& table, const std::string& build, SteadyTime now);

  private:
    struct Start {
        SteadyTime time;
        unsigned generation; // that is replaced
    };

    std::optional<Start> start_; // of the reload that is under way
};

} // namespace cppcorn
