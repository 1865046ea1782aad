#include "server/status/listen_queue.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

constexpr unsigned listening = 10; // TCP_LISTEN, also of unix sockets

template <class Request>
bool send_request(int socket, Request request, int flags) {
    struct {
        nlmsghdr header;
        Request request;
    } message{};
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    message.request = request;
    return ::send(socket, &message, sizeof message, MSG_NOSIGNAL) == sizeof message;
}

} // namespace

ListenQueues::ListenQueues(const Listeners& listeners) {
    for (const auto& listener : listeners) {
        struct stat status {};
        if (::fstat(listener->for_worker().fd, &status) != 0) continue;
        const BindAddress& bound = listener->bound();
        const int family = bound.kind == BindAddress::Kind::tcp4   ? AF_INET
                           : bound.kind == BindAddress::Kind::tcp6 ? AF_INET6
                                                                   : AF_UNIX;
        places_.push_back({bound.setting(), status.st_ino, family});
    }
}

std::vector<ListenQueue> ListenQueues::look() {
    std::vector<ListenQueue> queues;
    if (!socket_.is_open()) {
        socket_.reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
    }
    for (const int family : {AF_INET, AF_INET6}) {
        const bool is_any =
            std::any_of(places_.begin(), places_.end(), [&](auto& each) { return each.family == family; });
        if (is_any && ask_tcp(family)) read_answers(queues);
    }
    for (const auto& place : places_) {
        if (place.family == AF_UNIX && ask_unix(place.inode)) read_answers(queues);
    }
    return queues;
}

// All of a family: the kernel finds none by its number.
bool ListenQueues::ask_tcp(int family) {
    inet_diag_req_v2 request{};
    request.sdiag_family = static_cast<std::uint8_t>(family);
    request.sdiag_protocol = IPPROTO_TCP;
    request.idiag_states = 1U << listening;
    return send_request(socket_.get(), request, NLM_F_DUMP);
}

bool ListenQueues::ask_unix(std::uint64_t inode) {
    unix_diag_req request{};
    request.sdiag_family = AF_UNIX;
    request.udiag_states = 1U << listening;
    request.udiag_ino = static_cast<std::uint32_t>(inode);
    request.udiag_show = UDIAG_SHOW_RQLEN;
    request.udiag_cookie[0] = request.udiag_cookie[1] = static_cast<std::uint32_t>(INET_DIAG_NOCOOKIE);
    return send_request(socket_.get(), request, NLM_F_ACK);
}

// The kernel has all of an answer ready when it is asked for it.
void ListenQueues::read_answers(std::vector<ListenQueue>& queues) {
    alignas(nlmsghdr) std::array<char, 32768> room;
    for (;;) {
        const ssize_t size = retry_interrupted([&] { return ::recv(socket_.get(), room.data(), room.size(), 0); });
        if (size <= 0) return;
        auto left = static_cast<unsigned>(size);
        for (const auto* message = reinterpret_cast<const nlmsghdr*>(room.data()); NLMSG_OK(message, left);
             message = NLMSG_NEXT(message, left)) {
            if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) return;
            if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY) continue;
            take_answer(NLMSG_DATA(message), NLMSG_PAYLOAD(message, 0), queues);
        }
    }
}

void ListenQueues::take_answer(const void* data, std::size_t size, std::vector<ListenQueue>& queues) const {
    if (size < sizeof(unix_diag_msg)) return;
    if (static_cast<const std::uint8_t*>(data)[0] != AF_UNIX) {
        inet_diag_msg answer;
        if (size < sizeof answer) return;
        std::memcpy(&answer, data, sizeof answer);
        return add(answer.idiag_inode, answer.idiag_rqueue, answer.idiag_wqueue, queues);
    }
    unix_diag_msg answer;
    std::memcpy(&answer, data, sizeof answer);
    auto left = static_cast<int>(size - NLMSG_ALIGN(sizeof answer));
    const auto* attribute =
        reinterpret_cast<const rtattr*>(static_cast<const char*>(data) + NLMSG_ALIGN(sizeof answer));
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        if (attribute->rta_type != UNIX_DIAG_RQLEN || RTA_PAYLOAD(attribute) < sizeof(unix_diag_rqlen)) continue;
        unix_diag_rqlen lengths;
        std::memcpy(&lengths, RTA_DATA(attribute), sizeof lengths);
        add(answer.udiag_ino, lengths.udiag_rqueue, lengths.udiag_wqueue, queues);
    }
}

void ListenQueues::add(std::uint64_t inode, std::uint64_t waiting, std::uint64_t limit,
                       std::vector<ListenQueue>& queues) const {
    for (const auto& place : places_) {
        if (static_cast<std::uint32_t>(place.inode) != inode) continue;
        // With --reuse-port, several sockets may have one address. Two values of one name are none for Prometheus.
        auto queue = std::find_if(queues.begin(), queues.end(),
                                  [&](const ListenQueue& each) { return each.address == place.address; });
        if (queue == queues.end()) queue = queues.insert(queue, {place.address, 0, 0});
        queue->waiting += waiting;
        queue->limit += limit;
        return;
    }
}

} // namespace cppcorn
