#include "server/supervision/slow_watch.hpp"

#include <algorithm>
#include <utility>

namespace cppcorn {

std::vector<WorkerEntry> SlowWatch::look(SteadyTime now, Milliseconds limit, const std::vector<WorkerEntry>& workers,
                                         const Look& look) {
    due_ = now + limit;
    const auto before = std::exchange(found_, {});
    std::vector<WorkerEntry> slow;
    for (const auto& worker : workers) {
        const Sight sight = look(worker.slot);
        if (!sight.busy) continue;
        const auto known = before.find(worker.pid);
        const bool is_known = known != before.end() && known->second == sight.requests;
        if (!is_known && now < sight.began + limit) {
            due_ = std::min(due_, sight.began + limit);
            continue;
        }
        found_[worker.pid] = sight.requests;
        if (is_known) continue;
        slow.push_back(worker);
        ++count_;
    }
    return slow;
}

} // namespace cppcorn
