#include "server/mold/mold_post.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t most_bells = 2;

struct OrderBytes {
    MoldOrder::Kind kind;
    std::int32_t slot;
};

struct Ancillary {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * most_bells)> bytes{};
};

void attach(msghdr& header, Ancillary& ancillary, std::span<const int> fds) {
    header.msg_control = ancillary.bytes.data();
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(part), fds.data(), fds.size_bytes());
}

void take_bells(msghdr& header, MoldOrder& order) {
    const cmsghdr* const part = CMSG_FIRSTHDR(&header);
    if (part == nullptr || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) return;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::array<int, most_bells> fds{-1, -1};
    std::memcpy(fds.data(), CMSG_DATA(part), std::min(count, most_bells) * sizeof(int));
    order.bell.reset(fds[0]);
    order.understudy_bell.reset(fds[1]);
}

} // namespace

MoldPost MoldPost::open() {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "cannot make a socket pair");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool send_order(int post, MoldOrder::Kind kind, int slot, std::span<const int> bells) {
    OrderBytes order{kind, slot};
    iovec bytes{&order, sizeof order};
    msghdr header{};
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    Ancillary ancillary;
    if (!bells.empty()) attach(header, ancillary, bells.first(std::min(bells.size(), most_bells)));
    return ::sendmsg(post, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof order;
}

bool receive_order(int post, MoldOrder& order) {
    OrderBytes received{};
    iovec bytes{&received, sizeof received};
    Ancillary ancillary;
    msghdr header{};
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = ancillary.bytes.data();
    header.msg_controllen = ancillary.bytes.size();
    const auto size = retry_interrupted([&] { return ::recvmsg(post, &header, MSG_CMSG_CLOEXEC); });
    if (size != sizeof received) return false;
    order = MoldOrder{received.kind, received.slot, UniqueFd(), UniqueFd()};
    take_bells(header, order);
    return true;
}

bool send_notice(int post, const MoldNotice& notice) {
    return ::send(post, &notice, sizeof notice, MSG_NOSIGNAL) == sizeof notice;
}

MoldPostState receive_notice(int post, MoldNotice& notice) {
    const auto size = ::recv(post, &notice, sizeof notice, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return MoldPostState::nothing;
    return size == sizeof notice ? MoldPostState::message : MoldPostState::ended;
}

} // namespace cppcorn
