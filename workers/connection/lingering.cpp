#include "workers/connection/lingering.hpp"

#include <algorithm>

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds silence{5000};
constexpr auto longest = 30s;
constexpr Milliseconds silence_when_retiring{2000};
constexpr std::uint64_t most_at_once = 4 * 1024 * 1024; // of a client that sends faster than it is read

} // namespace

void Lingering::begin(Stream& stream, const WorkerContext& context) {
    const SteadyTime now = context.now();
    untaken_ = stream.untaken();
    sending_.begin(now, 0);
    taking_.begin(now, 0);
    until_ = now + longest;
    deadline_ = now + (context.ends_connections() ? silence_when_retiring : silence);
}

void Lingering::resume(Stream& stream, const WorkerContext& context, SteadyTime until, SteadyTime deadline) {
    begin(stream, context);
    until_ = std::min(until_, until);
    deadline_ = std::min(deadline_, deadline);
}

bool Lingering::drop(Stream& stream) {
    char dropped[64 * 1024];
    const std::int64_t got = stream.read(dropped, sizeof dropped);
    if (got > 0) dropped_ += static_cast<std::uint64_t>(got);
    return got > 0 || got == -EAGAIN;
}

bool Lingering::drop_all(Stream& stream) {
    const std::uint64_t enough = dropped_ + most_at_once;
    std::uint64_t before;
    do {
        before = dropped_;
        if (!drop(stream)) return false;
    } while (dropped_ != before && dropped_ < enough);
    return true;
}

bool Lingering::go_on(Stream& stream, const WorkerContext& context) {
    const SteadyTime now = context.now();
    // To close is safe where nothing comes in: the kernel sends what is left.
    if (context.ends_connections() && dropped_ == 0) return false;
    const std::uint64_t untaken = stream.untaken();
    if (untaken > 0) {
        const std::uint64_t taken = untaken_ - std::min(untaken_, untaken);
        const SteadyTime give_up_at =
            taking_.deadline(now, taken, context.settings.write_timeout, context.settings.min_rate);
        sending_.begin(now, dropped_);
        if (context.settings.write_timeout.count() > 0) until_ = now + longest;
        deadline_ = std::min({give_up_at, now + silence, until_});
    } else {
        deadline_ = std::min(sending_.deadline(now, dropped_, silence), until_);
        if (context.ends_connections()) return false;
    }
    return now < deadline_;
}

void Lingering::retire(const WorkerContext& context) {
    deadline_ = std::min<SteadyTime>(deadline_, context.now() + silence_when_retiring);
}

} // namespace cppcorn
