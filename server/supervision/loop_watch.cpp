#include "server/supervision/loop_watch.hpp"

#include <algorithm>
#include <utility>

namespace cppcorn {

LoopWatch::Findings LoopWatch::look(SteadyTime now, Milliseconds timeout, const std::vector<WorkerEntry>& workers,
                                    const Look& look) {
    due_ = now + std::max(timeout, shortest) / most_missed;
    const std::map<pid_t, Seen> before = std::exchange(seen_, {});
    Findings findings;
    for (const auto& worker : workers) {
        if (worker.state != WorkerState::serving) continue;
        const Signs signs = look(worker.slot);
        const auto last = before.find(worker.pid);
        const bool is_new = last == before.end();
        const bool lives =
            is_new || signs.serves_request || signs.has_answered || signs.requests != last->second.requests;
        const int missed = lives ? 0 : last->second.missed + 1;
        if (missed >= most_missed) {
            findings.stands_still.push_back(worker.pid);
        } else if (!signs.serves_request) {
            findings.to_ask.push_back(worker.slot);
        }
        seen_[worker.pid] = {signs.requests, missed};
    }
    return findings;
}

} // namespace cppcorn
