#include "server/release/upgrade.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/exit_codes.hpp"
#include "server/process/child.hpp"

namespace cppcorn {
namespace {

void own_files(const Listeners& listeners, bool owned) {
    for (const auto& listener : listeners) listener->own_file(owned);
}

} // namespace

std::optional<std::string> Upgrade::obstacle() const {
    if (successor_ != 0) return fmt::format("the new master (pid:{}) is still there", successor_);
    if (predecessor_) return fmt::format("the old master (pid:{}) is still there", predecessor_->pid);
    if (::getpid() == 1) return "pid 1 cannot be replaced: its exit stops the container";
    return std::nullopt;
}

void Upgrade::start(const StartContext& context, const Listeners& listeners, const MoveQueue& queue,
                    bool stderr_to_error_log) {
    ServerFd successors_end;
    queue_answer_ = QueueAnswer(successors_end);
    successor_ = start_successor(context, {listeners, queue, successors_end.get()}, stderr_to_error_log);
    own_files(listeners, false);
}

bool Upgrade::successor_exited(int wait_status, const Listeners& listeners, bool ending) {
    const pid_t pid = std::exchange(successor_, 0);
    queue_answer_ = {};
    const bool is_clean = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == exit_clean;
    const std::string how = text_of_end(wait_status);
    own_files(listeners, true);
    if (ending) {
        spdlog::critical("The new master (pid:{}) {}, while this one is stopping: nothing serves after it", pid, how);
    } else {
        spdlog::log(is_clean ? spdlog::level::info : spdlog::level::err,
                    "The new master (pid:{}) {}; this one serves on", pid, how);
    }
    return is_clean;
}

void Upgrade::predecessor_exited(const Listeners& listeners) {
    spdlog::info("The old master (pid:{}) has ended; this one takes its place", predecessor_->pid);
    predecessor_.reset();
    own_files(listeners, true);
}

} // namespace cppcorn
