// Listeners that connections of this worker came by while they were another worker's: it may never have had them. Each
// is kept once, as long as the worker lives.
#pragma once

#include <deque>
#include <string_view>

#include "workers/context/listening_socket.hpp"
#include "workers/handover/listener_facts.hpp"

namespace cppcorn {

class KnownListeners {
  public:
    // Valid as long as this is. Null: there are more of them than any service has.
    const ListeningSocket* find(const ListenerFacts& facts) {
        const std::string_view name(facts.server_name);
        for (const auto& each : listeners_) {
            if (each.server_name == name && each.server_port == facts.server_port &&
                each.outlives_service == (facts.outlives_service != 0))
                return &each;
        }
        if (listeners_.size() >= most) return nullptr;
        return &listeners_.emplace_back(
            ListeningSocket{-1, std::string(name), facts.server_port, facts.outlives_service != 0});
    }

    static constexpr std::size_t most = 1024;

  private:
    std::deque<ListeningSocket> listeners_; // which does not move them
};

} // namespace cppcorn
