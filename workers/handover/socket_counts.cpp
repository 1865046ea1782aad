#include "workers/handover/socket_counts.hpp"

#include <cstddef>
#include <cstring>

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace cppcorn {
namespace {

// The kernel's numbers for TCP's states.
constexpr int close_wait = 8;
constexpr int last_ack = 9;
constexpr int closing = 11;

constexpr int most_tries = 100;

// The client's end of the stream is counted as a byte of it.
bool has_client_closed(int state) {
    return state == close_wait || state == last_ack || state == closing;
}

bool read_info(int socket, tcp_info& info) {
    socklen_t size = sizeof info;
    return ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           size >= offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received;
}

// Of a socket; -1: it is none.
int option(int fd, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

} // namespace

std::optional<SocketCounts> counts_of(int socket) {
    tcp_info info{};
    tcp_info after{};
    int unread = 0;
    int unsent = 0;
    // What comes in between the calls would be counted twice or not at all. At a client's pace that is rare.
    for (int tries = 0; tries < most_tries; ++tries) {
        const bool is_known = read_info(socket, info) && ::ioctl(socket, SIOCINQ, &unread) == 0 &&
                              ::ioctl(socket, SIOCOUTQ, &unsent) == 0 && read_info(socket, after);
        if (!is_known) return std::nullopt;
        const bool is_still = info.tcpi_bytes_received == after.tcpi_bytes_received &&
                              info.tcpi_bytes_acked == after.tcpi_bytes_acked && info.tcpi_state == after.tcpi_state;
        if (!is_still) continue;
        const std::uint64_t end = has_client_closed(info.tcpi_state) ? 1 : 0;
        const std::uint64_t waiting = static_cast<std::uint64_t>(unread) + end;
        if (info.tcpi_bytes_received < waiting) return std::nullopt;
        return SocketCounts{info.tcpi_bytes_received - waiting,
                            info.tcpi_bytes_acked + static_cast<std::uint64_t>(unsent)};
    }
    return std::nullopt;
}

bool is_connection(int fd) {
    return option(fd, SO_TYPE) == SOCK_STREAM && option(fd, SO_ACCEPTCONN) == 0;
}

bool is_listener(int fd) {
    return option(fd, SO_TYPE) == SOCK_STREAM && option(fd, SO_ACCEPTCONN) == 1;
}

bool is_same_end(int one, int other) {
    sockaddr_storage ends[2]{};
    socklen_t sizes[2] = {sizeof ends[0], sizeof ends[1]};
    const bool are_known = ::getsockname(one, reinterpret_cast<sockaddr*>(&ends[0]), &sizes[0]) == 0 &&
                           ::getsockname(other, reinterpret_cast<sockaddr*>(&ends[1]), &sizes[1]) == 0;
    if (!are_known || ends[0].ss_family != ends[1].ss_family) return false;
    // A listener may listen at all addresses of the machine.
    if (ends[0].ss_family == AF_INET)
        return reinterpret_cast<sockaddr_in&>(ends[0]).sin_port == reinterpret_cast<sockaddr_in&>(ends[1]).sin_port;
    if (ends[0].ss_family == AF_INET6)
        return reinterpret_cast<sockaddr_in6&>(ends[0]).sin6_port == reinterpret_cast<sockaddr_in6&>(ends[1]).sin6_port;
    const bool is_named = sizes[0] > sizeof(sa_family_t);
    return is_named && sizes[0] == sizes[1] && std::memcmp(&ends[0], &ends[1], sizes[0]) == 0;
}

} // namespace cppcorn
