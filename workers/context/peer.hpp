// Who is at the other end of a connection.
#pragma once

#include <cstdint>

#include <sys/socket.h>

#include "base/address_set.hpp"
#include "workers/context/listening_socket.hpp"
#include "workers/context/worker_settings.hpp"

namespace cppcorn {

struct Peer {
    IpAddressText address = ""; // "" on a unix socket, but "pid:77 uid:0" where only its owner may come in
    std::uint16_t port = 0;     // 0 on a unix socket
    const ListeningSocket* listener = nullptr;
    bool trusted = false;           // what it says of other clients is believed (--forwarded-allow-ips)
    bool may_send_preamble = false; // the PROXY protocol's header (--proxy-allow-from)
};

// An IPv4 address that came through an IPv6 socket (::ffff:192.0.2.1) is told as IPv4.
void set_address(Peer& peer, const IpAddress& address, std::uint16_t port);
// On a unix socket.
void set_process(Peer& peer, const ucred& process);
Peer make_peer(const sockaddr_storage& address, const ListeningSocket& listener, const WorkerSettings& settings);

} // namespace cppcorn
