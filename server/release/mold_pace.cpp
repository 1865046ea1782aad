#include "server/release/mold_pace.hpp"

#include <algorithm>

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds longest_pause = 30s;
constexpr auto long_enough = 60s; // what has lived so long is no sign of trouble
constexpr int most_doublings = 5;

} // namespace

void MoldPace::died(SteadyTime since, SteadyTime now) {
    if (now >= since + long_enough) troubles_ = 0;
    ++troubles_;
    has_failed_ = false;
    not_before_ = now + pause();
}

void MoldPace::failed(SteadyTime now) {
    ++troubles_;
    has_failed_ = true;
    not_before_ = now + pause();
}

std::chrono::seconds MoldPace::pause() const {
    if (troubles_ < 2) return has_failed_ ? 1s : 0s;
    return std::min(longest_pause, std::chrono::seconds(1 << std::min(troubles_ - 2, most_doublings)));
}

} // namespace cppcorn
