// How the service was during the last minutes, second by second. Pure: it is told the samples.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.hpp"

namespace cppcorn {

// One look at the service. What only grows counts from the service's begin.
struct Sample {
    SteadyTime time;
    std::optional<std::uint64_t> waiting; // connections in the listen queues; nullopt: not known
    std::uint64_t taken = 0;              // connections that workers have accepted
    std::uint64_t busy = 0;               // workers
    std::uint64_t answers = 0;
    std::uint64_t errors = 0; // of these, with a status of 500 and above
};

class History {
  public:
    static constexpr std::size_t most = 300;

    // The service as it is now.
    void set_present(const Sample& sample) { present_ = sample; }
    // And as it is to be remembered.
    void keep_present();
    const std::deque<Sample>& samples() const { return samples_; } // the latest last

    // How long a connection that comes now will wait for a worker: as long as it takes to take those before it, at the pace
    // of the last ten seconds; where none was taken, at least as long as they have waited. nullopt: not known.
    std::optional<std::chrono::duration<double>> expected_wait() const;

  private:
    Sample present_{};
    std::deque<Sample> samples_;
};

} // namespace cppcorn
