// How long things took, counted in bands: memory that one process writes, with plain stores, and others read.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/counter.hpp"

namespace cppcorn {

// Plain data, zero at first.
class DurationHistogram {
  public:
    using Nanoseconds = std::chrono::nanoseconds;

    // The longest time of each band but the last, which has no end.
    static constexpr std::array<Nanoseconds, 18> bounds = [] {
        using namespace std::chrono_literals;
        return std::array<Nanoseconds, 18>{100us, 250us, 500us, 1ms, 2500us, 5ms, 10ms, 25ms, 50ms,
                                           100ms, 250ms, 500ms, 1s,  2500ms, 5s,  10s,  30s,  60s};
    }();
    static constexpr std::size_t band_count = bounds.size() + 1;

    void add(Nanoseconds time) {
        std::size_t band = 0;
        while (band < bounds.size() && time > bounds[band]) ++band; // most are in one of the first
        bands_[band].add();
        total_.add(static_cast<std::uint64_t>(time.count()));
    }

    std::uint64_t in_band(std::size_t band) const { return bands_[band].value(); }
    // Of all times together, in nanoseconds. May lack the last one that a band has.
    std::uint64_t total() const { return total_.value(); }

  private:
    std::array<Counter, band_count> bands_{};
    Counter total_{};
};

} // namespace cppcorn
