#include "server/supervision/stand_in.hpp"

#include <algorithm>

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr auto pause = 1s; // after one that has failed
constexpr auto grace = 5s; // for the requests that it has begun to read
constexpr auto kill_again = 1s;
constexpr auto log_pause = 60s;

} // namespace

StandIn::Command StandIn::tick(bool wanted, bool stopping, unsigned generation, SteadyTime now) {
    is_wanted_ = wanted;
    if (!wanted) log_at_ = {};
    switch (state_) {
        case State::absent:
            return wanted && now >= not_before_ ? Command::start : Command::none;
        case State::serving:
            if (stopping) return exit_at_once(now);
            if (wanted && generation == generation_) return Command::none;
            state_ = State::retiring;
            kill_at_ = now + grace;
            return Command::retire;
        case State::retiring:
            if (stopping) return exit_at_once(now);
            [[fallthrough]];
        case State::exiting:
            if (now < kill_at_) return Command::none;
            kill_at_ = now + kill_again;
            return Command::kill;
    }
    return Command::none;
}

StandIn::Command StandIn::exit_at_once(SteadyTime now) {
    state_ = State::exiting;
    kill_at_ = now + kill_again;
    return Command::exit;
}

SteadyTime StandIn::due() const {
    const SteadyTime log = is_wanted_ ? log_at_ : SteadyTime::max();
    if (state_ == State::absent) return is_wanted_ ? std::min(not_before_, log) : log;
    return std::min(kill_at_, log);
}

bool StandIn::is_to_be_logged(SteadyTime now) {
    if (!is_wanted_ || now < log_at_) return false;
    log_at_ = now + log_pause;
    return true;
}

void StandIn::started(pid_t pid, unsigned generation) {
    state_ = State::serving;
    pid_ = pid;
    generation_ = generation;
}

void StandIn::start_failed(SteadyTime now) {
    not_before_ = now + pause;
}

void StandIn::exited(SteadyTime now) {
    if (state_ == State::serving) not_before_ = now + pause;
    state_ = State::absent;
    pid_ = 0;
    kill_at_ = SteadyTime::max();
}

} // namespace cppcorn
