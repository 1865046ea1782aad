// Looks at the service for those who ask: at the memory that the master and the workers share with this process, at
// /proc, and at the listen queues. It waits for nobody, and nothing that it reads is taken for granted.
#pragma once

#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "server/status/history.hpp"
#include "server/status/listen_queue.hpp"
#include "server/status/totals.hpp"
#include "server/status/view.hpp"
#include "server/supervision/scoreboard.hpp"
#include "server/supervision/service_board.hpp"

namespace cppcorn {

class Watcher {
  public:
    // Slots of the scoreboard from `slot_count` on are no workers'; `stand_in` is that process's, whose answers count.
    struct Slots {
        int count;
        int stand_in;
    };
    // Both outlive it.
    Watcher(const Scoreboard& scoreboard, const ServiceBoard& board, Slots slots, pid_t master, ListenQueues queues);

    // Without what takes system calls for each worker.
    ServiceView glance(SteadyTime now);
    ServiceView look(SteadyTime now);
    // As glance(), and for the history, once a second.
    ServiceView sample(SteadyTime now);
    Totals totals() const;

    const History& history() const { return history_; }

  private:
    ServiceView view(SteadyTime now);
    WorkerView view_of(int slot, const ServiceBoard::Row& row, SteadyTime now) const;
    void note_durations(SteadyTime now);
    int slots_used() const;
    static void add_counters(ServiceView& view, const WorkerCounters& counters);

    const Scoreboard& scoreboard_;
    const ServiceBoard& board_;
    Slots slots_;
    pid_t master_;
    ListenQueues queues_;
    History history_;
    SteadyTime next_minute_{};
    std::vector<Durations> last_;    // of each slot, at the last full minute
    std::vector<Durations> earlier_; // and at the one before
    double most_cpu_seconds_ = 0;    // of all workers, that was ever said
};

} // namespace cppcorn
