// What the host of a bind setting means: numbers, from the hosts file or the resolver.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "base/clock.hpp"
#include "server/release/address.hpp"

namespace cppcorn {

// An address that cannot be bound: "cannot bind 127.0.0.1:8000: Address already in use".
class BindError : public std::runtime_error {
  public:
    BindError(const std::string& what, Milliseconds retry_for) : std::runtime_error(what), retry_for_(retry_for) {}
    // How long it is worth trying again, as it may be free, there, or known to the resolver by then; 0: not at all.
    Milliseconds retry_for() const { return retry_for_; }

  private:
    Milliseconds retry_for_;
};

// A number and a port, as the system wants them.
struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

// A number means itself. A name means the first address that it has in each family, IPv4 first; that of IPv6 is left out
// where this machine has none. Never empty. Throws BindError. It may take as long as the resolver does.
std::vector<SocketAddress> resolve(const BindAddress& address, Milliseconds retry_for);

} // namespace cppcorn
