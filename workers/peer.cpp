#include "workers/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

namespace cppcorn {

Peer make_peer(const sockaddr_storage& address, const ListeningSocket& listener, const Settings& settings) {
    Peer peer;
    peer.listener = &listener;
    const auto ip = ip_address(address);
    peer.trusted = !ip || settings.forwarded_allow_ips.contains(*ip);
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        ::inet_ntop(AF_INET, &v4.sin_addr, peer.address, sizeof peer.address);
        peer.port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
        ::inet_ntop(mapped ? AF_INET : AF_INET6, v6.sin6_addr.s6_addr + (mapped ? 12 : 0), peer.address,
                    sizeof peer.address);
        peer.port = ntohs(v6.sin6_port);
    }
    return peer;
}

} // namespace cppcorn
