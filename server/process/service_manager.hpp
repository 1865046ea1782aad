// Tells systemd how the service is (sd_notify's protocol: datagrams to the socket that NOTIFY_SOCKET names), and pings
// its watchdog. Without a service manager, all of it does nothing.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>

#include "base/clock.hpp"
#include "base/server_fd.hpp"

namespace cppcorn {

class ServiceManager {
  public:
    enum class State { starting, ready, reloading, stopping };

    // Takes its variables out of the environment, so that no child of ours takes them for its own. A socket that cannot
    // be reached is logged and done without.
    ServiceManager();

    // Told on if it differs from what was told before. `status` is one line for people.
    void update(State state, const std::string& status);
    // From now on, that process is the one to look after: it is told of no more.
    void hand_over(pid_t successor);
    // This process is the one that was meant.
    void take_over();

    // When ping() is due, or update() because the manager was too busy to be told; SteadyTime::max() for never.
    SteadyTime due() const { return std::min(is_well_ ? ping_due_ : SteadyTime::max(), retry_at_); }
    // A service that is not well is not vouched for; once it is again, it is at once.
    void ping(SteadyTime now, bool is_well = true);

  private:
    bool tell(const std::string& message);

    ServerFd socket_;
    std::chrono::microseconds watchdog_{0}; // between pings; 0: none
    SteadyTime ping_due_ = SteadyTime::max();
    bool is_well_ = true;
    SteadyTime retry_at_ = SteadyTime::max();
    State state_ = State::starting;
    std::string status_;
};

} // namespace cppcorn
