// Keeps log lines that strangers can cause from filling the disk: one a second, and how many were left out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace cppcorn {

class Seldom {
  public:
    using Time = std::chrono::steady_clock::time_point;

    // Nothing if it is too soon for another line; else how many were left out since the last one.
    std::optional<std::uint64_t> allow(Time now) {
        if (now < next_) {
            ++left_out_;
            return std::nullopt;
        }
        next_ = now + std::chrono::seconds(1);
        return std::exchange(left_out_, 0);
    }

  private:
    Time next_{};
    std::uint64_t left_out_ = 0;
};

} // namespace cppcorn
