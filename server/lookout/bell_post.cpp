#include "server/lookout/bell_post.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

// Room for one descriptor beside a message.
struct Ancillary {
    alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(int))];
};

void attach(msghdr& header, Ancillary& ancillary, int fd) {
    header.msg_control = ancillary.bytes;
    header.msg_controllen = sizeof ancillary.bytes;
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(part), &fd, sizeof fd);
}

UniqueFd attached(msghdr& header) {
    const cmsghdr* const part = CMSG_FIRSTHDR(&header);
    if (part == nullptr || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) return UniqueFd();
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(part), sizeof fd);
    return UniqueFd(fd);
}

} // namespace

BellPost BellPost::open() {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), "cannot make a socket pair");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool send_bell(int post, int slot, int bell) {
    std::int32_t number = slot;
    iovec bytes{&number, sizeof number};
    msghdr header{};
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    Ancillary ancillary{};
    if (bell >= 0) attach(header, ancillary, bell);
    return ::sendmsg(post, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof number;
}

BellPostState receive_bell(int post, BellMessage& message) {
    std::int32_t number = -1;
    iovec bytes{&number, sizeof number};
    Ancillary ancillary{};
    msghdr header{};
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = ancillary.bytes;
    header.msg_controllen = sizeof ancillary.bytes;
    const auto size = ::recvmsg(post, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return BellPostState::nothing;
    if (size != sizeof number) return BellPostState::ended;
    message.slot = number;
    message.bell = attached(header);
    return BellPostState::message;
}

} // namespace cppcorn
