#include "server/lookout/lookout.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/log/error_log.hpp"
#include "server/lookout/lookout_process.hpp"
#include "server/process/daemon.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

// A daemon's children do not have the terminal that the master may still have.
void leave_streams(const Settings& settings) {
    leave_terminal(settings);
    reopen_error_log();
}

constexpr auto pause = 1s;            // before another one is started, or one that was let go is killed
constexpr auto pause_of_post = 100ms; // when it reads nothing
constexpr auto long_enough = 60s;     // what ends after such a time is news again

} // namespace

void Lookout::bell_changed(int slot) {
    if (scoreboard_.understudy_bell(slot).fd() >= 0) {
        slots_.insert(slot);
    } else if (slots_.erase(slot) == 0) {
        return;
    }
    to_tell_.insert(slot);
}

void Lookout::exited(int wait_status, SteadyTime now) {
    const pid_t pid = std::exchange(pid_, 0);
    const bool was_let_go = !post_.is_open();
    post_.reset();
    scoreboard_.lookout_sleeps() = false; // nobody is to ring in vain
    if (was_let_go) return;
    if (now >= started_at_ + long_enough) trouble_logged_ = false;
    if (!std::exchange(trouble_logged_, true)) {
        spdlog::error("The lookout (pid:{}) {}; another one is started", pid, text_of_end(wait_status));
    }
    not_before_ = now + pause;
}

void Lookout::supervise(const Release& release, bool stays, SteadyTime now) {
    const bool is_wanted = !slots_.empty() || (stays && pid_ != 0);
    if (!is_wanted) {
        let_go();
        to_tell_.clear();
    }
    if (pid_ != 0 && !post_.is_open() && now >= kill_at_) {
        kill_at_ = now + pause;
        ::kill(pid_, SIGKILL);
    }
    if (is_wanted && pid_ == 0 && now >= not_before_) start(release, now);
    tell_changes(now);
}

// The end of its post is its own.
void Lookout::let_go() {
    if (!post_.is_open()) return;
    post_.reset();
    kill_at_ = SteadyClock::now() + pause;
}

void Lookout::start(const Release& release, SteadyTime now) {
    try {
        BellPost post = BellPost::open();
        const int leash = pipes_.leash_read.get();
        const int lookouts_end = post.lookout.get();
        const ChildPlan plan{ChildRole::lookout,
                             release.settings().display_name(),
                             release.identity,
                             {leash, lookouts_end, scoreboard_.lookout_bell().fd()}};
        pid_ = fork_child(plan, &title_, [&] {
            if (release.settings().daemon) leave_streams(release.settings());
            return run_lookout(scoreboard_, lookouts_end, leash);
        });
        post_ = std::move(post.master);
        started_at_ = now;
        to_tell_ = slots_;
    } catch (const std::system_error& error) {
        if (!std::exchange(trouble_logged_, true)) spdlog::error("Cannot start the lookout: {}", error.what());
        not_before_ = now + pause;
    }
}

void Lookout::tell_changes(SteadyTime now) {
    tell_again_ = SteadyTime::max();
    if (!post_.is_open()) return;
    while (!to_tell_.empty()) {
        const int slot = *to_tell_.begin();
        if (!send_bell(post_.get(), slot, scoreboard_.understudy_bell(slot).fd())) {
            tell_again_ = now + pause_of_post;
            return;
        }
        to_tell_.erase(to_tell_.begin());
    }
}

SteadyTime Lookout::due() const {
    if (pid_ == 0) return slots_.empty() ? SteadyTime::max() : not_before_;
    return post_.is_open() ? tell_again_ : kill_at_;
}

} // namespace cppcorn
