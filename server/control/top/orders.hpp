// The orders that were given and have no outcome yet. Tells the session what becomes of them.
#pragma once

#include <vector>

#include "server/control/control_client.hpp"
#include "server/control/top/session.hpp"

namespace cppcorn::top {

class Orders {
  public:
    // Both outlive it.
    Orders(const ControlClient& client, Session& session) : client_(client), session_(session) {}

    void give(const Order& order);
    // Asks what has become of them. Throws ControlError if nobody can be asked now; they are asked for again next time.
    void look();
    // No more of them: whoever is asked now never was given them.
    void forget();
    bool are_under_way() const { return !given_.empty(); }

  private:
    struct Given {
        Order order;
        std::uint64_t number;
    };
    // Whether it has an outcome, which the session was told of.
    bool has_ended(const Order& order, const ControlOrder& outcome);

    const ControlClient& client_;
    Session& session_;
    std::vector<Given> given_;
};

} // namespace cppcorn::top
