#include "server/status/statsd_sender.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr auto name_lasts = 60s;
constexpr auto pause_after_failure = 10s; // before a name is asked for again
constexpr auto long_enough = 30s;         // what has worked for so long works again

bool is_number(const BindAddress& address) {
    return address.kind == BindAddress::Kind::tcp6 ||
           address.host.find_first_not_of("0123456789.") == std::string::npos;
}

SocketAddress unix_peer(const BindAddress& address) {
    SocketAddress peer;
    auto& name = reinterpret_cast<sockaddr_un&>(peer.storage);
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, address.path.data(), address.path.size()); // which parse_bind() has measured
    if (address.is_abstract()) name.sun_path[0] = '\0';
    const std::size_t end = address.is_abstract() ? 0 : 1;
    peer.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.path.size() + end);
    return peer;
}

bool are_equal(const SocketAddress& one, const SocketAddress& other) {
    return one.size == other.size && std::memcmp(&one.storage, &other.storage, one.size) == 0;
}

} // namespace

StatsdSender::StatsdSender(const std::string& address) : text_(address), address_(parse_statsd(address)) {
    if (address_.host == "localhost") address_.host = "127.0.0.1"; // RFC 6761, 6.3
}

bool StatsdSender::is_ready(SteadyTime now) {
    if (address_.kind != BindAddress::Kind::unix_path) {
        look_up(now);
    } else if (!socket_.is_open()) {
        open(unix_peer(address_), now);
    }
    return socket_.is_open();
}

void StatsdSender::look_up(SteadyTime now) {
    if (!lookup_.is_under_way() && now >= look_up_at_) lookup_.begin(address_.host, address_.port);
    const auto answer = lookup_.take_answer();
    if (!answer) return;
    look_up_at_ = is_number(address_) ? SteadyTime::max() : now + name_lasts;
    if (!answer->address) return failed(answer->error, now);
    if (!socket_.is_open() || !are_equal(*answer->address, peer_)) open(*answer->address, now);
}

void StatsdSender::open(const SocketAddress& peer, SteadyTime now) {
    peer_ = peer;
    socket_.reset(::socket(peer.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto* const generic = reinterpret_cast<const sockaddr*>(&peer.storage);
    if (socket_.is_open() && ::connect(socket_.get(), generic, peer.size) == 0) return;
    failed(std::strerror(errno), now);
    socket_.reset();
}

int StatsdSender::put(const std::string& datagram) const {
    return ::send(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) < 0 ? errno : 0;
}

void StatsdSender::send(const std::vector<std::string>& datagrams, SteadyTime now) {
    for (const auto& datagram : datagrams) {
        int error = put(datagram);
        if (error == ECONNREFUSED && address_.kind != BindAddress::Kind::unix_path) {
            failed(std::strerror(error), now);
            error = put(datagram); // the refusal was of an earlier one
        }
        if (error == 0) continue;
        failed(std::strerror(error), now);
        // Another one may listen there by now.
        if (address_.kind == BindAddress::Kind::unix_path) return socket_.reset();
    }
    worked(now);
}

void StatsdSender::failed(const std::string& why, SteadyTime now) {
    failed_at_ = now;
    look_up_at_ = std::min(look_up_at_, now + pause_after_failure);
    if (!std::exchange(is_failing_, true)) spdlog::warn("Cannot send to statsd at {}: {}", text_, why);
}

void StatsdSender::worked(SteadyTime now) {
    if (!is_failing_ || now < failed_at_ + long_enough) return;
    is_failing_ = false;
    spdlog::info("Sending to statsd at {} works again", text_);
}

} // namespace cppcorn
