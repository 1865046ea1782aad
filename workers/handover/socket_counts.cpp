#include "workers/handover/socket_counts.hpp"

#include <cstddef>

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

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
    int type = 0;
    int listens = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) return false;
    size = sizeof listens;
    return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens == 0;
}

bool is_log(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return false;
    const int flags = ::fcntl(fd, F_GETFL);
    const bool is_appended_to = S_ISREG(status.st_mode) && flags >= 0 && (flags & O_APPEND) != 0;
    return is_appended_to || S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode);
}

} // namespace cppcorn
