#include "server/release/molds.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <system_error>

#include <spdlog/spdlog.h>

#include "server/process/child.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr auto farewell = 1s; // of an app that a mold destroys

} // namespace

void Molds::settle(Release& release, AppProbe& probe) {
    const std::chrono::duration<double> took = SteadyClock::now() - probe.began();
    release.watched = probe.watched();
    release.mold = probe.take_mold();
    known_[release.mold->pid()] = {release.mold, SteadyClock::now()};
    spdlog::info("Mold ready (pid:{}), after {:.2f} s", release.mold->pid(), took.count());
}

Death Molds::exited(pid_t pid, int wait_status, long peak_kib, const std::vector<std::shared_ptr<Release>>& releases,
                    SteadyTime now) {
    if (probe_ && probe_->pid() == pid) {
        Death death = probe_->death(wait_status, peak_kib);
        const auto reason = probe_->fault(wait_status);
        probe_.reset();
        if (lacking_ && reason) failed(*reason, now);
        return death;
    }
    const SteadyTime since = known_.at(pid).since;
    known_.erase(pid);
    for (const auto& release : releases) {
        if (!release->mold || release->mold->pid() != pid) continue;
        Death death = release->mold->exited(wait_status, peak_kib);
        release->mold.reset();
        if (paced_.lock() != release) pace_.begin_anew();
        paced_ = release;
        pace_.died(since, now);
        spdlog::error("The mold (pid:{}) {}; another one is made of what is on the disk now", pid,
                      text_of_end(wait_status));
        return death;
    }
    return {};
}

void Molds::supervise(const std::shared_ptr<Release>& release, SteadyTime now) {
    end_those_that_were_let_go(now);
    const bool is_lacking = release && release->settings().preload && !release->mold;
    if (is_lacking ? lacking_ != release : lacking_ != nullptr) {
        lacking_ = is_lacking ? release : nullptr;
        if (probe_) probe_->kill(); // another release's
    }
    if (probe_ && probe_->has_loaded()) {
        lacking_ ? settle(*lacking_, *probe_) : let_go(*probe_);
        probe_.reset();
        return supervise(release, now);
    }
    if (probe_ && now >= probe_->deadline()) probe_->kill();
    if (lacking_ && !probe_ && now >= pace_.not_before()) start(now);
}

void Molds::end_those_that_were_let_go(SteadyTime now) {
    for (auto& [pid, known] : known_) {
        if (!known.mold.expired()) continue;
        if (now >= known.kill_at) ::kill(pid, SIGKILL);
        if (known.kill_at == SteadyTime::max() || now >= known.kill_at) known.kill_at = now + farewell;
    }
}

void Molds::start(SteadyTime now) {
    try {
        probe_.emplace(*lacking_, &title_, now, &plan_);
    } catch (const std::system_error& error) {
        failed(error.what(), now);
    }
}

void Molds::failed(const std::string& reason, SteadyTime now) {
    pace_.failed(now);
    spdlog::error("{}", reason);
    spdlog::error("Cannot make another mold: the workers serve on, and none is started; the next try is in {} s",
                  pace_.pause().count());
}

SteadyTime Molds::due() const {
    SteadyTime next = probe_ ? probe_->deadline() : lacking_ ? pace_.not_before() : SteadyTime::max();
    for (const auto& [pid, known] : known_) {
        next = std::min(next, known.mold.expired() ? known.kill_at : SteadyTime::max());
    }
    return next;
}

} // namespace cppcorn
