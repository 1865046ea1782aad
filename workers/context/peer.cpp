#include "workers/context/peer.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

namespace cppcorn {

void set_address(Peer& peer, const IpAddress& address, std::uint16_t port) {
    write_ip_address(address, peer.address);
    peer.port = port;
}

void set_process(Peer& peer, const ucred& process) {
    *fmt::format_to_n(peer.address, sizeof peer.address - 1, "pid:{} uid:{}", process.pid, process.uid).out = '\0';
}

Peer make_peer(const sockaddr_storage& address, const ListeningSocket& listener, const WorkerSettings& settings) {
    Peer peer;
    peer.listener = &listener;
    const auto ip = ip_address(address);
    peer.trusted = !ip || settings.forwarded_allow_ips.contains(*ip);
    peer.may_send_preamble = !ip || settings.proxy_allow_from.contains(*ip);
    if (!ip) return peer;
    const bool v4 = address.ss_family == AF_INET;
    set_address(peer, *ip,
                ntohs(v4 ? reinterpret_cast<const sockaddr_in&>(address).sin_port
                         : reinterpret_cast<const sockaddr_in6&>(address).sin6_port));
    return peer;
}

} // namespace cppcorn
