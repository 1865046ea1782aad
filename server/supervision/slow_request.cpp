#include "server/supervision/slow_request.hpp"

#include <exception>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/log/logged_request.hpp"
#include "server/post_mortem/live_stack.hpp"
#include "server/supervision/worker_stack.hpp"

namespace cppcorn {

void tell_of_slow_request(const WorkerEntry& worker, const ScoreboardSlot& slot, const Release& release,
                          PostMortems& post_mortems) {
    Death facts = facts_of_living(worker, slot, release);
    if (facts.request.empty()) return; // it is over by now
    facts.headline = fmt::format("Slow request (pid:{}): {}", facts.pid, request_text(facts));
    const LoggedRequest logged({facts.request_id, facts.request, facts.client.c_str()});
    if (has_interpreter(facts.pid, release)) {
        spdlog::warn("{}; its stack follows", facts.headline);
        return ask_interpreter(facts.pid);
    }
    // Where all workers are slow at once, the master is not to stop for each of them.
    if (!post_mortems.takes_living()) return spdlog::warn("{}; no stack: others come first", facts.headline);
    try {
        facts.stack = take_live_stack(facts.pid);
    } catch (const std::exception& error) {
        return spdlog::warn("{}; no stack: {}", facts.headline, error.what());
    }
    post_mortems.add_living(std::move(facts));
}

} // namespace cppcorn
