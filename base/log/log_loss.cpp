#include "base/log/log_loss.hpp"

#include <utility>

namespace cppcorn {

namespace {

Counter* lost_lines = nullptr;

} // namespace

void count_lost_lines(Counter* counter) {
    lost_lines = counter;
}

LogNews LogLoss::note(std::uint64_t lines, int error, SteadyTime now) {
    if (lines == 0 && lines_ == 0) return {};
    if (owner_ != ::getpid()) {
        *this = LogLoss();
        owner_ = ::getpid();
    }
    if (lines > 0) {
        if (lost_lines != nullptr) lost_lines->add_shared(lines);
        lines_ += lines;
        if (told_ || now < quiet_until_) return {};
        told_ = true;
        return {LogNews::Kind::fails, error, 0};
    }
    if (lines_ == 0 || now < quiet_until_) return {};
    told_ = false;
    quiet_until_ = now + quiet_time;
    return {LogNews::Kind::works_again, 0, std::exchange(lines_, 0)};
}

} // namespace cppcorn
