// The way of an order from the status process to the master: a socket pair whose messages are whole or not there. Neither
// side ever waits for the other one.
#pragma once

#include <optional>

#include "base/server_fd.hpp"
#include "server/control/order.hpp"

namespace cppcorn {

class OrderPost {
  public:
    // Throws std::system_error.
    static OrderPost open();

    // Status process. False: the master has taken none for a while, and no more can wait.
    bool put(const NumberedOrder& order) const;
    // Kept by the status process alone.
    int put_fd() const { return put_.get(); }

    // Master. nullopt: there is none, or what came was none, which is dropped.
    std::optional<NumberedOrder> take() const;
    // Readable: take().
    int take_fd() const { return take_.get(); }

  private:
    ServerFd put_;
    ServerFd take_;
};

} // namespace cppcorn
