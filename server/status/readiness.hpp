// What /live and /ready say. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "server/status/view.hpp"

namespace cppcorn {

struct Readiness {
    bool is_fine = false;
    std::string reason; // one line
};

// The settings of that name; 0: no limit.
struct ReadyLimits {
    std::uint64_t max_queue = 0;
    Milliseconds max_wait{0};
};

// A master that has not gone round for longer is not well: it does so each second.
inline constexpr std::chrono::seconds longest_silence(5);

// Whether the master is there and goes round.
Readiness liveness(const ServiceView& view);
// Whether the service should be sent requests.
Readiness readiness(const ServiceView& view, const ReadyLimits& limits);

} // namespace cppcorn
