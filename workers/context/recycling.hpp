// When a worker has done enough and asks for a replacement: after so many requests, so much memory, so much time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "workers/context/worker_settings.hpp"

namespace cppcorn {

class Recycling {
  public:
    // `dice` spreads the jitter over the workers: any number that differs between them.
    Recycling(const WorkerSettings& settings, SteadyTime started, std::uint64_t dice);

    // Call it after a request, and when due() has come. Gives the reason for a replacement the first time that there is
    // one; nullopt before that, and always afterwards: asking once is enough.
    std::optional<std::string_view> poll_reason(std::uint64_t requests, SteadyTime now) {
        const bool may_have_one = requests >= most_requests_ || most_memory_ > 0 || now >= end_of_life_;
        return may_have_one && !given_ ? find_reason(requests, now) : std::nullopt;
    }
    // When time alone is a reason; SteadyTime::max() for never, and once a reason was given.
    SteadyTime due() const { return given_ ? SteadyTime::max() : end_of_life_; }

  private:
    std::optional<std::string_view> find_reason(std::uint64_t requests, SteadyTime now);

    std::uint64_t most_requests_;
    std::uint64_t most_memory_;
    SteadyTime end_of_life_;
    bool given_ = false; // a reason
};

// Of this process, in bytes; 0 if it cannot be told.
std::uint64_t resident_memory();

} // namespace cppcorn
