#include "server/status/history.hpp"

#include <algorithm>

namespace cppcorn {
namespace {

constexpr std::chrono::seconds window(10); // for the pace

} // namespace

void History::keep_present() {
    if (samples_.size() == most) samples_.pop_front();
    samples_.push_back(present_);
}

std::optional<std::chrono::duration<double>> History::expected_wait() const {
    using Seconds = std::chrono::duration<double>;
    const Sample& last = present_;
    if (!last.waiting) return std::nullopt;
    if (*last.waiting == 0 || samples_.empty()) return Seconds(0);
    const auto begin = std::find_if(samples_.begin(), samples_.end(),
                                    [&](const Sample& sample) { return sample.time >= last.time - window; });
    const Sample& first = begin == samples_.end() ? last : *begin;
    const std::uint64_t taken = last.taken - std::min(last.taken, first.taken);
    if (taken > 0)
        return Seconds(last.time - first.time) * static_cast<double>(*last.waiting) / static_cast<double>(taken);
    SteadyTime since = last.time;
    for (auto sample = samples_.rbegin(); sample != samples_.rend(); ++sample) {
        if (sample->waiting.value_or(0) == 0 || sample->taken != last.taken) break;
        since = sample->time;
    }
    return Seconds(last.time - since);
}

} // namespace cppcorn
