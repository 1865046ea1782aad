#include "server/control/order_post.hpp"

#include <array>
#include <string>

#include <sys/socket.h>

#include "base/system_call.hpp"

namespace cppcorn {

OrderPost OrderPost::open() {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), "cannot make a socket pair");
    OrderPost post;
    post.put_.reset(ends[0]);
    post.take_.reset(ends[1]);
    return post;
}

bool OrderPost::put(const NumberedOrder& order) const {
    const std::string message = pack_order(order);
    return ::send(put_.get(), message.data(), message.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(message.size());
}

std::optional<NumberedOrder> OrderPost::take() const {
    constexpr int most_dropped = 16; // at once: whoever puts in nothing else does not hold the master up
    std::array<char, sizeof(OrderMessage) + 1> bytes{}; // a longer one is none
    for (int i = 0; i < most_dropped; ++i) {
        const ssize_t size = ::recv(take_.get(), bytes.data(), bytes.size(), 0);
        if (size <= 0) return std::nullopt;
        if (const auto order = unpack_order({bytes.data(), static_cast<std::size_t>(size)})) return order;
    }
    return std::nullopt;
}

} // namespace cppcorn
