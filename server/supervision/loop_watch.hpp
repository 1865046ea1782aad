// Which workers' loops no longer turn: of workers that were stopped, or hang in a signal handler or in a write that
// never ends. A request has its own deadline; this is for all that a worker does outside of requests.
//
// The master asks (WorkerOrder::answer), and a loop that turns takes the order. So an idle worker wakes twice in a
// --timeout, and no request costs anything. Looks are counted, not time: a master that was stopped itself finds a worker
// that does not answer at one look, however long that was, and asks again.
//
// Pure, as WorkerTable is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "server/supervision/worker_table.hpp"

namespace cppcorn {

class LoopWatch {
  public:
    // What a worker shows of itself.
    struct Signs {
        bool serves_request = false; // it is the request's deadline that counts, then
        std::uint64_t requests = 0;  // that it has served
        bool has_answered = false;   // what it was asked last
    };
    using Look = std::function<Signs(int slot)>;

    struct Findings {
        std::vector<int> to_ask;         // slots
        std::vector<pid_t> stands_still; // since --timeout at least, and half of one more at most
    };

    // When it is time to look.
    SteadyTime due() const { return due_; }
    // Looks at those that serve; the others have deadlines of their own. `timeout` is --timeout, and not 0.
    Findings look(SteadyTime now, Milliseconds timeout, const std::vector<WorkerEntry>& workers, const Look& look);
    // The master was suspended, and perhaps the workers, too: nobody has missed anything.
    void restart() { seen_.clear(); }

    static constexpr int most_missed = 2;         // looks at which it has not answered
    static constexpr Milliseconds shortest{1000}; // however short --timeout is: less is a busy machine

  private:
    struct Seen {
        std::uint64_t requests = 0;
        int missed = 0;
    };

    std::map<pid_t, Seen> seen_; // at the last look
    SteadyTime due_{};
};

} // namespace cppcorn
