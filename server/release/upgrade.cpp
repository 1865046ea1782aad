#include "server/release/upgrade.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system_call.hpp"
#include "server/process/child.hpp"
#include "server/process/exit_codes.hpp"

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

void Upgrade::start(const StartContext& context, const Release& release, const MoveQueue& queue) {
    ServerFd successors_end;
    queue_answer_ = QueueAnswer(successors_end);
    int pipe[2] = {-1, -1};
    if (!release.status_listeners.empty()) check(::pipe2(pipe, O_CLOEXEC | O_NONBLOCK), "cannot make a pipe");
    status_news_.reset(pipe[0]);
    const ServerFd news_end(pipe[1]);
    successor_ = start_successor(
        context, {release.listeners, release.status_listeners, queue, successors_end.get(), news_end.get()},
        release.settings().daemon);
    own_files(all_listeners(release), false);
}

bool Upgrade::successor_exited(int wait_status, const Listeners& listeners, bool ending) {
    const pid_t pid = std::exchange(successor_, 0);
    queue_answer_ = {};
    status_news_.reset();
    successor_shows_status_ = false;
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

bool Upgrade::shows_status(bool serves) {
    // Not for as long as they serve: from then on, the old one has no status process any more.
    if (predecessor_) return shows_status_ = shows_status_ || serves;
    char news = 0;
    if (status_news_.is_open() && ::read(status_news_.get(), &news, 1) == 1) successor_shows_status_ = true;
    return !successor_shows_status_;
}

void Upgrade::note_status_process() {
    if (!predecessor_ || !predecessor_->status_news.is_open()) return;
    [[maybe_unused]] const auto ignored = ::write(predecessor_->status_news.get(), "1", 1);
    predecessor_->status_news.reset();
}

void Upgrade::predecessor_exited(const Listeners& listeners) {
    spdlog::info("The old master (pid:{}) has ended; this one takes its place", predecessor_->pid);
    predecessor_.reset();
    own_files(listeners, true);
}

} // namespace cppcorn
