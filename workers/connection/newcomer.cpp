#include "workers/connection/newcomer.hpp"

#include <algorithm>
#include <cstring>

#include <sys/socket.h>

#include "base/clock.hpp"
#include "workers/connection/connection.hpp"
#include "workers/connection/shared_seats.hpp"
#include "workers/context/peer.hpp"
#include "workers/handover/socket_counts.hpp"

namespace cppcorn {

bool record_of_newcomer(int socket, const std::vector<ListeningSocket>& listeners, const WorkerSettings& settings,
                        ConnectionRecord& record) {
    const auto listener = std::find_if(listeners.begin(), listeners.end(),
                                       [&](const auto& each) { return is_same_end(each.fd, socket); });
    if (listener == listeners.end()) return false;
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
    const Peer peer = make_peer(address, *listener, settings);
    const Connection connection(peer, settings, SteadyClock::now());
    Seat seat{};
    write_peer(seat, peer);
    record = {};
    record.listener = facts_of(*listener);
    std::memcpy(record.address, seat.address, sizeof record.address);
    record.port = seat.port;
    record.flags = seat.flags;
    record.phase = connection.phase();
    record.deadline = connection.deadline().time_since_epoch().count();
    return true;
}

} // namespace cppcorn
