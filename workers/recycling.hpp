// When a worker has done enough and asks for a replacement: after so many requests, so much memory, so much time.
#pragma once

#include <chrono>
#include <cstdint>

#include "workers/context/worker_settings.hpp"

namespace cppcorn {

class Recycling {
  public:
    using Time = std::chrono::steady_clock::time_point;

    // `dice` spreads the jitter over the workers: any number that differs between them.
    Recycling(const WorkerSettings& settings, Time started, std::uint64_t dice);

    // After a request, or when due() has come. True once at most: the reason is in reason().
    bool enough(std::uint64_t requests, Time now);
    const char* reason() const { return reason_; }
    // When time alone makes it enough.
    Time due() const { return told_ ? Time::max() : end_of_life_; }

  private:
    std::uint64_t most_requests_;
    std::uint64_t most_memory_;
    Time end_of_life_;
    bool told_ = false;
    const char* reason_ = "";
};

// Of this process, in bytes; 0 if it cannot be told.
std::uint64_t resident_memory();

} // namespace cppcorn
