#include "server/release/resolver.hpp"

#include <cerrno>
#include <cstring>

#include <netdb.h>
#include <netinet/in.h>

#include "base/unique_fd.hpp"

namespace cppcorn {
namespace {

struct AddressList {
    addrinfo* first = nullptr;
    ~AddressList() {
        if (first != nullptr) ::freeaddrinfo(first);
    }
};

// As getaddrinfo(3). IPv4 first.
int look_up(const char* host, std::uint16_t port, std::vector<SocketAddress>& found) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    AddressList list;
    const int error = ::getaddrinfo(host, std::to_string(port).c_str(), &hints, &list.first);
    if (error != 0) return error;
    for (const int family : {AF_INET, AF_INET6}) {
        const addrinfo* info = list.first;
        while (info != nullptr && info->ai_family != family) info = info->ai_next;
        if (info == nullptr) continue;
        SocketAddress address;
        std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
        address.size = info->ai_addrlen;
        found.push_back(address);
    }
    return found.empty() ? EAI_FAMILY : 0;
}

// localhost is this machine, whether or not there is a hosts file that says so (RFC 6761, 6.3).
std::vector<SocketAddress> loopback(std::uint16_t port) {
    std::vector<SocketAddress> found;
    for (const char* number : {"127.0.0.1", "::1"}) look_up(number, port, found);
    return found;
}

// Hosts files name ::1 also where IPv6 is switched off.
bool is_missing(const SocketAddress& address) {
    if (address.storage.ss_family != AF_INET6) return false;
    const UniqueFd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.is_open()) return errno == EAFNOSUPPORT;
    SocketAddress any_port = address;
    reinterpret_cast<sockaddr_in6&>(any_port.storage).sin6_port = 0;
    const auto* const generic = reinterpret_cast<const sockaddr*>(&any_port.storage);
    return ::bind(socket.get(), generic, any_port.size) != 0 && errno == EADDRNOTAVAIL;
}

} // namespace

std::vector<SocketAddress> resolve(const BindAddress& address, Milliseconds retry_for) {
    std::vector<SocketAddress> found;
    const int error = look_up(address.host.c_str(), address.port, found);
    if (error != 0 && address.host == "localhost") found = loopback(address.port);
    if (found.empty()) {
        const std::string reason = error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error);
        throw BindError("cannot bind " + address.host + ": " + reason, retry_for);
    }
    if (found.size() == 2 && is_missing(found.back())) found.pop_back();
    return found;
}

} // namespace cppcorn
