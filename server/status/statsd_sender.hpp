// Sends datagrams to statsd, over UDP or to a unix socket. It waits for nobody: what cannot be sent at once is lost, and
// said once. A name is asked for again now and then, as it may have moved.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "server/release/address.hpp"
#include "server/release/resolver.hpp"
#include "server/status/name_lookup.hpp"

namespace cppcorn {

class StatsdSender {
  public:
    // The setting, which parse_statsd() takes.
    explicit StatsdSender(const std::string& address);

    // Whether there is somebody to send to. Looks for them, if that is due.
    bool is_ready(SteadyTime now);
    void send(const std::vector<std::string>& datagrams, SteadyTime now);

  private:
    void look_up(SteadyTime now);
    void open(const SocketAddress& peer, SteadyTime now);
    int put(const std::string& datagram) const;
    void failed(const std::string& why, SteadyTime now);
    void worked(SteadyTime now);

    std::string text_; // for the log
    BindAddress address_;
    NameLookup lookup_;
    SteadyTime look_up_at_{};
    SocketAddress peer_; // that the socket is connected to
    UniqueFd socket_;
    bool is_failing_ = false; // and that was said
    SteadyTime failed_at_{};  // for the last time
};

} // namespace cppcorn
