#include "bench/clients/connection.hpp"

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

Outcome Connection::ask(std::string request) {
    reader_.clear();
    request_ = std::move(request);
    sent_ = 0;
    if (is_open() && has_been_closed()) {
        ++found_closed_;
        close();
    }
    is_asking_ = true;
    if (!is_open() && !open()) return end(errno);
    return is_connected_ ? send_rest() : Outcome::nothing;
}

bool Connection::has_been_closed() const {
    char byte = 0;
    const ssize_t count = is_connected_ ? ::recv(descriptor_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) : -1;
    return count == 0 || (is_connected_ && count < 0 && errno != EAGAIN);
}

bool Connection::open() {
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) return false;
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++opened_;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (!is_connected_ && errno != EINPROGRESS) return false;
    epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.u32 = number_}};
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor_, &event) == 0;
}

Outcome Connection::proceed() {
    if (!is_open()) return Outcome::nothing;
    if (!is_connected_) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return end(error);
        sockaddr_in peer{};
        size = sizeof peer;
        if (::getpeername(descriptor_, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return Outcome::nothing;
        is_connected_ = true;
    }
    if (is_asking_ && sent_ < request_.size()) {
        if (const Outcome outcome = send_rest(); outcome != Outcome::nothing) return outcome;
    }
    return receive();
}

Outcome Connection::send_rest() {
    while (sent_ < request_.size()) {
        const ssize_t count = ::send(descriptor_, request_.data() + sent_, request_.size() - sent_, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) return Outcome::nothing;
        // An answer that came before the request was whole, such as 413, is still to be read.
        if (count < 0) return receive();
        sent_ += static_cast<std::size_t>(count);
    }
    return Outcome::nothing;
}

Outcome Connection::receive() {
    char piece[65536];
    while (true) {
        const ssize_t count = ::recv(descriptor_, piece, sizeof piece, 0);
        if (count < 0 && errno == EAGAIN) return Outcome::nothing;
        if (count <= 0) return end(count < 0 ? errno : 0);
        if (!reader_.take({piece, static_cast<std::size_t>(count)})) continue;
        if (!std::exchange(is_asking_, false)) return end(EPROTO); // more than was asked for
        const bool goes_on = sent_ == request_.size() && !answer().closes;
        if (!goes_on) close();
        return Outcome::answered;
    }
}

Outcome Connection::end(int error) {
    error_ = error;
    const bool was_connected = std::exchange(is_connected_, false);
    const bool was_asking = std::exchange(is_asking_, false);
    close();
    if (!was_connected) return Outcome::refused;
    if (!was_asking) return Outcome::closed_idle;
    if (reader_.ends_whole()) return Outcome::answered;
    if (reader_.has_begun()) return Outcome::cut;
    return sent_ > 0 ? Outcome::unanswered : Outcome::refused;
}

void Connection::close() {
    if (is_open()) ::close(descriptor_);
    descriptor_ = -1;
    is_connected_ = false;
    is_asking_ = false;
}

} // namespace bench
