#include "server/supervision/suspension.hpp"

#include <spdlog/spdlog.h>

namespace cppcorn {
namespace {

constexpr auto shortest = std::chrono::seconds(1); // less is a busy machine

} // namespace

std::optional<SteadyTime::duration> Suspension::note_wait(SteadyTime began, SteadyTime due, SteadyTime now) {
    if (now < due + shortest) return std::nullopt;
    length_ = now - began; // it may have begun at once
    ended_ = now;
    spdlog::warn("Master was suspended for {:.1f} s; extending deadlines",
                 std::chrono::duration<double>(length_).count());
    return length_;
}

SteadyTime Suspension::extended(SteadyTime deadline, SteadyTime began) const {
    return deadline == SteadyTime::max() || began >= ended_ ? deadline : deadline + length_;
}

} // namespace cppcorn
